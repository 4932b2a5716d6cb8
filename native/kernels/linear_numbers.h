/* Numbers as linear layers hold them. All of it runs in the floating-point state of isa.h. */
#ifndef OGK_LINEAR_NUMBERS_H
#define OGK_LINEAR_NUMBERS_H

#include <stdint.h>
#include <string.h>

static inline uint32_t ogk_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float ogk_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float ogk_from_bf16(uint16_t value)
{
    return ogk_from_bits((uint32_t)value << 16);
}

/* Nearest even; a NaN stays one. */
static inline uint16_t ogk_to_bf16(float value)
{
    uint32_t bits = ogk_bits(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline float ogk_from_fp16(uint16_t value)
{
    uint32_t sign = (uint32_t)(value & 0x8000u) << 16, magnitude = value & 0x7fffu;
    if (magnitude >= 0x7c00u) return ogk_from_bits(sign | 0x7f800000u | magnitude << 13);
    if (magnitude >= 0x0400u) return ogk_from_bits(sign | ((magnitude << 13) + 0x38000000u));
    return ogk_from_bits(sign | ogk_bits((float)magnitude * 0x1p-24f));
}

/* Nearest even; finite values beyond fp16 become its largest; a NaN stays one. */
static inline uint16_t ogk_to_fp16(float value)
{
    uint32_t bits = ogk_bits(value), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude >= 0x7f800000u) return (uint16_t)(sign | (magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u));
    if (magnitude >= 0x477fe000u) return (uint16_t)(sign | 0x7bffu);
    if (magnitude >= 0x38800000u) {
        uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
        return (uint16_t)(sign | (rounded - 0x38000000u) >> 13);
    }
    /* 2^-24 is fp16's smallest step: adding 1.5 * 2^23 of them rounds to whole steps */
    float steps = ogk_from_bits(magnitude) * 0x1p24f + 0x1.8p23f;
    return (uint16_t)(sign | (ogk_bits(steps) - 0x4b400000u));
}

/*
 * fma of fp32 for processors without it. The product of two fp32 is exact in fp64. The sum is rounded to odd (towards the
 * neighbour whose last bit is set, unless it is exact), which makes the second rounding, to fp32, the only one that counts
 * (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
 */
static inline float ogk_fma(float a, float b, float c)
{
    double product = (double)a * (double)b, addend = (double)c, sum = product + addend;
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    if ((bits >> 52 & 0x7ffu) == 0x7ffu || (bits & 1u) != 0) return (float)sum;
    double part = sum - product, rest = (product - (sum - part)) + (addend - part); /* exactly what rounding took away */
    if (rest == 0) return (float)sum;
    bits += (rest > 0) == (sum > 0) ? 1u : (uint64_t)-1;
    memcpy(&sum, &bits, sizeof sum);
    return (float)sum;
}

#endif
