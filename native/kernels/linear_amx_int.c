/*
 * int8 and int4 on tiles. A tile multiplies one group of 32 inputs; its integers pass through memory into vectors, which
 * scale and add them. The next groups' tiles are multiplied meanwhile. int4 becomes int8 in the first-level cache, once per
 * 64 rows.
 */
#include "linear_amx.h"

enum {
    ahead = 4096,    /* bytes between use of a weight and its prefetch */
    blocks_max = 4,  /* blocks of rows that share unpacked weights */
    chunk_max = 32   /* groups: 16 KiB of unpacked weights */
};

/* Some groups of one panel for one block of rows. Groups come in pairs. */
typedef struct chunk {
    uint32_t groups;
    const int8_t *x;
    const float *x_scales;
    const uint8_t *quants;
    size_t quants_pair; /* bytes from pair to pair */
    const uint8_t *w_scales;
    size_t scales_pair;
    float *sums;        /* [16 rows][16 outputs] */
    uint32_t prefetched; /* bytes of each pair to ask for */
} chunk;

OGK_INLINE void multiply_even(const int8_t *x, const uint8_t *quants, int32_t *result)
{
    _tile_loadd(6, quants, 64);
    _tile_loadd(4, x, 32);
    _tile_zero(0);
    _tile_dpbssd(0, 4, 6);
    _tile_stored(0, result, 64);
}

OGK_INLINE void multiply_odd(const int8_t *x, const uint8_t *quants, int32_t *result)
{
    _tile_loadd(7, quants, 64);
    _tile_loadd(5, x, 32);
    _tile_zero(1);
    _tile_dpbssd(1, 5, 7);
    _tile_stored(1, result, 64);
}

OGK_INLINE void scale_and_add(const uint32_t m, const int32_t *result, const uint8_t *half_scales, const float *x_scales, __m512 *y)
{
    __m512 w_scale = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)half_scales));
#pragma GCC unroll 16
    for (uint32_t r = 0; r < m; r++) {
        __m512 sum = _mm512_cvtepi32_ps(_mm512_load_si512(result + r * OGK_PANEL));
        y[r] = _mm512_fmadd_ps(sum, _mm512_mul_ps(w_scale, _mm512_set1_ps(x_scales[r])), y[r]);
    }
}

OGK_INLINE void run_chunk(const chunk *c, const uint32_t m)
{
    _Alignas(64) int32_t results[2][2][OGK_ROWS * OGK_PANEL];
    __m512 y[OGK_ROWS];
#pragma GCC unroll 16
    for (uint32_t r = 0; r < m; r++) y[r] = _mm512_load_ps(c->sums + r * OGK_PANEL);
    const int8_t *x = c->x;
    const float *x_scales = c->x_scales;
    const uint8_t *quants = c->quants, *w_scales = c->w_scales;
    multiply_even(x, quants, results[0][0]);
    if (c->groups > 1) multiply_odd(x + m * OGK_GROUP, quants + OGK_INT8_GROUP, results[0][1]);
    for (uint32_t g = 0; g < c->groups; g += 2) {
        uint32_t now = g / 2 % 2, then = 1 - now;
        x += 2 * m * OGK_GROUP;
        quants += c->quants_pair;
        for (uint32_t line = 0; line < c->prefetched; line += 64) _mm_prefetch((const char *)quants + ahead + line, _MM_HINT_T0);
        if (g + 2 < c->groups) multiply_even(x, quants, results[then][0]);
        scale_and_add(m, results[now][0], w_scales, x_scales, y);
        if (g + 3 < c->groups) multiply_odd(x + m * OGK_GROUP, quants + OGK_INT8_GROUP, results[then][1]);
        if (g + 1 < c->groups) scale_and_add(m, results[now][1], w_scales + 32, x_scales + m, y);
        x_scales += 2 * m;
        w_scales += c->scales_pair;
    }
#pragma GCC unroll 16
    for (uint32_t r = 0; r < m; r++) _mm512_store_ps(c->sums + r * OGK_PANEL, y[r]);
}

/* One copy for each number of rows keeps all rows' sums in registers. */
#define ROWS(m)                                                                                                        \
    static void run_chunk_##m(const chunk *c)                                                                          \
    {                                                                                                                  \
        run_chunk(c, m);                                                                                               \
    }
ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8)
ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14) ROWS(15) ROWS(16)
#undef ROWS

