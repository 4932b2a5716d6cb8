/*
 * Sixteen floats and what the kernels do with them, three times: portable C (the definition), AVX2 with FMA and F16C, and
 * AVX-512. The including file says which by OGK_LANES. Every operation gives the same bits in all three: each is one
 * rounding of IEEE 754 per lane, and the folds add in one order.
 */
#ifndef OGK_LANES_H
#define OGK_LANES_H

#include "linear_numbers.h"

#define OGK_WIDTH 16u
#ifdef __SANITIZE_ADDRESS__ /* tiles that are unrolled and instrumented take minutes to compile */
#define OGK_INLINE static inline __attribute__((unused))
#else
#define OGK_INLINE static inline __attribute__((always_inline, unused))
#endif

/* Above it 2^x is infinite; below it results are taken for zero, so that no denormal is made. */
#define OGK_EXP2_MOST 127.0f
#define OGK_EXP2_LEAST (-125.0f)
/* Adding it leaves the nearest integer in the low bits of the mantissa. */
#define OGK_ROUNDER 12582912.0f

#if OGK_LANES == 1
#include "lanes_scalar.h"
#elif OGK_LANES == 2
#include "lanes_avx2.h"
#elif OGK_LANES == 3
#include "lanes_avx512.h"
#else
#error "OGK_LANES is 1 (portable), 2 (AVX2) or 3 (AVX-512)"
#endif

/* 2^x within 1e-8 of it; 0 below OGK_EXP2_LEAST. The polynomial is the best of its degree for (2^f - 1) / f. */
OGK_INLINE lanes lanes_exp2(lanes x)
{
    x = lanes_min(x, lanes_set(OGK_EXP2_MOST));
    lanes shifted = lanes_add(x, lanes_set(OGK_ROUNDER));
    lanes f = lanes_sub(x, lanes_sub(shifted, lanes_set(OGK_ROUNDER)));
    lanes p = lanes_set(0.00015453163359779865f);
    p = lanes_fma(p, f, lanes_set(0.0013390863314270973f));
    p = lanes_fma(p, f, lanes_set(0.009618083015084267f));
    p = lanes_fma(p, f, lanes_set(0.055503569543361664f));
    p = lanes_fma(p, f, lanes_set(0.24022650718688965f));
    p = lanes_fma(p, f, lanes_set(0.6931471824645996f));
    p = lanes_fma(p, f, lanes_set(1.0f));
    return lanes_scale(p, shifted, x);
}

/* x / (1 + e^-x) */
OGK_INLINE lanes lanes_silu(lanes x)
{
    lanes e = lanes_exp2(lanes_mul(x, lanes_set(-1.44269504f)));
    return lanes_div(x, lanes_add(lanes_set(1.0f), e));
}

OGK_INLINE float lanes_exp2_one(float x)
{
    return lanes_first(lanes_exp2(lanes_set(x)));
}

#endif
