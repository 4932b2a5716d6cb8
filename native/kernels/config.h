/* What a configuration allows, and what it will hold. */
#ifndef OGK_CONFIG_H
#define OGK_CONFIG_H

#include "og_kernels.h"

/* Bytes of a model's pieces. Nothing overflows in a configuration that ogk_config_check accepted and ogk_config_sizes counted. */
typedef struct ogk_sizes {
    uint64_t qkv, out, gate_up, down;     /* packed matrices of one layer; gate_up is twice the size of gate */
    uint64_t head, embedding;             /* packed output matrix; input embedding of bf16 rows, 0 where it is tied */
    uint64_t vectors;                     /* one layer's norms and biases */
    uint64_t cached;                      /* keys of one layer; values are as many */
    uint64_t hidden_rows, qkv_rows, attention_rows, gate_rows, prepared, angle_rows, row_places, tasks, scratch; /* work space */
    uint64_t weights, cache, work;        /* sums */
} ogk_sizes;

/* Query width and the widths of keys and of values. */
static inline uint32_t ogk_query_width(const ogk_config *config)
{
    return config->heads * config->head_dim;
}

static inline uint32_t ogk_key_width(const ogk_config *config)
{
    return config->kv_heads * config->head_dim;
}

/* Whether the output of attention has a bias: Hugging Face's flag covers it except in Qwen2. */
static inline int ogk_has_output_bias(const ogk_config *config)
{
    return config->attention_bias != 0 && config->architecture != OGK_ARCH_QWEN2;
}

/* Names the first field that cannot be. */
ogk_status ogk_config_check(const ogk_config *config, ogk_error *error);

/* Of a configuration that was checked. */
ogk_status ogk_config_sizes(const ogk_config *config, ogk_sizes *sizes, ogk_error *error);

#endif
