#include "model_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static uint64_t next(random_state *random)
{
    uint64_t x = random->state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint32_t random_below(random_state *random, uint32_t bound)
{
    return (uint32_t)((next(random) >> 32) * bound >> 32);
}

float random_normal(random_state *random)
{
    float sum = 0;
    for (int i = 0; i < 4; i++) sum += (float)(next(random) >> 40) * 0x1p-24f - 0.5f;
    return sum * 1.7320508f;
}

ogk_config small_config(uint32_t architecture, uint32_t scheme)
{
    return (ogk_config){
        .architecture = architecture,
        .scheme = scheme,
        .isa = OGK_ISA_BEST,
        .threads = 2,
        .vocabulary = 101,
        .hidden = 64,
        .intermediate = 96,
        .layers = 2,
        .heads = 6,
        .kv_heads = 2,
        .head_dim = 32,
        .context = 1200,
        .tied_embeddings = architecture != OGK_ARCH_LLAMA,
        .attention_bias = architecture == OGK_ARCH_QWEN2,
        .page_tokens = 16,
        .pages = 160,
        .max_sequences = 8,
        .max_step_tokens = 1200,
        .rope_kind = OGK_ROPE_PLAIN,
        .rope_theta = 10000.0f,
        .norm_epsilon = 1e-5f,
    };
}

static void add(fixture *f, random_state *random, uint64_t rows, uint64_t columns, float mean, float deviation, const char *name)
{
    CHECK(f->count < tensors_most);
    tensor *t = &f->tensors[f->count++];
    snprintf(t->name, sizeof t->name, "%s", name);
    t->rank = columns == 0 ? 1 : 2;
    t->dimensions[0] = rows;
    t->dimensions[1] = columns;
    uint64_t size = rows * (columns == 0 ? 1 : columns);
    t->values = malloc(size * sizeof(float));
    CHECK(t->values != NULL);
    for (uint64_t i = 0; i < size; i++) t->values[i] = mean + deviation * random_normal(random);
}

static void add_layer(fixture *f, random_state *random, uint32_t layer)
{
    const ogk_config *c = &f->config;
    uint64_t queries = (uint64_t)c->heads * c->head_dim, keys = (uint64_t)c->kv_heads * c->head_dim;
    float wide = 1.5f / sqrtf((float)c->hidden), narrow = 1.5f / sqrtf((float)c->intermediate);
    const struct {
        const char *name;
        uint64_t rows, columns;
        float mean, deviation;
        uint32_t needed;
    } all[] = {
        {"input_layernorm.weight", c->hidden, 0, 1, 0.2f, 1},
        {"post_attention_layernorm.weight", c->hidden, 0, 1, 0.2f, 1},
        {"self_attn.q_proj.weight", queries, c->hidden, 0, wide, 1},
        {"self_attn.k_proj.weight", keys, c->hidden, 0, wide, 1},
        {"self_attn.v_proj.weight", keys, c->hidden, 0, wide, 1},
        {"self_attn.o_proj.weight", c->hidden, queries, 0, wide, 1},
        {"mlp.gate_proj.weight", c->intermediate, c->hidden, 0, wide, 1},
        {"mlp.up_proj.weight", c->intermediate, c->hidden, 0, wide, 1},
        {"mlp.down_proj.weight", c->hidden, c->intermediate, 0, narrow, 1},
        {"self_attn.q_proj.bias", queries, 0, 0, 0.5f, c->attention_bias},
        {"self_attn.k_proj.bias", keys, 0, 0, 0.5f, c->attention_bias},
        {"self_attn.v_proj.bias", keys, 0, 0, 0.5f, c->attention_bias},
        {"self_attn.o_proj.bias", c->hidden, 0, 0, 0.5f, c->attention_bias && c->architecture != OGK_ARCH_QWEN2},
        {"self_attn.q_norm.weight", c->head_dim, 0, 1, 0.2f, c->architecture == OGK_ARCH_QWEN3},
        {"self_attn.k_norm.weight", c->head_dim, 0, 1, 0.2f, c->architecture == OGK_ARCH_QWEN3},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!all[i].needed) continue;
        char name[96];
        snprintf(name, sizeof name, "model.layers.%u.%s", layer, all[i].name);
        add(f, random, all[i].rows, all[i].columns, all[i].mean, all[i].deviation, name);
    }
}

