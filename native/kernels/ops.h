/*
 * What a layer does besides its matrices, for one instruction set. Each function computes one row, or one head's share of
 * it, in an order that depends on its arguments' sizes alone; all tables give the same bits.
 */
#ifndef OGK_OPS_H
#define OGK_OPS_H

#include <stddef.h>
#include <stdint.h>

#define OGK_KEYS_BLOCK 16u   /* tokens whose keys are interleaved: [head_dim][16]; a page is a whole number of blocks */
#define OGK_SEGMENT 512u     /* keys that share one softmax; segments are counted from position 0 and merged in order */
#define OGK_TASK_ROWS 128u   /* most (token, head) rows of one attention task */
#define OGK_HEAD_DIM_MOST 256u

/* One token's queries, keys and values, as they leave their matrix. */
typedef struct ogk_rope_row {
    float *qkv;                           /* [heads + 2 * kv_heads][head_dim]; queries are rewritten, the rest is scratch */
    const float *bias;                    /* the same shape, or null */
    const float *q_norm, *k_norm;         /* [head_dim], or null */
    const float *cosines, *sines;         /* [head_dim / 2] of the token's position */
    uint32_t heads, kv_heads, head_dim;
    float epsilon, scale;                 /* scale multiplies the queries */
    uint16_t *keys, *values;              /* first kv head's place in the cache: element 0 of this token */
    size_t head_stride;                   /* from one kv head's place to the next, in elements */
} ogk_rope_row;

/* Queries of consecutive tokens of one sequence, for query heads that share one kv head. */
typedef struct ogk_attention {
    const float *queries;                 /* head 0 of the first token; scaled by log2(e) / sqrt(head_dim) */
    float *out;
    size_t queries_stride, out_stride;    /* from token to token; heads follow each other by head_dim */
    const uint16_t *keys, *values;        /* of the kv head: [pages][page_tokens][head_dim] elements each */
    const int32_t *pages;
    uint32_t page_tokens, head_dim;
    uint32_t start, tokens, heads;        /* tokens * heads is at most OGK_TASK_ROWS */
    float *scratch;                       /* ogk_attention_scratch(head_dim) floats */
} ogk_attention;

typedef struct ogk_ops {
    /* x += delta (+ bias) where there is a delta; y = x / rms(x) * weight. y may be delta. */
    void (*add_norm)(uint32_t n, float *x, const float *delta, const float *bias, const float *weight, float epsilon, float *y);
    /* gate = silu(gate) * up; n is a multiple of 16 */
    void (*silu_multiply)(uint32_t n, float *gate, const float *up);
    void (*rope_row)(const ogk_rope_row *row);
    void (*attend)(const ogk_attention *task);
    void (*exp2)(uint32_t n, float *x); /* for tests; n is a multiple of 16 */
} ogk_ops;

extern const ogk_ops ogk_ops_scalar;
#if defined(__x86_64__)
extern const ogk_ops ogk_ops_avx2, ogk_ops_avx512;
#endif

/* The table of an instruction set that this machine has. */
const ogk_ops *ogk_ops_of(uint32_t isa);

/* Floats of scratch memory of one attention task. */
size_t ogk_attention_scratch(uint32_t head_dim);

#endif
