/* The compression function of FIPS 180-4 §6.2.2 for sixteen messages at once: lane i of each register is message i. */
#include "sha256.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw")))
#define ALWAYS_INLINE inline __attribute__((always_inline))

typedef __m512i lanes;

/* 16 messages of 16 words each become 16 words of 16 messages each. */
AVX512 static ALWAYS_INLINE void transpose(lanes w[16])
{
    lanes t[16];
    for (int i = 0; i < 16; i += 4) {
        lanes a = _mm512_unpacklo_epi32(w[i], w[i + 1]), b = _mm512_unpackhi_epi32(w[i], w[i + 1]);
        lanes c = _mm512_unpacklo_epi32(w[i + 2], w[i + 3]), d = _mm512_unpackhi_epi32(w[i + 2], w[i + 3]);
        t[i] = _mm512_unpacklo_epi64(a, c);
        t[i + 1] = _mm512_unpackhi_epi64(a, c);
        t[i + 2] = _mm512_unpacklo_epi64(b, d);
        t[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
    for (int i = 0; i < 4; i++) {
        lanes a = _mm512_shuffle_i32x4(t[i], t[i + 4], 0x88), b = _mm512_shuffle_i32x4(t[i], t[i + 4], 0xdd);
        lanes c = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0x88), d = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0xdd);
        w[i] = _mm512_shuffle_i32x4(a, c, 0x88);
        w[i + 4] = _mm512_shuffle_i32x4(b, d, 0x88);
        w[i + 8] = _mm512_shuffle_i32x4(a, c, 0xdd);
        w[i + 12] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

AVX512 static ALWAYS_INLINE lanes add(lanes a, lanes b)
{
    return _mm512_add_epi32(a, b);
}

AVX512 static ALWAYS_INLINE lanes xor3(lanes a, lanes b, lanes c)
{
    return _mm512_ternarylogic_epi32(a, b, c, 0x96);
}

AVX512 static ALWAYS_INLINE lanes schedule(const lanes w[16], int i)
{
    lanes w15 = w[(i + 1) & 15], w2 = w[(i + 14) & 15];
    lanes s0 = xor3(_mm512_ror_epi32(w15, 7), _mm512_ror_epi32(w15, 18), _mm512_srli_epi32(w15, 3));
    lanes s1 = xor3(_mm512_ror_epi32(w2, 17), _mm512_ror_epi32(w2, 19), _mm512_srli_epi32(w2, 10));
    return add(add(w[i], s0), add(w[(i + 9) & 15], s1));
}

/* s is a to h, rotated by name as rounds go: after round i, a is s[-i & 7]. */
AVX512 static ALWAYS_INLINE void mix(lanes s[8], int i, lanes wk)
{
    lanes a = s[(0 - i) & 7], b = s[(1 - i) & 7], c = s[(2 - i) & 7], *d = &s[(3 - i) & 7];
    lanes e = s[(4 - i) & 7], f = s[(5 - i) & 7], g = s[(6 - i) & 7], *h = &s[(7 - i) & 7];
    lanes before = add(*h, wk), choice = _mm512_ternarylogic_epi32(e, f, g, 0xca), majority = _mm512_ternarylogic_epi32(a, b, c, 0xe8);
    lanes sum1 = xor3(_mm512_ror_epi32(e, 6), _mm512_ror_epi32(e, 11), _mm512_ror_epi32(e, 25));
    lanes sum0 = xor3(_mm512_ror_epi32(a, 2), _mm512_ror_epi32(a, 13), _mm512_ror_epi32(a, 22));
    /* one addition more than FIPS 180-4 has: each round waits for the last one's e, so its path is kept short */
    *d = add(add(add(*d, before), choice), sum1);
    *h = add(sum0, add(majority, add(add(before, choice), sum1)));
}

AVX512 static void sixteen(uint32_t state[8][OG_SHA256_LANES], const uint8_t *const data[OG_SHA256_LANES], size_t blocks)
{
    const lanes swap = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL));
    lanes held[8];
    for (int i = 0; i < 8; i++) held[i] = _mm512_loadu_si512(state[i]);
    for (size_t block = 0; block < blocks; block++) {
        lanes w[16], s[8];
        for (int i = 0; i < 16; i++) w[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(data[i] + 64 * block), swap);
        transpose(w);
        for (int i = 0; i < 8; i++) s[i] = held[i];
#pragma GCC unroll 4
        for (int r = 0; r < 64; r += 16) {
#pragma GCC unroll 16
            for (int i = 0; i < 16; i++) {
                if (r != 0) w[i] = schedule(w, i);
                mix(s, i, add(w[i], _mm512_set1_epi32((int)og_sha256_k[r + i])));
            }
        }
        for (int i = 0; i < 8; i++) held[i] = add(held[i], s[i]);
    }
    for (int i = 0; i < 8; i++) _mm512_storeu_si512(state[i], held[i]);
}

og_sha256_sixteen *og_sha256_avx512(void)
{
    /* asks the operating system too, which has to save the registers */
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") ? sixteen : NULL;
}

#else

og_sha256_sixteen *og_sha256_avx512(void)
{
    return NULL;
}

#endif
