/*
 * AVX-512 with VNNI. One register holds 16 outputs, so a panel is one register wide and each row of x one accumulator (bf16:
 * three). Weights are read once for up to 8 rows (bf16: 4). With one row it waits for memory: hence the prefetches.
 */
#include <immintrin.h>

#include "linear_kernels.h"

/* How far ahead of its use a weight is asked for: about 100 ns at 30 GB/s, and 4 KiB is where the processor's own prefetcher stops. */
enum { ahead = 4096 };

static void round_row(uint32_t in, const float *x, void *values, size_t step)
{
    float *target = values;
    const __m512i one = _mm512_set1_epi32(1), half = _mm512_set1_epi32(0x7fff), high = _mm512_set1_epi32((int)0xffff0000u);
    for (uint32_t block = 0; block < in / OGK_GROUP; block++, x += OGK_GROUP, target += step)
        for (uint32_t i = 0; i < 2; i++) {
            __m512 value = _mm512_loadu_ps(x + 16 * i);
            __m512i bits = _mm512_castps_si512(value), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), one);
            __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(half, odd));
            __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
            rounded = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
            _mm512_storeu_si512(target + 16 * i, _mm512_and_si512(rounded, high));
        }
}

void ogk_linear_quantize_avx512(uint32_t in, const float *x, const ogk_linear_quants *target)
{
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    for (uint32_t g = 0; g < in / OGK_GROUP; g++, x += OGK_GROUP) {
        __m512 low = _mm512_loadu_ps(x), high = _mm512_loadu_ps(x + 16);
        __m512i top = _mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(low), magnitude), _mm512_and_si512(_mm512_castps_si512(high), magnitude));
        int32_t bits = _mm512_reduce_max_epi32(top);
        float extreme = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(bits)));
        __m512i low_quants = _mm512_setzero_si512(), high_quants = low_quants;
        float scale = 0;
        if (bits >= 0x7f800000) {
            scale = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(0x7fc00000)));
        } else if (extreme >= 0x1p-100f) {
            scale = extreme / 127;
            __m512 inverse = _mm512_set1_ps(127 / extreme);
            low_quants = _mm512_cvtps_epi32(_mm512_mul_ps(low, inverse));
            high_quants = _mm512_cvtps_epi32(_mm512_mul_ps(high, inverse));
        }
        int8_t *values = target->values + g * target->value_step;
        _mm_storeu_si128((__m128i *)(void *)values, _mm512_cvtepi32_epi8(low_quants));
        _mm_storeu_si128((__m128i *)(void *)(values + 16), _mm512_cvtepi32_epi8(high_quants));
        target->scales[g * target->step] = scale;
        target->sums[g * target->step] = -target->bias * _mm512_reduce_add_epi32(_mm512_add_epi32(low_quants, high_quants));
    }
}

OGK_INLINE void prefetch(const uint8_t *at)
{
    _mm_prefetch((const char *)at + ahead, _MM_HINT_T0);
}

OGK_INLINE void store(const ogk_linear_job *job, uint32_t row, uint32_t panel, __m512 y)
{
    __mmask16 exist = (__mmask16)((1u << ogk_linear_width(job->out, panel)) - 1u);
    _mm512_mask_storeu_ps(job->y + row * job->stride + (size_t)panel * OGK_PANEL, exist, y);
}

