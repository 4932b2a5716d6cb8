/* AVX2 with FMA and F16C. Two registers hold the 16 outputs of a panel; weights are read once for up to two rows. */
#include <immintrin.h>

#include "linear_kernels.h"

enum { ahead = 2048, halves = 2 }; /* prefetch distance in bytes; registers of a panel */

static void round_row(uint32_t in, const float *x, void *values, size_t step)
{
    float *target = values;
    const __m256i one = _mm256_set1_epi32(1), half = _mm256_set1_epi32(0x7fff), high = _mm256_set1_epi32((int)0xffff0000u);
    for (uint32_t block = 0; block < in / OGK_GROUP; block++, x += OGK_GROUP, target += step)
        for (uint32_t i = 0; i < OGK_GROUP; i += 8) {
            __m256 value = _mm256_loadu_ps(x + i);
            __m256i bits = _mm256_castps_si256(value), odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), one);
            __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(half, odd));
            __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(value, value, _CMP_UNORD_Q));
            rounded = _mm256_blendv_epi8(rounded, _mm256_or_si256(bits, _mm256_set1_epi32(0x400000)), nan);
            _mm256_storeu_si256((__m256i *)(void *)(target + i), _mm256_and_si256(rounded, high));
        }
}

OGK_INLINE __m128i both_halves(__m256i value, __m128i (*const combine)(__m128i, __m128i))
{
    return combine(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
}

static __m128i larger(__m128i a, __m128i b)
{
    return _mm_max_epi32(a, b);
}

static __m128i plus(__m128i a, __m128i b)
{
    return _mm_add_epi32(a, b);
}

/* Of eight integers in one register: `combine` over all. */
OGK_INLINE int32_t reduce(__m256i value, __m128i (*const combine)(__m128i, __m128i))
{
    __m128i four = both_halves(value, combine), two = combine(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(combine(two, _mm_shuffle_epi32(two, 0xb1)));
}

static void quantize_row(uint32_t in, const float *x, const ogk_linear_quants *target)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff), in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (uint32_t g = 0; g < in / OGK_GROUP; g++, x += OGK_GROUP) {
        __m256i top = _mm256_setzero_si256(), quants[4], sum = top;
        for (uint32_t i = 0; i < 4; i++)
            top = _mm256_max_epi32(top, _mm256_and_si256(_mm256_castps_si256(_mm256_loadu_ps(x + 8 * i)), magnitude));
        int32_t bits = reduce(top, larger);
        float extreme = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(bits))), scale = 0;
        for (uint32_t i = 0; i < 4; i++) quants[i] = _mm256_setzero_si256();
        if (bits >= 0x7f800000) {
            scale = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(0x7fc00000)));
        } else if (extreme >= 0x1p-100f) {
            scale = extreme / 127;
            __m256 inverse = _mm256_set1_ps(127 / extreme);
            for (uint32_t i = 0; i < 4; i++) {
                quants[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), inverse));
                sum = _mm256_add_epi32(sum, quants[i]);
            }
        }
        __m256i words = _mm256_packs_epi32(quants[0], quants[1]), more = _mm256_packs_epi32(quants[2], quants[3]);
        __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(words, more), in_order);
        _mm256_storeu_si256((__m256i *)(void *)(target->values + g * target->value_step), bytes);
        target->scales[g * target->step] = scale;
        target->sums[g * target->step] = -target->bias * reduce(sum, plus);
    }
}

OGK_INLINE __m256i load(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

OGK_INLINE void store(const ogk_linear_job *job, uint32_t row, uint32_t panel, uint32_t half, __m256 y)
{
    __m256i index = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32((int)half * 8));
    __m256i exist = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)ogk_linear_width(job->out, panel)), index);
    _mm256_maskstore_ps(job->y + row * job->stride + (size_t)panel * OGK_PANEL + half * 8, exist, y);
}

