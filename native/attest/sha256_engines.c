/* The compression function of FIPS 180-4 §6.2.2, portable and with the x86 SHA extensions. */
#include <string.h>

#include "sha256.h"

const uint32_t og_sha256_k[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotate(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

static void portable_block(uint32_t state[8], const uint8_t *data)
{
    uint32_t w[64];
    for (int i = 0; i < 16; i++) {
        memcpy(&w[i], data + 4 * i, 4);
        w[i] = __builtin_bswap32(w[i]);
    }
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }

    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + og_sha256_k[i] + w[i];
        uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

static void portable_blocks(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    for (; blocks > 0; blocks--, data += 64) portable_block(state, data);
}

static void portable_two(uint32_t a[8], const uint8_t *data_a, uint32_t b[8], const uint8_t *data_b, size_t blocks)
{
    portable_blocks(a, data_a, blocks);
    portable_blocks(b, data_b, blocks);
}

const og_sha256_engine og_sha256_portable = {"portable", portable_blocks, portable_two, NULL};

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define SHA_NI __attribute__((target("sha,sse4.1,ssse3")))

/* The instructions want the state as ABEF and CDGH. */
typedef struct lane {
    __m128i abef, cdgh, w[4];
} lane;

SHA_NI static inline __attribute__((always_inline)) void lane_load(lane *s, const uint32_t state[8])
{
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    s->abef = _mm_alignr_epi8(low, high, 8);
    s->cdgh = _mm_blend_epi16(high, low, 0xf0);
}

SHA_NI static inline __attribute__((always_inline)) void lane_store(const lane *s, uint32_t state[8])
{
    __m128i feba = _mm_shuffle_epi32(s->abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(s->cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* Four rounds: schedule the words of round group r (0 to 15), then mix them in. */
SHA_NI static inline __attribute__((always_inline)) void lane_rounds(lane *s, const uint8_t *data, int r)
{
    __m128i *w = s->w;
    if (r < 4) {
        const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
        w[r] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * r)), swap);
    } else {
        __m128i next = _mm_sha256msg1_epu32(w[r & 3], w[(r + 1) & 3]);
        next = _mm_add_epi32(next, _mm_alignr_epi8(w[(r + 3) & 3], w[(r + 2) & 3], 4));
        w[r & 3] = _mm_sha256msg2_epu32(next, w[(r + 3) & 3]);
    }
    __m128i wk = _mm_add_epi32(w[r & 3], _mm_load_si128((const __m128i *)(og_sha256_k + 4 * r)));
    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, wk);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

SHA_NI static void ni_blocks(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    lane s;
    lane_load(&s, state);
    for (; blocks > 0; blocks--, data += 64) {
        __m128i abef = s.abef, cdgh = s.cdgh;
#pragma GCC unroll 16
        for (int r = 0; r < 16; r++) lane_rounds(&s, data, r);
        s.abef = _mm_add_epi32(s.abef, abef);
        s.cdgh = _mm_add_epi32(s.cdgh, cdgh);
    }
    lane_store(&s, state);
}

/* Two messages at once: one alone leaves the unit waiting for its own results. */
SHA_NI static void ni_two(uint32_t state_a[8], const uint8_t *data_a, uint32_t state_b[8], const uint8_t *data_b, size_t blocks)
{
    lane a, b;
    lane_load(&a, state_a);
    lane_load(&b, state_b);
    for (; blocks > 0; blocks--, data_a += 64, data_b += 64) {
        __m128i a_abef = a.abef, a_cdgh = a.cdgh, b_abef = b.abef, b_cdgh = b.cdgh;
#pragma GCC unroll 16
        for (int r = 0; r < 16; r++) {
            lane_rounds(&a, data_a, r);
            lane_rounds(&b, data_b, r);
        }
        a.abef = _mm_add_epi32(a.abef, a_abef);
        a.cdgh = _mm_add_epi32(a.cdgh, a_cdgh);
        b.abef = _mm_add_epi32(b.abef, b_abef);
        b.cdgh = _mm_add_epi32(b.cdgh, b_cdgh);
    }
    lane_store(&a, state_a);
    lane_store(&b, state_b);
}

static const og_sha256_engine ni = {"sha-ni", ni_blocks, ni_two, NULL};

const og_sha256_engine *og_sha256_ni(void)
{
    unsigned a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSSE3) == 0 || (c & bit_SSE4_1) == 0) return NULL;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (b & (1u << 29)) == 0) return NULL; /* CPUID.7.0:EBX.SHA */
    return &ni;
}

const og_sha256_engine *og_sha256_ni_avx512(void)
{
    static og_sha256_engine both = {"sha-ni", ni_blocks, ni_two, NULL};
    both.sixteen = og_sha256_avx512();
    return og_sha256_ni() != NULL && both.sixteen != NULL ? &both : NULL;
}

#else

const og_sha256_engine *og_sha256_ni_avx512(void)
{
    return NULL;
}

const og_sha256_engine *og_sha256_ni(void)
{
    return NULL;
}

#endif