static void (*const run_rows[OGK_ROWS + 1])(const chunk *) = {
    NULL,        run_chunk_1,  run_chunk_2,  run_chunk_3,  run_chunk_4,  run_chunk_5,  run_chunk_6,  run_chunk_7, run_chunk_8,
    run_chunk_9, run_chunk_10, run_chunk_11, run_chunk_12, run_chunk_13, run_chunk_14, run_chunk_15, run_chunk_16};

/* int4 groups to signed bytes as int8 panels hold them, pair after pair. */
OGK_INLINE void unpack(uint32_t groups, const uint8_t *packed, uint8_t *unpacked)
{
    const __m512i nibble = _mm512_set1_epi8(15), bias = _mm512_set1_epi8(OGK_INT4_BIAS);
    for (uint32_t g = 0; g < groups; g++, unpacked += OGK_INT8_GROUP) {
        const uint8_t *quants = packed + g / 2 * OGK_INT4_PAIR + g % 2 * OGK_INT4_GROUP;
#pragma GCC unroll 4
        for (uint32_t j = 0; j < 4; j++) {
            _mm_prefetch((const char *)quants + ahead + 64 * j, _MM_HINT_T0);
            __m512i both = _mm512_loadu_si512(quants + 64 * j);
            _mm512_store_si512(unpacked + 128 * j, _mm512_sub_epi8(_mm512_and_si512(both, nibble), bias));
            _mm512_store_si512(unpacked + 128 * j + 64, _mm512_sub_epi8(_mm512_and_si512(_mm512_srli_epi16(both, 4), nibble), bias));
        }
    }
    ogk_tiles_see_memory();
}

/* All inputs of one panel for up to blocks_max blocks of rows. */
OGK_INLINE void run_panel(const ogk_linear_job *job, const uint32_t scheme, uint32_t first, uint32_t blocks, uint32_t panel)
{
    _Alignas(64) float sums[blocks_max][OGK_ROWS * OGK_PANEL];
    _Alignas(64) uint8_t unpacked[chunk_max * OGK_INT8_GROUP];
    const size_t group_size = scheme == OGK_INT8 ? OGK_INT8_GROUP : OGK_INT4_GROUP, pair_size = 2 * group_size + OGK_SCALES;
    const uint8_t *packed = job->packed + panel * ogk_linear_panel_size(scheme, job->in);
    uint32_t groups = job->in / OGK_GROUP;
    memset(sums, 0, sizeof sums[0] * blocks);
    for (uint32_t g = 0; g < groups; g += chunk_max, packed += chunk_max / 2 * pair_size) {
        chunk c = {.groups = groups - g < chunk_max ? groups - g : chunk_max,
                   .quants = packed,
                   .quants_pair = pair_size,
                   .w_scales = packed + 2 * group_size,
                   .scales_pair = pair_size};
        if (scheme == OGK_INT4) {
            unpack(c.groups, packed, unpacked);
            c.quants = unpacked;
            c.quants_pair = 2 * OGK_INT8_GROUP;
        }
        for (uint32_t b = 0; b < blocks; b++) {
            uint32_t block = first + b, m = ogk_linear_block_rows(job->rows, block);
            c.x = (const int8_t *)job->values + (size_t)block * OGK_ROWS * job->in + (size_t)g * m * OGK_GROUP;
            c.x_scales = job->scales + (size_t)block * OGK_ROWS * groups + (size_t)g * m;
            c.sums = sums[b];
            c.prefetched = scheme == OGK_INT8 && block == 0 ? (uint32_t)pair_size : 0;
            run_rows[m](&c);
        }
    }
    for (uint32_t b = 0; b < blocks; b++) ogk_tiles_copy(job, first + b, panel, sums[b]);
}

OGK_INLINE void run(const ogk_linear_job *job, const uint32_t scheme)
{
    uint32_t blocks = (job->rows + OGK_ROWS - 1) / OGK_ROWS;
    ogk_tiles_configure(job->rows < OGK_ROWS ? job->rows : OGK_ROWS, 32, 8);
    for (uint32_t first = 0; first < blocks; first += blocks_max)
        for (uint32_t panel = job->from; panel < job->to; panel++)
            run_panel(job, scheme, first, blocks - first < blocks_max ? blocks - first : blocks_max, panel);
    _tile_release();
}

void ogk_linear_amx_int8(const ogk_linear_job *job)
{
    run(job, OGK_INT8);
}

void ogk_linear_amx_int4(const ogk_linear_job *job)
{
    run(job, OGK_INT4);
}
