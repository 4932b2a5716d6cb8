/* A loaded model: who owns what. Everything is made by ogk_model_create and changes only in set and step. */
#ifndef OGK_MODEL_H
#define OGK_MODEL_H

#include <stdatomic.h>

#include "config.h"
#include "forward.h"
#include "ops.h"
#include "pool.h"

typedef struct ogk_matrix {
    uint32_t out, in;
    uint8_t *packed;
} ogk_matrix;

typedef struct ogk_layer {
    ogk_matrix qkv, out, gate_up, down;   /* queries, keys, values are one matrix; gate and up another */
    float *vectors;                       /* holds those below */
    float *attention_norm, *mlp_norm;
    float *qkv_bias, *out_bias;           /* null where the configuration has none */
    float *q_norm, *k_norm;
    uint16_t *keys, *values;              /* [kv_heads][pages][page_tokens][head_dim] fp16; keys of 16 tokens interleaved */
    uint32_t given;                       /* tensors set so far, a bit each (tensors.c) */
} ogk_layer;

typedef struct ogk_work {
    float *x;                             /* [rows][hidden]: the residual stream */
    float *delta;                         /* [rows][hidden]: what the last matrix adds to it, then the normed rows */
    float *qkv, *attention, *gates, *cosines, *sines;
    void *prepared;
    ogk_place *places;
    ogk_task *tasks;
    float *scratch;                       /* one piece per thread, claimed by flag */
    atomic_flag claimed[256];
} ogk_work;

struct ogk_model {
    ogk_config config;                    /* isa resolved */
    ogk_sizes sizes;
    const ogk_ops *ops;
    ogk_pool *pool;
    ogk_layer *layers;
    ogk_matrix head;
    uint16_t *embedding;                  /* bf16 rows; null where it is tied */
    float *norm;
    float frequencies[OGK_HEAD_DIM_MOST / 2];
    ogk_work work;
    uint32_t given;
    int finished;
};

#endif
