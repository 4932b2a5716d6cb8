/* Two registers of eight: see lanes.h. */
#ifndef OGK_LANES_AVX2_H
#define OGK_LANES_AVX2_H

#include <immintrin.h>

typedef struct lanes {
    __m256 lo, hi;
} lanes;

#define OGK_BOTH(operation) return (lanes){operation(a.lo, b.lo), operation(a.hi, b.hi)}

OGK_INLINE lanes lanes_set(float x)
{
    __m256 all = _mm256_set1_ps(x);
    return (lanes){all, all};
}

OGK_INLINE lanes lanes_load(const float *from)
{
    return (lanes){_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)};
}

OGK_INLINE lanes lanes_load_half(const uint16_t *from)
{
    return (lanes){_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)from)),
                   _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(from + 8)))};
}

OGK_INLINE lanes lanes_add(lanes a, lanes b) { OGK_BOTH(_mm256_add_ps); }
OGK_INLINE lanes lanes_sub(lanes a, lanes b) { OGK_BOTH(_mm256_sub_ps); }
OGK_INLINE lanes lanes_mul(lanes a, lanes b) { OGK_BOTH(_mm256_mul_ps); }
OGK_INLINE lanes lanes_div(lanes a, lanes b) { OGK_BOTH(_mm256_div_ps); }
OGK_INLINE lanes lanes_max(lanes a, lanes b) { OGK_BOTH(_mm256_max_ps); }
OGK_INLINE lanes lanes_min(lanes a, lanes b) { OGK_BOTH(_mm256_min_ps); }

OGK_INLINE lanes lanes_fma(lanes a, lanes b, lanes c)
{
    return (lanes){_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}

OGK_INLINE lanes lanes_fnma(lanes a, lanes b, lanes c)
{
    return (lanes){_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
}

OGK_INLINE lanes lanes_first_of(uint32_t count, lanes a, lanes b)
{
    __m256i bound = _mm256_set1_epi32((int)count);
    __m256i lo = _mm256_cmpgt_epi32(bound, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    __m256i hi = _mm256_cmpgt_epi32(bound, _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15));
    return (lanes){_mm256_blendv_ps(b.lo, a.lo, _mm256_castsi256_ps(lo)), _mm256_blendv_ps(b.hi, a.hi, _mm256_castsi256_ps(hi))};
}

OGK_INLINE __m256 lanes_scale_eight(__m256 p, __m256 shifted, __m256 x)
{
    __m256i power = _mm256_sub_epi32(_mm256_castps_si256(shifted), _mm256_castps_si256(_mm256_set1_ps(OGK_ROUNDER)));
    __m256i scaled = _mm256_add_epi32(_mm256_castps_si256(p), _mm256_slli_epi32(power, 23));
    __m256 tiny = _mm256_cmp_ps(x, _mm256_set1_ps(OGK_EXP2_LEAST), _CMP_LT_OQ);
    return _mm256_andnot_ps(tiny, _mm256_castsi256_ps(scaled));
}

OGK_INLINE lanes lanes_scale(lanes p, lanes shifted, lanes x)
{
    return (lanes){lanes_scale_eight(p.lo, shifted.lo, x.lo), lanes_scale_eight(p.hi, shifted.hi, x.hi)};
}

OGK_INLINE void lanes_store(float *to, lanes a)
{
    _mm256_storeu_ps(to, a.lo);
    _mm256_storeu_ps(to + 8, a.hi);
}

OGK_INLINE void lanes_store_half(uint16_t *to, lanes a)
{
    _mm_storeu_si128((__m128i *)(void *)to, _mm256_cvtps_ph(a.lo, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128((__m128i *)(void *)(to + 8), _mm256_cvtps_ph(a.hi, _MM_FROUND_TO_NEAREST_INT));
}

OGK_INLINE float lanes_first(lanes a)
{
    return _mm256_cvtss_f32(a.lo);
}

OGK_INLINE float lanes_sum(lanes a)
{
    __m256 eight = _mm256_add_ps(a.lo, a.hi);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

OGK_INLINE float lanes_most(lanes a)
{
    __m256 eight = _mm256_max_ps(a.lo, a.hi);
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

#undef OGK_BOTH
#endif