fixture *fixture_create(const ogk_config *config, uint64_t seed)
{
    random_state random = {seed};
    fixture *f = calloc(1, sizeof *f);
    CHECK(f != NULL);
    f->config = *config;
    add(f, &random, config->vocabulary, config->hidden, 0, 0.5f, "model.embed_tokens.weight");
    add(f, &random, config->hidden, 0, 1, 0.2f, "model.norm.weight");
    if (!config->tied_embeddings) add(f, &random, config->vocabulary, config->hidden, 0, 0.3f, "lm_head.weight");
    for (uint32_t i = 0; i < config->layers; i++) add_layer(f, &random, i);
    return f;
}

void fixture_free(fixture *f)
{
    for (uint32_t i = 0; i < f->count; i++) free(f->tensors[i].values);
    free(f);
}

const tensor *fixture_find(const fixture *f, const char *rest, uint32_t layer)
{
    char name[96];
    int whole = strncmp(rest, "model.", 6) == 0 || strncmp(rest, "lm_head.", 8) == 0;
    if (whole)
        snprintf(name, sizeof name, "%s", rest);
    else
        snprintf(name, sizeof name, "model.layers.%u.%s", layer, rest);
    for (uint32_t i = 0; i < f->count; i++)
        if (strcmp(f->tensors[i].name, name) == 0) return &f->tensors[i];
    return NULL;
}

ogk_model *fixture_load(const fixture *f, const ogk_config *config)
{
    ogk_error error = {0};
    ogk_model *model = NULL;
    if (ogk_model_create(config, &model, &error) != OGK_OK) check_failed(__FILE__, __LINE__, "create: %s", error.text);
    for (uint32_t i = 0; i < f->count; i++) {
        const tensor *t = &f->tensors[i];
        uint64_t size = t->dimensions[0] * (t->rank == 1 ? 1 : t->dimensions[1]) * sizeof(float);
        if (ogk_model_set(model, t->name, OGK_TYPE_F32, t->dimensions, t->rank, t->values, size, &error) != OGK_OK)
            check_failed(__FILE__, __LINE__, "set: %s", error.text);
    }
    if (ogk_model_finish(model, &error) != OGK_OK) check_failed(__FILE__, __LINE__, "finish: %s", error.text);
    return model;
}

void fixture_tokens(const fixture *f, uint64_t seed, int32_t *tokens, uint32_t count)
{
    random_state random = {seed};
    for (uint32_t i = 0; i < count; i++) tokens[i] = (int32_t)random_below(&random, f->config.vocabulary);
}

float *decode_all(ogk_model *model, const ogk_config *config, const int32_t *tokens, uint32_t count)
{
    ogk_error error = {0};
    uint32_t page_count = (count + config->page_tokens - 1) / config->page_tokens;
    int32_t *pages = malloc(page_count * sizeof *pages);
    float *logits = malloc((size_t)count * config->vocabulary * sizeof *logits);
    CHECK(pages != NULL && logits != NULL);
    for (uint32_t i = 0; i < page_count; i++) pages[i] = (int32_t)i;
    for (uint32_t i = 0; i < count; i++) {
        ogk_sequence s = {.tokens = tokens + i, .pages = pages, .token_count = 1, .page_count = page_count, .start = i, .logits = 1};
        if (ogk_step(model, &s, 1, logits + (size_t)i * config->vocabulary, 1, &error) != OGK_OK)
            check_failed(__FILE__, __LINE__, "step: %s", error.text);
    }
    free(pages);
    return logits;
}