/* Rows [inside, inside + R) of a block of m rows, one panel. */
OGK_INLINE void bf16_tile(const ogk_linear_job *job, uint32_t block, uint32_t inside, const uint32_t R, uint32_t panel)
{
    uint32_t m = ogk_linear_block_rows(job->rows, block);
    const float *x = (const float *)(const void *)job->values + (size_t)block * OGK_ROWS * job->in + inside * OGK_GROUP;
    const uint8_t *w = job->packed + panel * ogk_linear_panel_size(OGK_BF16, job->in);
    const __m256i high = _mm256_set1_epi32((int)0xffff0000u);
    __m256 y[4];
#pragma GCC unroll 4
    for (uint32_t e = 0; e < R * halves; e++) y[e] = _mm256_setzero_ps();
    for (uint32_t b = 0; b < job->in / OGK_GROUP; b++, x += (size_t)m * OGK_GROUP, w += 1024) {
        __m256 even[4], odd[4];
#pragma GCC unroll 4
        for (uint32_t e = 0; e < R * halves; e++) even[e] = odd[e] = _mm256_setzero_ps();
        for (uint32_t i = 0; i < OGK_GROUP / 2; i++) {
            _mm_prefetch((const char *)w + 64 * i + ahead, _MM_HINT_T0);
#pragma GCC unroll 2
            for (uint32_t h = 0; h < halves; h++) {
                __m256i pair = load(w + 64 * i + 32 * h);
                __m256 first = _mm256_castsi256_ps(_mm256_slli_epi32(pair, 16)), second = _mm256_castsi256_ps(_mm256_and_si256(pair, high));
#pragma GCC unroll 2
                for (uint32_t r = 0; r < R; r++) {
                    const float *two = x + r * OGK_GROUP + 2 * i;
                    even[r * halves + h] = _mm256_fmadd_ps(_mm256_broadcast_ss(two), first, even[r * halves + h]);
                    odd[r * halves + h] = _mm256_fmadd_ps(_mm256_broadcast_ss(two + 1), second, odd[r * halves + h]);
                }
            }
        }
#pragma GCC unroll 4
        for (uint32_t e = 0; e < R * halves; e++) y[e] = _mm256_add_ps(y[e], _mm256_add_ps(even[e], odd[e]));
    }
#pragma GCC unroll 4
    for (uint32_t e = 0; e < R * halves; e++) store(job, block * OGK_ROWS + inside + e / halves, panel, e % halves, y[e]);
}

static void run_bf16(const ogk_linear_job *job)
{
    for (uint32_t panel = job->from; panel < job->to; panel++)
        for (uint32_t row = 0; row < job->rows;) {
            uint32_t block = row / OGK_ROWS, inside = row % OGK_ROWS, left = ogk_linear_block_rows(job->rows, block) - inside;
            if (left >= 2)
                bf16_tile(job, block, inside, 2, panel);
            else
                bf16_tile(job, block, inside, 1, panel);
            row += left >= 2 ? 2 : 1;
        }
}

OGK_INLINE __m256i spread(const int8_t *four)
{
    return _mm256_set1_epi32(*(const int32_t *)(const void *)four);
}

/* sum + the products of unsigned and signed bytes, four by four. No pair of products leaves 16 bits: signed weights go in as
 * magnitudes (at most 127, times 127, twice), and nibbles are small. */
OGK_INLINE __m256i multiply_add(__m256i sum, __m256i plain, __m256i sign)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(plain, sign), _mm256_set1_epi16(1)));
}

/* One group of one panel for R rows: y += sum * (weight scale * input scale). */
OGK_INLINE void group(const uint32_t scheme, const uint32_t R, const uint8_t *quants, const uint8_t *half_scales, const int8_t *x,
                      const float *scales, const int32_t *sums, __m256 *y)
{
    const __m256i nibble = _mm256_set1_epi8(15);
#pragma GCC unroll 2
    for (uint32_t h = 0; h < halves; h++) {
        __m256 w_scale = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(half_scales + 16 * h)));
        __m256i sum[2];
