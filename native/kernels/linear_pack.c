/* Packing runs once per model, in plain C: what a matrix becomes does not depend on the machine that packs it. */
#include <string.h>

#include "isa.h"
#include "linear_kernels.h"
#include "linear_numbers.h"

static const uint32_t infinity_bits = 0x7f800000u;
static const float round_to_integer = 0x1.8p23f; /* adding it leaves the nearest even integer in the low bits */

/* 32 weights of one output as fp32. */
static void load_group(uint32_t type, const void *weights, size_t at, float *group)
{
    if (type == OGK_TYPE_F32) {
        memcpy(group, (const uint8_t *)weights + at * sizeof(float), OGK_GROUP * sizeof(float));
        return;
    }
    uint16_t halves[OGK_GROUP];
    memcpy(halves, (const uint8_t *)weights + at * sizeof halves[0], sizeof halves);
    if (type == OGK_TYPE_BF16)
        for (uint32_t k = 0; k < OGK_GROUP; k++) group[k] = ogk_from_bf16(halves[k]);
    else
        for (uint32_t k = 0; k < OGK_GROUP; k++) group[k] = ogk_from_fp16(halves[k]);
}

/* The weight farthest from zero, the first of several. A NaN is farthest. */
static float farthest(const float *group)
{
    uint32_t most = 0;
    for (uint32_t k = 0; k < OGK_GROUP; k++) {
        uint32_t magnitude = ogk_bits(group[k]) & 0x7fffffffu;
        most = magnitude > most ? magnitude : most;
    }
    for (uint32_t k = 0; k < OGK_GROUP; k++)
        if ((ogk_bits(group[k]) & 0x7fffffffu) == most) return group[k];
    return 0;
}

/* Rounds a group to integers and gives its scale as fp16. */
static uint16_t quantize(const float *group, float divisor, int32_t least, int32_t most, int8_t *quants)
{
    float extreme = farthest(group);
    memset(quants, 0, OGK_GROUP);
    if ((ogk_bits(extreme) & 0x7fffffffu) >= infinity_bits) return 0x7e00u;
    if (divisor > 0) extreme = ogk_from_bits(ogk_bits(extreme) & 0x7fffffffu);
    uint16_t half = ogk_to_fp16(extreme / divisor);
    float scale = ogk_from_fp16(half);
    if (scale == 0) return 0;
    float inverse = 1 / scale;
    for (uint32_t k = 0; k < OGK_GROUP; k++) {
        float scaled = group[k] * inverse; /* beyond the range only where the scale was: then the clamp below decides */
        scaled = scaled < -256 ? -256 : scaled > 256 ? 256 : scaled;
        int32_t quant = (int32_t)(ogk_bits(scaled + round_to_integer) - ogk_bits(round_to_integer));
        quants[k] = (int8_t)(quant < least ? least : quant > most ? most : quant);
    }
    return half;
}

static void pack_bf16(const float *group, uint32_t output, uint8_t *block)
{
    for (uint32_t i = 0; i < OGK_GROUP / 2; i++) {
        uint16_t pair[2] = {ogk_to_bf16(group[2 * i]), ogk_to_bf16(group[2 * i + 1])};
        memcpy(block + 64 * i + 4 * output, pair, sizeof pair);
    }
}

static void pack_int8(const int8_t *quants, uint32_t output, uint8_t *block)
{
    for (uint32_t j = 0; j < 8; j++) memcpy(block + 64 * j + 4 * output, quants + 4 * j, 4);
}

static void pack_int4(const int8_t *quants, uint32_t output, uint8_t *block)
{
    for (uint32_t j = 0; j < 4; j++)
        for (uint32_t i = 0; i < 4; i++) {
            uint32_t low = (uint32_t)(quants[8 * j + i] + OGK_INT4_BIAS), high = (uint32_t)(quants[8 * j + 4 + i] + OGK_INT4_BIAS);
            block[64 * j + 4 * output + i] = (uint8_t)(low | high << 4);
        }
}

void ogk_linear_pack(uint32_t scheme, uint32_t out, uint32_t in, uint32_t type, const void *weights, uint32_t from, uint32_t to,
                     void *packed)
{
    size_t size = ogk_linear_panel_size(scheme, in), group_size = scheme == OGK_INT8 ? OGK_INT8_GROUP : OGK_INT4_GROUP;
    uint32_t state = ogk_float_enter();
    for (uint32_t panel = from; panel < to; panel++) {
        uint8_t *target = (uint8_t *)packed + panel * size;
        memset(target, 0, size);
        for (uint32_t output = 0; output < ogk_linear_width(out, panel); output++)
            for (uint32_t g = 0; g < in / OGK_GROUP; g++) {
                float group[OGK_GROUP];
                int8_t quants[OGK_GROUP];
                load_group(type, weights, ((size_t)panel * OGK_PANEL + output) * in + (size_t)g * OGK_GROUP, group);
                if (scheme == OGK_BF16) {
                    pack_bf16(group, output, target + (size_t)g * 1024);
                    continue;
                }
                uint8_t *pair = target + g / 2 * (2 * group_size + OGK_SCALES), *block = pair + g % 2 * group_size;
                uint16_t scale = scheme == OGK_INT8 ? quantize(group, 127, -127, 127, quants) : quantize(group, -8, -8, 7, quants);
                memcpy(pair + 2 * group_size + g % 2 * 32 + 2 * output, &scale, sizeof scale);
                if (scheme == OGK_INT8)
                    pack_int8(quants, output, block);
                else
                    pack_int4(quants, output, block);
            }
    }
    ogk_float_leave(state);
}

void ogk_linear_row(uint32_t scheme, uint32_t in, const void *packed, uint32_t row, float *x)
{
    const uint8_t *panel = (const uint8_t *)packed + row / OGK_PANEL * ogk_linear_panel_size(scheme, in);
    uint32_t output = row % OGK_PANEL;
    size_t group_size = scheme == OGK_INT8 ? OGK_INT8_GROUP : OGK_INT4_GROUP;
    uint32_t state = ogk_float_enter();
    for (uint32_t g = 0; g < in / OGK_GROUP; g++, x += OGK_GROUP) {
        if (scheme == OGK_BF16) {
            for (uint32_t k = 0; k < OGK_GROUP; k++) {
                uint16_t weight;
                memcpy(&weight, panel + (size_t)g * 1024 + k / 2 * 64 + 4 * output + k % 2 * 2, sizeof weight);
                x[k] = ogk_from_bf16(weight);
            }
            continue;
        }
        const uint8_t *pair = panel + g / 2 * (2 * group_size + OGK_SCALES), *block = pair + g % 2 * group_size;
        uint16_t half;
        memcpy(&half, pair + 2 * group_size + g % 2 * 32 + 2 * output, sizeof half);
        float scale = ogk_from_fp16(half);
        for (uint32_t k = 0; k < OGK_GROUP; k++)
            if (scheme == OGK_INT8)
                x[k] = (float)(int8_t)block[k / 4 * 64 + 4 * output + k % 4] * scale;
            else
                x[k] = (float)((block[k / 8 * 64 + 4 * output + k % 4] >> (k & 4) & 15) - OGK_INT4_BIAS) * scale;
    }
    ogk_float_leave(state);
}
