/*
 * Everything here is sums and products of doubles, so that a table never depends on a mathematical library: a model's bits
 * would change with the system's.
 */
#include "rope.h"

#include <string.h>

#define LN2 0x1.62e42fefa39efp-1
#define LOG2_E 0x1.71547652b82fep+0
#define HALF_PI 0x1.921fb54442d18p+0
/* pi / 2 in three parts, the first two short enough that a quadrant's number times them is exact. */
#define HALF_PI_HIGH 0x1.921fb54000000p+0
#define HALF_PI_MIDDLE 0x1.10b4611000000p-30
#define HALF_PI_LOW 0x1.4c4c6628b80dcp-59
#define TWO_PI 0x1.921fb54442d18p+2
#define ROUNDER 6755399441055744.0 /* leaves the nearest integer in the low bits of the mantissa */

/* log2 of a normal positive number. */
static double log2_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int64_t exponent = (int64_t)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffu) | (uint64_t)1023 << 52;
    double mantissa;
    memcpy(&mantissa, &bits, sizeof mantissa);
    if (mantissa > 1.4142135623730951) {
        mantissa *= 0.5;
        exponent++;
    }
    double s = (mantissa - 1.0) / (mantissa + 1.0), square = s * s, sum = 0.0;
    for (int n = 23; n > 0; n -= 2) sum = sum * square + 1.0 / n;
    return (double)exponent + 2.0 * s * sum * LOG2_E;
}

/* 2^x for |x| at most 1000. */
static double exp2_of(double x)
{
    double whole = (x + ROUNDER) - ROUNDER, f = (x - whole) * LN2, sum = 1.0;
    for (int n = 18; n > 0; n--) sum = sum * f / n + 1.0;
    uint64_t bits = (uint64_t)((int64_t)whole + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

/* Llama 3: long waves are slowed by the factor, short ones kept, those between blended. */
static double llama3(const ogk_config *config, double frequency)
{
    double original = config->rope_original_context, low = config->rope_low_frequency, high = config->rope_high_frequency;
    double wave = TWO_PI / frequency, slowed = frequency / (double)config->rope_factor;
    if (wave < original / high) return frequency;
    if (wave > original / low) return slowed;
    double smooth = (original / wave - low) / (high - low);
    return (1.0 - smooth) * slowed + smooth * frequency;
}

void ogk_rope_frequencies(const ogk_config *config, float *frequencies)
{
    double log_theta = log2_of((double)config->rope_theta);
    for (uint32_t i = 0; i < config->head_dim / 2; i++) {
        double frequency = exp2_of(-log_theta * (2.0 * i) / config->head_dim);
        if (config->rope_kind == OGK_ROPE_LINEAR) frequency /= (double)config->rope_factor;
        if (config->rope_kind == OGK_ROPE_LLAMA3) frequency = llama3(config, frequency);
        frequencies[i] = (float)frequency;
    }
}

/* Taylor's series to below 1e-16, for |x| at most pi / 4. */
static double sine_of(double x)
{
    static const double terms[] = {1.0 / 355687428096000.0, -1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0,
                                   1.0 / 362880.0, -1.0 / 5040.0, 1.0 / 120.0, -1.0 / 6.0, 1.0};
    double square = x * x, sum = 0.0;
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) sum = sum * square + terms[i];
    return sum * x;
}

static double cosine_of(double x)
{
    static const double terms[] = {1.0 / 20922789888000.0, -1.0 / 87178291200.0, 1.0 / 479001600.0, -1.0 / 3628800.0,
                                   1.0 / 40320.0, -1.0 / 720.0, 1.0 / 24.0, -1.0 / 2.0, 1.0};
    double square = x * x, sum = 0.0;
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) sum = sum * square + terms[i];
    return sum;
}

void ogk_rope_angles(const float *frequencies, uint32_t count, uint32_t position, float *cosines, float *sines)
{
    for (uint32_t i = 0; i < count; i++) {
        double angle = (double)position * (double)frequencies[i];
        double quarter = (angle / HALF_PI + ROUNDER) - ROUNDER;
        double rest = ((angle - quarter * HALF_PI_HIGH) - quarter * HALF_PI_MIDDLE) - quarter * HALF_PI_LOW;
        double sine = sine_of(rest), cosine = cosine_of(rest);
        int64_t quadrant = (int64_t)quarter & 3;
        double c = (quadrant & 1) != 0 ? sine : cosine, s = (quadrant & 1) != 0 ? cosine : sine;
        cosines[i] = (float)(quadrant == 1 || quadrant == 2 ? -c : c);
        sines[i] = (float)(quadrant >= 2 ? -s : s);
    }
}