#pragma GCC unroll 2
        for (uint32_t r = 0; r < R; r++) sum[r] = scheme == OGK_INT8 ? _mm256_setzero_si256() : _mm256_set1_epi32(sums[r]);
        for (uint32_t j = 0; j < (scheme == OGK_INT8 ? 8u : 4u); j++) {
            __m256i w = load(quants + 64 * j + 32 * h);
            __m256i low = scheme == OGK_INT8 ? _mm256_abs_epi8(w) : _mm256_and_si256(w, nibble);
            __m256i high = _mm256_and_si256(_mm256_srli_epi16(w, 4), nibble);
#pragma GCC unroll 2
            for (uint32_t r = 0; r < R; r++) {
                const int8_t *values = x + r * OGK_GROUP;
                if (scheme == OGK_INT8) {
                    sum[r] = multiply_add(sum[r], low, _mm256_sign_epi8(spread(values + 4 * j), w));
                } else {
                    sum[r] = multiply_add(sum[r], low, spread(values + 8 * j));
                    sum[r] = multiply_add(sum[r], high, spread(values + 8 * j + 4));
                }
            }
        }
#pragma GCC unroll 2
        for (uint32_t r = 0; r < R; r++) {
            __m256 scale = _mm256_mul_ps(w_scale, _mm256_set1_ps(scales[r]));
            y[r * halves + h] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[r]), scale, y[r * halves + h]);
        }
    }
}

/* Rows [inside, inside + R) of a block of m rows, one panel. */
OGK_INLINE void integer_tile(const ogk_linear_job *job, const uint32_t scheme, uint32_t block, uint32_t inside, const uint32_t R, uint32_t panel)
{
    const size_t group_size = scheme == OGK_INT8 ? OGK_INT8_GROUP : OGK_INT4_GROUP, pair_size = 2 * group_size + OGK_SCALES;
    uint32_t m = ogk_linear_block_rows(job->rows, block), groups = job->in / OGK_GROUP;
    const int8_t *x = (const int8_t *)job->values + (size_t)block * OGK_ROWS * job->in + inside * OGK_GROUP;
    const float *scales = job->scales + (size_t)block * OGK_ROWS * groups + inside;
    const int32_t *sums = job->sums + (size_t)block * OGK_ROWS * groups + inside;
    const uint8_t *panel_start = job->packed + panel * ogk_linear_panel_size(scheme, job->in);
    __m256 y[4];
#pragma GCC unroll 4
    for (uint32_t e = 0; e < R * halves; e++) y[e] = _mm256_setzero_ps();
    for (uint32_t g = 0; g < groups; g++) {
        const uint8_t *pair = panel_start + g / 2 * pair_size, *quants = pair + g % 2 * group_size;
        for (size_t line = 0; line < group_size; line += 64) _mm_prefetch((const char *)quants + ahead + line, _MM_HINT_T0);
        group(scheme, R, quants, pair + 2 * group_size + g % 2 * 32, x + (size_t)g * m * OGK_GROUP, scales + (size_t)g * m, sums + (size_t)g * m, y);
    }
#pragma GCC unroll 4
    for (uint32_t e = 0; e < R * halves; e++) store(job, block * OGK_ROWS + inside + e / halves, panel, e % halves, y[e]);
}

OGK_INLINE void run_integers(const ogk_linear_job *job, const uint32_t scheme)
{
    for (uint32_t panel = job->from; panel < job->to; panel++)
        for (uint32_t row = 0; row < job->rows;) {
            uint32_t block = row / OGK_ROWS, inside = row % OGK_ROWS, left = ogk_linear_block_rows(job->rows, block) - inside;
            if (left >= 2)
                integer_tile(job, scheme, block, inside, 2, panel);
            else
                integer_tile(job, scheme, block, inside, 1, panel);
            row += left >= 2 ? 2 : 1;
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

const ogk_linear_kernels ogk_linear_avx2 = {round_row, quantize_row, run_bf16, run_int8, run_int4, sizeof(float)};
