/* The definition in linear.h, step by step. It is the reference of the tests, and what processors without AVX2 run. */
#include "isa.h"
#include "linear_kernels.h"
#include "linear_numbers.h"

#include <string.h>

static void round_row(uint32_t in, const float *x, void *values, size_t step)
{
    float *target = values;
    for (uint32_t block = 0; block < in / OGK_GROUP; block++, x += OGK_GROUP, target += step)
        for (uint32_t k = 0; k < OGK_GROUP; k++) target[k] = ogk_from_bf16(ogk_to_bf16(x[k]));
}

static void quantize_row(uint32_t in, const float *x, const ogk_linear_quants *target)
{
    for (uint32_t g = 0; g < in / OGK_GROUP; g++, x += OGK_GROUP) {
        int8_t *values = target->values + g * target->value_step;
        float extreme = 0, scale = 0;
        int32_t sum = 0;
        for (uint32_t k = 0; k < OGK_GROUP; k++) {
            uint32_t magnitude = ogk_bits(x[k]) & 0x7fffffffu;
            if (magnitude > ogk_bits(extreme)) extreme = ogk_from_bits(magnitude);
        }
        memset(values, 0, OGK_GROUP);
        if (ogk_bits(extreme) >= 0x7f800000u) {
            scale = ogk_from_bits(0x7fc00000u);
        } else if (extreme >= 0x1p-100f) {
            scale = extreme / 127;
            float inverse = 127 / extreme;
            for (uint32_t k = 0; k < OGK_GROUP; k++) {
                int32_t quant = _mm_cvtss_si32(_mm_set_ss(x[k] * inverse));
                values[k] = (int8_t)quant;
                sum += quant;
            }
        }
        target->scales[g * target->step] = scale;
        target->sums[g * target->step] = -target->bias * sum;
    }
}

static void run_bf16(const ogk_linear_job *job)
{
    for (uint32_t row = 0; row < job->rows; row++) {
        uint32_t block = row / OGK_ROWS, m = ogk_linear_block_rows(job->rows, block);
        const float *x = (const float *)(const void *)job->values + (size_t)block * OGK_ROWS * job->in + row % OGK_ROWS * OGK_GROUP;
        for (uint32_t output = job->from * OGK_PANEL; output < job->to * OGK_PANEL && output < job->out; output++) {
            const uint8_t *w = job->packed + output / OGK_PANEL * ogk_linear_panel_size(OGK_BF16, job->in) + output % OGK_PANEL * 4;
            float y = 0;
            for (uint32_t b = 0; b < job->in / OGK_GROUP; b++) {
                const float *values = x + (size_t)b * m * OGK_GROUP;
                float even = 0, odd = 0;
                for (uint32_t i = 0; i < OGK_GROUP / 2; i++) {
                    uint16_t pair[2];
                    memcpy(pair, w + (size_t)b * 1024 + 64 * i, sizeof pair);
                    even = ogk_fma(values[2 * i], ogk_from_bf16(pair[0]), even);
                    odd = ogk_fma(values[2 * i + 1], ogk_from_bf16(pair[1]), odd);
                }
                y = y + (even + odd);
            }
            job->y[row * job->stride + output] = y;
        }
    }
}

static int32_t weight(uint32_t scheme, const uint8_t *block, uint32_t k)
{
    if (scheme == OGK_INT8) return (int8_t)block[k / 4 * 64 + k % 4];
    return (block[k / 8 * 64 + k % 4] >> (k & 4) & 15) - OGK_INT4_BIAS;
}

static void run_integers(uint32_t scheme, const ogk_linear_job *job)
{
    size_t group_size = scheme == OGK_INT8 ? OGK_INT8_GROUP : OGK_INT4_GROUP;
    uint32_t groups = job->in / OGK_GROUP;
    for (uint32_t row = 0; row < job->rows; row++) {
        uint32_t block = row / OGK_ROWS, m = ogk_linear_block_rows(job->rows, block);
        const int8_t *x = (const int8_t *)job->values + (size_t)block * OGK_ROWS * job->in + row % OGK_ROWS * OGK_GROUP;
        const float *x_scales = job->scales + (size_t)block * OGK_ROWS * groups + row % OGK_ROWS;
        for (uint32_t output = job->from * OGK_PANEL; output < job->to * OGK_PANEL && output < job->out; output++) {
            const uint8_t *panel = job->packed + output / OGK_PANEL * ogk_linear_panel_size(scheme, job->in);
            float y = 0;
            for (uint32_t g = 0; g < groups; g++) {
                const uint8_t *pair = panel + g / 2 * (2 * group_size + OGK_SCALES);
                const uint8_t *quants = pair + g % 2 * group_size + output % OGK_PANEL * 4;
                int32_t sum = 0;
                for (uint32_t k = 0; k < OGK_GROUP; k++) sum += x[(size_t)g * m * OGK_GROUP + k] * weight(scheme, quants, k);
                uint16_t half;
                memcpy(&half, pair + 2 * group_size + g % 2 * 32 + output % OGK_PANEL * 2, sizeof half);
                y = ogk_fma((float)sum, ogk_from_fp16(half) * x_scales[(size_t)g * m], y);
            }
            job->y[row * job->stride + output] = y;
        }
    }
}

static void run_int8(const ogk_linear_job *job)
{
    run_integers(OGK_INT8, job);
}

static void run_int4(const ogk_linear_job *job)
{
    run_integers(OGK_INT4, job);
}

const ogk_linear_kernels ogk_linear_scalar = {round_row, quantize_row, run_bf16, run_int8, run_int4, sizeof(float)};