/* Rows [inside, inside + R) of a block of m rows, panels [panel, panel + P). Even and odd chains of R x P elements run side by side. */
OGK_INLINE void bf16_tile(const ogk_linear_job *job, uint32_t block, uint32_t inside, const uint32_t R, uint32_t panel, const uint32_t P)
{
    uint32_t m = ogk_linear_block_rows(job->rows, block);
    const float *x = (const float *)(const void *)job->values + (size_t)block * OGK_ROWS * job->in + inside * OGK_GROUP;
    size_t size = ogk_linear_panel_size(OGK_BF16, job->in), step = (size_t)m * OGK_GROUP;
    const uint8_t *w = job->packed + panel * size;
    const __m512i high = _mm512_set1_epi32((int)0xffff0000u);
    __m512 y[8];
#pragma GCC unroll 8
    for (uint32_t e = 0; e < R * P; e++) y[e] = _mm512_setzero_ps();
    for (uint32_t b = 0; b < job->in / OGK_GROUP; b++, x += step, w += 1024) {
        __m512 even[8], odd[8];
#pragma GCC unroll 8
        for (uint32_t e = 0; e < R * P; e++) even[e] = odd[e] = _mm512_setzero_ps();
#pragma GCC unroll 16
        for (uint32_t i = 0; i < OGK_GROUP / 2; i++) {
#pragma GCC unroll 4
            for (uint32_t p = 0; p < P; p++) {
                const uint8_t *at = w + p * size + 64 * i;
                __m512i pair = _mm512_loadu_si512(at);
                if (inside == 0) prefetch(at);
                __m512 first = _mm512_castsi512_ps(_mm512_slli_epi32(pair, 16)), second = _mm512_castsi512_ps(_mm512_and_si512(pair, high));
#pragma GCC unroll 8
                for (uint32_t r = 0; r < R; r++) {
                    even[r * P + p] = _mm512_fmadd_ps(_mm512_set1_ps(x[r * OGK_GROUP + 2 * i]), first, even[r * P + p]);
                    odd[r * P + p] = _mm512_fmadd_ps(_mm512_set1_ps(x[r * OGK_GROUP + 2 * i + 1]), second, odd[r * P + p]);
                }
            }
        }
#pragma GCC unroll 8
        for (uint32_t e = 0; e < R * P; e++) y[e] = _mm512_add_ps(y[e], _mm512_add_ps(even[e], odd[e]));
    }
#pragma GCC unroll 8
    for (uint32_t e = 0; e < R * P; e++) store(job, block * OGK_ROWS + inside + e / P, panel + e % P, y[e]);
}

/* Up to four rows at a time: each number of them is a copy of its own, with its results in registers. */
OGK_INLINE void bf16_panels(const ogk_linear_job *job, uint32_t panel, const uint32_t P)
{
    for (uint32_t row = 0; row < job->rows;) {
        uint32_t block = row / OGK_ROWS, inside = row % OGK_ROWS, left = ogk_linear_block_rows(job->rows, block) - inside;
        switch (left) {
        case 1:
            bf16_tile(job, block, inside, 1, panel, P);
            break;
        case 2:
            bf16_tile(job, block, inside, 2, panel, P);
            break;
        case 3:
            bf16_tile(job, block, inside, 3, panel, P);
            break;
        default:
            bf16_tile(job, block, inside, 4, panel, P);
        }
        row += left < 4 ? left : 4;
    }
}

static void run_bf16(const ogk_linear_job *job)
{
    uint32_t panel = job->from;
    for (; panel + 2 <= job->to; panel += 2) bf16_panels(job, panel, 2);
    if (panel < job->to) bf16_panels(job, panel, 1);
}

OGK_INLINE __m512i spread(const int8_t *four)
{
    return _mm512_set1_epi32(*(const int32_t *)(const void *)four);
}

/* One group of one panel for R rows: y += sum * (weight scale * input scale). */
OGK_INLINE void group(const uint32_t scheme, const uint32_t R, const uint8_t *quants, const uint8_t *half_scales, const int8_t *x,
                      const float *scales, const int32_t *sums, __m512 *y)
{
    __m512 w_scale = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)half_scales));
    __m512i sum[8];
#pragma GCC unroll 8
    for (uint32_t r = 0; r < R; r++) sum[r] = _mm512_set1_epi32(sums[r]);
    if (scheme == OGK_INT8) {
        const __m512i bias = _mm512_set1_epi8((char)0x80);
#pragma GCC unroll 8
        for (uint32_t j = 0; j < 8; j++) {
            __m512i w = _mm512_xor_si512(_mm512_loadu_si512(quants + 64 * j), bias);
#pragma GCC unroll 8
            for (uint32_t r = 0; r < R; r++) sum[r] = _mm512_dpbusd_epi32(sum[r], w, spread(x + r * OGK_GROUP + 4 * j));
        }
    } else {
        const __m512i nibble = _mm512_set1_epi8(15);
#pragma GCC unroll 4
        for (uint32_t j = 0; j < 4; j++) {
            __m512i both = _mm512_loadu_si512(quants + 64 * j);
            __m512i low = _mm512_and_si512(both, nibble), high = _mm512_and_si512(_mm512_srli_epi16(both, 4), nibble);
#pragma GCC unroll 8
            for (uint32_t r = 0; r < R; r++) {
                sum[r] = _mm512_dpbusd_epi32(sum[r], low, spread(x + r * OGK_GROUP + 8 * j));
                sum[r] = _mm512_dpbusd_epi32(sum[r], high, spread(x + r * OGK_GROUP + 8 * j + 4));
            }
        }
    }
