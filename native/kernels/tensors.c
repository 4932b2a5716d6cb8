#include "tensors.h"

#include <string.h>

#include "error.h"
#include "linear.h"

enum { names_length = 160 };

/* Bits of ogk_model.given. */
enum { top_embedding, top_norm, top_head, top_count };

/* Bits of ogk_layer.given. */
enum {
    input_norm, post_norm, q_weight, k_weight, v_weight, o_weight, gate_weight, up_weight, down_weight,
    q_bias, k_bias, v_bias, o_bias, q_norm, k_norm, layer_count
};

static const char *const top_names[top_count] = {"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"};

static const char *const layer_names[layer_count] = {
    "input_layernorm.weight", "post_attention_layernorm.weight", "self_attn.q_proj.weight", "self_attn.k_proj.weight",
    "self_attn.v_proj.weight", "self_attn.o_proj.weight", "mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight",
    "self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias", "self_attn.o_proj.bias",
    "self_attn.q_norm.weight", "self_attn.k_norm.weight"};

static const char layer_prefix[] = "model.layers.";

static uint32_t layer_needs(const ogk_config *config)
{
    uint32_t needs = (1u << q_bias) - 1;
    if (config->attention_bias != 0) needs |= 1u << q_bias | 1u << k_bias | 1u << v_bias;
    if (ogk_has_output_bias(config)) needs |= 1u << o_bias;
    if (config->architecture == OGK_ARCH_QWEN3) needs |= 1u << q_norm | 1u << k_norm;
    return needs;
}

static uint32_t top_needs(const ogk_config *config)
{
    return config->tied_embeddings != 0 ? 1u << top_embedding | 1u << top_norm : (1u << top_count) - 1;
}

static ogk_slot vector_slot(float *vector, uint32_t size)
{
    return (ogk_slot){.rows = size, .vector = vector};
}

static ogk_slot matrix_slot(ogk_matrix *matrix, uint32_t first_row, uint32_t rows)
{
    return (ogk_slot){.rows = rows, .columns = matrix->in, .matrix = matrix, .first_panel = first_row / OGK_PANEL};
}

static ogk_slot layer_slot(const ogk_config *c, ogk_layer *layer, uint32_t tensor)
{
    uint32_t queries = ogk_query_width(c), keys = ogk_key_width(c);
    switch (tensor) {
    case input_norm: return vector_slot(layer->attention_norm, c->hidden);
    case post_norm: return vector_slot(layer->mlp_norm, c->hidden);
    case q_weight: return matrix_slot(&layer->qkv, 0, queries);
    case k_weight: return matrix_slot(&layer->qkv, queries, keys);
    case v_weight: return matrix_slot(&layer->qkv, queries + keys, keys);
    case o_weight: return matrix_slot(&layer->out, 0, c->hidden);
    case gate_weight: return matrix_slot(&layer->gate_up, 0, c->intermediate);
    case up_weight: return matrix_slot(&layer->gate_up, c->intermediate, c->intermediate);
    case down_weight: return matrix_slot(&layer->down, 0, c->hidden);
    case q_bias: return vector_slot(layer->qkv_bias, queries);
    case k_bias: return vector_slot(layer->qkv_bias + queries, keys);
    case v_bias: return vector_slot(layer->qkv_bias + queries + keys, keys);
    case o_bias: return vector_slot(layer->out_bias, c->hidden);
    case q_norm: return vector_slot(layer->q_norm, c->head_dim);
    default: return vector_slot(layer->k_norm, c->head_dim);
    }
}

static ogk_slot top_slot(ogk_model *model, uint32_t tensor)
{
    const ogk_config *c = &model->config;
    if (tensor == top_norm) return vector_slot(model->norm, c->hidden);
    if (tensor == top_head || c->tied_embeddings != 0) return matrix_slot(&model->head, 0, c->vocabulary);
    return (ogk_slot){.rows = c->vocabulary, .columns = c->hidden, .embedding = model->embedding};
}

static uint32_t find_name(const char *const *names, uint32_t count, const char *name)
{
    uint32_t i = 0;
    while (i < count && strcmp(names[i], name) != 0) i++;
    return i;
}

/* Reads "7." and gives what follows, or null. No sign, no leading zero, below the number of layers. */
static const char *parse_layer(const char *text, uint32_t layers, uint32_t *layer)
{
    uint32_t value = 0, digits = 0;
    for (; *text >= '0' && *text <= '9'; text++, digits++) {
        value = value * 10 + (uint32_t)(*text - '0');
        if (value >= layers || (digits > 0 && value < 10)) return NULL;
    }
    if (digits == 0 || *text != '.') return NULL;
    *layer = value;
    return text + 1;
}

ogk_status ogk_tensor_find(ogk_model *model, const char *name, ogk_slot *slot, ogk_error *error)
{
    uint32_t tensor = find_name(top_names, top_count, name), layer = 0;
    if (tensor < top_count && (top_needs(&model->config) >> tensor & 1) != 0) {
        *slot = top_slot(model, tensor);
        slot->given = &model->given;
        slot->bit = 1u << tensor;
        return OGK_OK;
    }
    if (tensor < top_count) return ogk_fail(error, OGK_UNKNOWN_TENSOR, "%s: the embedding is tied, it is the head", name);
    const char *rest = NULL;
    if (strncmp(name, layer_prefix, sizeof layer_prefix - 1) == 0) rest = parse_layer(name + sizeof layer_prefix - 1, model->config.layers, &layer);
    tensor = rest == NULL ? layer_count : find_name(layer_names, layer_count, rest);
    if (tensor == layer_count || (layer_needs(&model->config) >> tensor & 1) == 0)
        return ogk_fail(error, OGK_UNKNOWN_TENSOR, "%.*s is not a tensor of this configuration", names_length, name);
    *slot = layer_slot(&model->config, &model->layers[layer], tensor);
    slot->given = &model->layers[layer].given;
    slot->bit = 1u << tensor;
    return OGK_OK;
}

static uint32_t first_bit(uint32_t bits)
{
    return (uint32_t)__builtin_ctz(bits);
}

ogk_status ogk_tensors_complete(const ogk_model *model, ogk_error *error)
{
    uint32_t missing = top_needs(&model->config) & ~model->given;
    if (missing != 0) return ogk_fail(error, OGK_MISSING_TENSOR, "%s was not set", top_names[first_bit(missing)]);
    for (uint32_t i = 0; i < model->config.layers; i++) {
        missing = layer_needs(&model->config) & ~model->layers[i].given;
        if (missing != 0) return ogk_fail(error, OGK_MISSING_TENSOR, "%s%u.%s was not set", layer_prefix, i, layer_names[first_bit(missing)]);
    }
    return OGK_OK;
}
