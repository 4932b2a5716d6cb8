#include "linear.h"

#include "isa.h"
#include "linear_kernels.h"

static size_t whole_lines(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

/*
 * From how many rows on tiles win over vectors, on Sapphire Rapids. bf16: a tile takes as long for one row as vectors take
 * for half of one; one row waits for memory either way. Integers: a tile's sums go through memory, which takes about as long
 * for one row as for sixteen, and int4 has to be unpacked first, which pays from the second block of rows on.
 */
static uint32_t tile_rows(uint32_t scheme)
{
    return scheme == OGK_BF16 ? 2 : scheme == OGK_INT8 ? 9 : OGK_ROWS + 1;
}

static const ogk_linear_kernels *kernels_for(uint32_t scheme, uint32_t isa, uint32_t rows)
{
    switch (ogk_isa_resolve(isa)) {
    case OGK_ISA_AMX:
        return rows >= tile_rows(scheme) ? &ogk_linear_amx : &ogk_linear_avx512;
    case OGK_ISA_AVX512:
        return &ogk_linear_avx512;
    case OGK_ISA_AVX2:
        return &ogk_linear_avx2;
    default:
        return &ogk_linear_scalar;
    }
}

size_t ogk_linear_packed_size(uint32_t scheme, uint32_t out, uint32_t in)
{
    return ogk_linear_panels(out) * ogk_linear_panel_size(scheme, in);
}

/* The parts of a prepared input. */
static size_t values_size(uint32_t scheme, uint32_t rows, uint32_t in)
{
    return whole_lines((size_t)rows * in * (scheme == OGK_BF16 ? sizeof(float) : 1));
}

static size_t scales_size(uint32_t rows, uint32_t in)
{
    return whole_lines((size_t)rows * (in / OGK_GROUP) * sizeof(float));
}

size_t ogk_linear_input_size(uint32_t scheme, uint32_t rows, uint32_t in)
{
    /* a tile of 16 rows of 64 bytes may begin at the last row; what it reads beyond is multiplied and dropped */
    enum { tile_overrun = 1024 };
    return values_size(scheme, rows, in) + (scheme == OGK_BF16 ? 0 : 2 * scales_size(rows, in)) + tile_overrun;
}

void ogk_linear_prepare(uint32_t scheme, uint32_t isa, uint32_t rows, uint32_t in, const float *x, size_t stride, uint32_t from,
                        uint32_t to, void *prepared)
{
    const ogk_linear_kernels *kernels = kernels_for(scheme, isa, rows);
    uint8_t *values = prepared;
    float *scales = (float *)(void *)(values + values_size(scheme, rows, in));
    int32_t *sums = (int32_t *)(void *)(values + values_size(scheme, rows, in) + scales_size(rows, in));
    uint32_t state = ogk_float_enter();
    for (uint32_t row = from; row < to; row++) {
        uint32_t block = row / OGK_ROWS, inside = row % OGK_ROWS, m = ogk_linear_block_rows(rows, block);
        size_t value = (size_t)block * OGK_ROWS * in + inside * OGK_GROUP, value_step = (size_t)m * OGK_GROUP;
        size_t scale = (size_t)block * OGK_ROWS * (in / OGK_GROUP) + inside;
        if (scheme == OGK_BF16) {
            kernels->round(in, x + row * stride, values + value * kernels->bf16_size, value_step);
        } else {
            ogk_linear_quants target = {(int8_t *)values + value, value_step, scales + scale, sums + scale, m,
                                        scheme == OGK_INT8 ? OGK_INT8_BIAS : OGK_INT4_BIAS};
            kernels->quantize(in, x + row * stride, &target);
        }
    }
    ogk_float_leave(state);
}

void ogk_linear_run(uint32_t scheme, uint32_t isa, uint32_t rows, uint32_t out, uint32_t in, uint32_t from, uint32_t to,
                    const void *packed, const void *prepared, float *y, size_t stride)
{
    if (rows == 0 || from >= to) return;
    const ogk_linear_kernels *kernels = kernels_for(scheme, isa, rows);
    const uint8_t *values = prepared, *scales = values + values_size(scheme, rows, in), *sums = scales + scales_size(rows, in);
    ogk_linear_job job = {.rows = rows, .out = out, .in = in, .from = from, .to = to, .packed = packed, .values = values, .y = y, .stride = stride};
    if (scheme != OGK_BF16) {
        job.scales = (const float *)(const void *)scales;
        job.sums = (const int32_t *)(const void *)sums;
    }
    uint32_t state = ogk_float_enter();
    if (scheme == OGK_BF16)
        kernels->bf16(&job);
    else if (scheme == OGK_INT8)
        kernels->int8(&job);
    else
        kernels->int4(&job);
    ogk_float_leave(state);
}

uint32_t ogk_linear_part_panels(uint32_t scheme, uint32_t rows, uint32_t out, uint32_t in, uint32_t threads)
{
    /* Few rows: at least 32 KiB of weights, a microsecond or two, below which taking a part and starting a stream shows; up to
     * four parts for each thread, so that one that is held up leaves its parts to others. Many rows: 16 panels share what
     * they read of the input. In both cases each thread gets equally many parts. */
    enum { few = 32 << 10, few_parts = 4, many_panels = 16 };
    size_t panels = ogk_linear_panels(out), size = ogk_linear_panel_size(scheme, in), team = threads > 0 ? threads : 1;
    size_t least = (few + size - 1) / size, parts = rows > OGK_ROWS ? (panels + many_panels - 1) / many_panels : panels / least;
    if (rows <= OGK_ROWS && parts > few_parts * team) parts = few_parts * team;
    if (rows <= OGK_ROWS && parts > team) parts -= parts % team;
    if (rows > OGK_ROWS) parts = (parts + team - 1) / team * team;
    size_t part = parts > 1 ? (panels + parts - 1) / parts : panels;
    part += part & 1; /* tiles take two panels at once */
    return (uint32_t)(part < panels ? part : panels > 0 ? panels : 1);
}