#pragma GCC unroll 8
    for (uint32_t r = 0; r < R; r++)
        y[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r]), _mm512_mul_ps(w_scale, _mm512_set1_ps(scales[r])), y[r]);
}

/* Rows [inside, inside + R) of a block of m rows, one panel. */
OGK_INLINE void integer_tile(const ogk_linear_job *job, const uint32_t scheme, uint32_t block, uint32_t inside, const uint32_t R, uint32_t panel)
{
    const size_t group_size = scheme == OGK_INT8 ? OGK_INT8_GROUP : OGK_INT4_GROUP, pair_size = 2 * group_size + OGK_SCALES;
    uint32_t m = ogk_linear_block_rows(job->rows, block), groups = job->in / OGK_GROUP;
    const int8_t *x = (const int8_t *)job->values + (size_t)block * OGK_ROWS * job->in + inside * OGK_GROUP;
    const float *scales = job->scales + (size_t)block * OGK_ROWS * groups + inside;
    const int32_t *sums = job->sums + (size_t)block * OGK_ROWS * groups + inside;
    const uint8_t *w = job->packed + panel * ogk_linear_panel_size(scheme, job->in);
    size_t step = (size_t)m * OGK_GROUP;
    __m512 y[8];
#pragma GCC unroll 8
    for (uint32_t r = 0; r < R; r++) y[r] = _mm512_setzero_ps();
    for (uint32_t g = 0; g + 2 <= groups; g += 2, w += pair_size) {
        if (inside == 0)
#pragma GCC unroll 17
            for (uint32_t line = 0; line < pair_size / 64; line++) prefetch(w + 64 * line);
        group(scheme, R, w, w + 2 * group_size, x, scales, sums, y);
        group(scheme, R, w + group_size, w + 2 * group_size + 32, x + step, scales + m, sums + m, y);
        x += 2 * step;
        scales += 2 * m;
        sums += 2 * m;
    }
    if (groups % 2 != 0) group(scheme, R, w, w + 2 * group_size, x, scales, sums, y);
#pragma GCC unroll 8
    for (uint32_t r = 0; r < R; r++) store(job, block * OGK_ROWS + inside + r, panel, y[r]);
}

/* Up to eight rows at a time. */
OGK_INLINE void integer_rows(const ogk_linear_job *job, const uint32_t scheme, uint32_t block, uint32_t inside, uint32_t rows, uint32_t panel)
{
    switch (rows) {
    case 1:
        integer_tile(job, scheme, block, inside, 1, panel);
        break;
    case 2:
        integer_tile(job, scheme, block, inside, 2, panel);
        break;
    case 3:
        integer_tile(job, scheme, block, inside, 3, panel);
        break;
    case 4:
        integer_tile(job, scheme, block, inside, 4, panel);
        break;
    case 5:
        integer_tile(job, scheme, block, inside, 5, panel);
        break;
    case 6:
        integer_tile(job, scheme, block, inside, 6, panel);
        break;
    case 7:
        integer_tile(job, scheme, block, inside, 7, panel);
        break;
    default:
        integer_tile(job, scheme, block, inside, 8, panel);
    }
}

OGK_INLINE void run_integers(const ogk_linear_job *job, const uint32_t scheme)
{
    for (uint32_t panel = job->from; panel < job->to; panel++)
        for (uint32_t row = 0; row < job->rows;) {
            uint32_t block = row / OGK_ROWS, inside = row % OGK_ROWS, left = ogk_linear_block_rows(job->rows, block) - inside;
            uint32_t rows = left <= 8 ? left : left < 16 ? (left + 1) / 2 : 8; /* even halves: 9 rows are 5 and 4 */
            integer_rows(job, scheme, block, inside, rows, panel);
            row += rows;
        }
}

static void run_int8(const ogk_linear_job *job)
{
    run_integers(job, OGK_INT8);
}

static void run_int4(const ogk_linear_job *job)
{
    run_integers(job, OGK_INT4);
}

const ogk_linear_kernels ogk_linear_avx512 = {round_row, ogk_linear_quantize_avx512, run_bf16, run_int8, run_int4, sizeof(float)};
