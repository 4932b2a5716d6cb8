/* The layouts that the files of linear layers share, and what each instruction set provides. */
#ifndef OGK_LINEAR_KERNELS_H
#define OGK_LINEAR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "linear.h"
#include "og_kernels.h"

/*
 * PACKED        A panel holds 16 outputs o and all inputs k.
 *   bf16        [in / 2][16 o][2 k]: 64 bytes are two inputs of 16 outputs; 16 of those are a tile of AMX.
 *   int8, int4  Pairs of groups, then both groups' scales, so that every part begins at a multiple of 64 bytes. The
 *               second half of an odd last pair is not used.
 *     int8      [2][8][16 o][4 k] signed, [2][16 o] fp16: what VNNI and AMX take.
 *     int4      [2][4][16 o][4 bytes], [2][16 o] fp16: byte i of row j holds k = 8j + i in its low half and 8j + 4 + i in
 *               its high half, plus 8.
 *
 * PREPARED      Rows in blocks of 16, of which the last has m = rows mod 16; within a block as tiles take it:
 *   bf16        [in / 32][m][32]: bf16 for tiles ("narrow"), fp32 with a bf16 value for all others ("wide").
 *   int8, int4  [in / 32][m][32] signed bytes; after all blocks: scales [in / 32][m] fp32 of each block; then -bias times
 *               the sum of each group's values, [in / 32][m] int32: unsigned weights (weight + bias) need it.
 *   So one row alone lies as plain rows do.
 */
enum {
    OGK_ROWS = 16, /* rows of a block */
    OGK_INT8_GROUP = 512,
    OGK_INT4_GROUP = 256,
    OGK_SCALES = 64, /* bytes of a pair's scales */
    OGK_INT8_PAIR = 2 * OGK_INT8_GROUP + OGK_SCALES,
    OGK_INT4_PAIR = 2 * OGK_INT4_GROUP + OGK_SCALES,
    OGK_INT8_BIAS = 128,
    OGK_INT4_BIAS = 8
};

static inline size_t ogk_linear_panel_size(uint32_t scheme, uint32_t in)
{
    size_t pairs = ((size_t)in / OGK_GROUP + 1) / 2;
    return scheme == OGK_BF16 ? (size_t)in * 32 : pairs * (scheme == OGK_INT8 ? OGK_INT8_PAIR : OGK_INT4_PAIR);
}

static inline uint32_t ogk_linear_panels(uint32_t out)
{
    return out / OGK_PANEL + (out % OGK_PANEL != 0);
}

/* Outputs of a panel that exist. */
static inline uint32_t ogk_linear_width(uint32_t out, uint32_t panel)
{
    uint32_t left = out - panel * OGK_PANEL;
    return left < OGK_PANEL ? left : OGK_PANEL;
}

/* Rows of block `block` that exist. */
static inline uint32_t ogk_linear_block_rows(uint32_t rows, uint32_t block)
{
    uint32_t left = rows - block * OGK_ROWS;
    return left < OGK_ROWS ? left : OGK_ROWS;
}

/* One call of ogk_linear_run. */
typedef struct ogk_linear_job {
    uint32_t rows, out, in, from, to;
    const uint8_t *packed;
    const uint8_t *values;  /* the prepared input's three parts; bf16 has only the first */
    const float *scales;
    const int32_t *sums;
    float *y;
    size_t stride;
} ogk_linear_job;

/* Where one quantized row goes. */
typedef struct ogk_linear_quants {
    int8_t *values;    /* of group g at g * value_step */
    size_t value_step;
    float *scales;     /* of group g at g * step */
    int32_t *sums;
    size_t step;
    int32_t bias;
} ogk_linear_quants;

/* What an instruction set provides. Runs come with the floating-point state set. */
typedef struct ogk_linear_kernels {
    void (*round)(uint32_t in, const float *x, void *values, size_t step); /* step: elements between blocks of 32 inputs */
    void (*quantize)(uint32_t in, const float *x, const ogk_linear_quants *target);
    void (*bf16)(const ogk_linear_job *job);
    void (*int8)(const ogk_linear_job *job);
    void (*int4)(const ogk_linear_job *job);
    size_t bf16_size; /* bytes of a value that `round` writes */
} ogk_linear_kernels;

extern const ogk_linear_kernels ogk_linear_scalar, ogk_linear_avx2, ogk_linear_avx512, ogk_linear_amx;

/* What tiles quantize with, too. */
void ogk_linear_quantize_avx512(uint32_t in, const float *x, const ogk_linear_quants *target);

#define OGK_INLINE static inline __attribute__((always_inline))

#endif
