/* The definition: see lanes.h. */
#ifndef OGK_LANES_SCALAR_H
#define OGK_LANES_SCALAR_H

typedef struct lanes {
    float of[16];
} lanes;

#define OGK_EACH(expression)                                                                                           \
    lanes result;                                                                                                      \
    for (int i = 0; i < 16; i++) result.of[i] = (expression);                                                          \
    return result

OGK_INLINE lanes lanes_set(float x) { OGK_EACH(x); }
OGK_INLINE lanes lanes_load(const float *from) { OGK_EACH(from[i]); }
OGK_INLINE lanes lanes_load_half(const uint16_t *from) { OGK_EACH(ogk_from_fp16(from[i])); }
OGK_INLINE lanes lanes_add(lanes a, lanes b) { OGK_EACH(a.of[i] + b.of[i]); }
OGK_INLINE lanes lanes_sub(lanes a, lanes b) { OGK_EACH(a.of[i] - b.of[i]); }
OGK_INLINE lanes lanes_mul(lanes a, lanes b) { OGK_EACH(a.of[i] * b.of[i]); }
OGK_INLINE lanes lanes_div(lanes a, lanes b) { OGK_EACH(a.of[i] / b.of[i]); }
/* the second where they are equal or either is not a number */
OGK_INLINE lanes lanes_max(lanes a, lanes b) { OGK_EACH(a.of[i] > b.of[i] ? a.of[i] : b.of[i]); }
OGK_INLINE lanes lanes_min(lanes a, lanes b) { OGK_EACH(a.of[i] < b.of[i] ? a.of[i] : b.of[i]); }
/* a * b + c, and c - a * b */
OGK_INLINE lanes lanes_fma(lanes a, lanes b, lanes c) { OGK_EACH(ogk_fma(a.of[i], b.of[i], c.of[i])); }
OGK_INLINE lanes lanes_fnma(lanes a, lanes b, lanes c) { OGK_EACH(ogk_fma(-a.of[i], b.of[i], c.of[i])); }
/* the first `count` lanes of a, the others of b */
OGK_INLINE lanes lanes_first_of(uint32_t count, lanes a, lanes b) { OGK_EACH((uint32_t)i < count ? a.of[i] : b.of[i]); }

/* p times 2 to the integer in shifted; 0 where x is below OGK_EXP2_LEAST */
OGK_INLINE lanes lanes_scale(lanes p, lanes shifted, lanes x)
{
    OGK_EACH(x.of[i] < OGK_EXP2_LEAST ? 0.0f : ogk_from_bits(ogk_bits(p.of[i]) + ((ogk_bits(shifted.of[i]) - ogk_bits(OGK_ROUNDER)) << 23)));
}

OGK_INLINE void lanes_store(float *to, lanes a)
{
    for (int i = 0; i < 16; i++) to[i] = a.of[i];
}

OGK_INLINE void lanes_store_half(uint16_t *to, lanes a)
{
    for (int i = 0; i < 16; i++) to[i] = ogk_to_fp16(a.of[i]);
}

OGK_INLINE float lanes_first(lanes a)
{
    return a.of[0];
}

/* Halves onto halves: 8, 4, 2, 1. */
OGK_INLINE float lanes_sum(lanes a)
{
    for (int width = 8; width > 0; width /= 2)
        for (int i = 0; i < width; i++) a.of[i] = a.of[i] + a.of[i + width];
    return a.of[0];
}

OGK_INLINE float lanes_most(lanes a)
{
    for (int width = 8; width > 0; width /= 2)
        for (int i = 0; i < width; i++) a.of[i] = a.of[i] > a.of[i + width] ? a.of[i] : a.of[i + width];
    return a.of[0];
}

#undef OGK_EACH
#endif
