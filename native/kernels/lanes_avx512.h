/* One register of sixteen: see lanes.h. */
#ifndef OGK_LANES_AVX512_H
#define OGK_LANES_AVX512_H

#include <immintrin.h>

typedef __m512 lanes;

OGK_INLINE lanes lanes_set(float x) { return _mm512_set1_ps(x); }
OGK_INLINE lanes lanes_load(const float *from) { return _mm512_loadu_ps(from); }
OGK_INLINE lanes lanes_load_half(const uint16_t *from) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)from)); }
OGK_INLINE lanes lanes_add(lanes a, lanes b) { return _mm512_add_ps(a, b); }
OGK_INLINE lanes lanes_sub(lanes a, lanes b) { return _mm512_sub_ps(a, b); }
OGK_INLINE lanes lanes_mul(lanes a, lanes b) { return _mm512_mul_ps(a, b); }
OGK_INLINE lanes lanes_div(lanes a, lanes b) { return _mm512_div_ps(a, b); }
OGK_INLINE lanes lanes_max(lanes a, lanes b) { return _mm512_max_ps(a, b); }
OGK_INLINE lanes lanes_min(lanes a, lanes b) { return _mm512_min_ps(a, b); }
OGK_INLINE lanes lanes_fma(lanes a, lanes b, lanes c) { return _mm512_fmadd_ps(a, b, c); }
OGK_INLINE lanes lanes_fnma(lanes a, lanes b, lanes c) { return _mm512_fnmadd_ps(a, b, c); }

OGK_INLINE lanes lanes_first_of(uint32_t count, lanes a, lanes b)
{
    return _mm512_mask_blend_ps((__mmask16)((1u << count) - 1), b, a);
}

OGK_INLINE lanes lanes_scale(lanes p, lanes shifted, lanes x)
{
    __m512i power = _mm512_sub_epi32(_mm512_castps_si512(shifted), _mm512_castps_si512(_mm512_set1_ps(OGK_ROUNDER)));
    __m512i scaled = _mm512_add_epi32(_mm512_castps_si512(p), _mm512_slli_epi32(power, 23));
    __mmask16 kept = _mm512_cmp_ps_mask(x, _mm512_set1_ps(OGK_EXP2_LEAST), _CMP_NLT_UQ);
    return _mm512_castsi512_ps(_mm512_maskz_mov_epi32(kept, scaled));
}

OGK_INLINE void lanes_store(float *to, lanes a)
{
    _mm512_storeu_ps(to, a);
}

OGK_INLINE void lanes_store_half(uint16_t *to, lanes a)
{
    _mm256_storeu_si256((__m256i *)(void *)to, _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}

OGK_INLINE float lanes_first(lanes a)
{
    return _mm512_cvtss_f32(a);
}

OGK_INLINE float lanes_sum(lanes a)
{
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

OGK_INLINE float lanes_most(lanes a)
{
    __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

#endif
