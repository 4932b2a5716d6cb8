/* Bad configurations, tensors and steps: a status and a text that names what was wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "model_fixture.h"

static void refused(ogk_status expected, ogk_status status, const ogk_error *error, const char *names)
{
    if (status != expected) check_failed(__FILE__, __LINE__, "status %d, not %d: %s", status, expected, error->text);
    if (strstr(error->text, names) == NULL) check_failed(__FILE__, __LINE__, "\"%s\" does not name %s", error->text, names);
}

static void refused_config(ogk_config config, ogk_status expected, const char *names)
{
    ogk_error error = {0};
    ogk_model *model = NULL;
    refused(expected, ogk_model_create(&config, &model, &error), &error, names);
    CHECK(model == NULL);
    CHECK_STATUS(expected, ogk_model_create(&config, &model, NULL));
}

#define REFUSED(field, value)                                                                                          \
    do {                                                                                                               \
        ogk_config changed = small_config(OGK_ARCH_LLAMA, OGK_BF16);                                                   \
        changed.field = (value);                                                                                       \
        refused_config(changed, OGK_OUT_OF_RANGE, #field);                                                             \
    } while (0)

TEST(each_field_out_of_range_is_named)
{
    REFUSED(architecture, 0);
    REFUSED(architecture, 4);
    REFUSED(scheme, 0);
    REFUSED(scheme, 9);
    REFUSED(isa, 5);
    REFUSED(threads, 0);
    REFUSED(threads, 257);
    REFUSED(vocabulary, 0);
    REFUSED(vocabulary, UINT32_MAX);
    REFUSED(hidden, 0);
    REFUSED(hidden, 65);
    REFUSED(hidden, UINT32_MAX);
    REFUSED(intermediate, 0);
    REFUSED(intermediate, 100);
    REFUSED(layers, 0);
    REFUSED(layers, UINT32_MAX);
    REFUSED(heads, 0);
    REFUSED(heads, 7);
    REFUSED(kv_heads, 0);
    REFUSED(kv_heads, 4);
    REFUSED(head_dim, 0);
    REFUSED(head_dim, 24);
    REFUSED(head_dim, 512);
    REFUSED(context, 0);
    REFUSED(tied_embeddings, 2);
    REFUSED(attention_bias, 7);
    REFUSED(page_tokens, 0);
    REFUSED(page_tokens, 8);
    REFUSED(page_tokens, 24);
    REFUSED(pages, 0);
    REFUSED(pages, UINT32_MAX);
    REFUSED(max_sequences, 0);
    REFUSED(max_step_tokens, 0);
    REFUSED(max_step_tokens, UINT32_MAX);
    REFUSED(rope_kind, 3);
    REFUSED(rope_theta, 0.0f);
    REFUSED(rope_theta, __builtin_nanf(""));
    REFUSED(rope_theta, __builtin_inff());
    REFUSED(norm_epsilon, 0.0f);
    REFUSED(norm_epsilon, __builtin_nanf(""));
}

TEST(rope_scaling_out_of_range_is_named)
{
    ogk_config config = small_config(OGK_ARCH_LLAMA, OGK_BF16);
    config.rope_kind = OGK_ROPE_LINEAR;
    refused_config(config, OGK_OUT_OF_RANGE, "rope_factor");
    config.rope_kind = OGK_ROPE_LLAMA3;
    config.rope_factor = 8;
    refused_config(config, OGK_OUT_OF_RANGE, "rope_low_frequency");
    config.rope_low_frequency = 4;
    config.rope_high_frequency = 4;
    refused_config(config, OGK_OUT_OF_RANGE, "rope_high_frequency");
    config.rope_low_frequency = 1;
    refused_config(config, OGK_OUT_OF_RANGE, "rope_original_context");
}

TEST(heads_that_fill_no_group_are_named)
{
    ogk_config config = small_config(OGK_ARCH_LLAMA, OGK_BF16);
    config.heads = config.kv_heads = 3;
    config.head_dim = 16;
    refused_config(config, OGK_OUT_OF_RANGE, "heads * head_dim");
}

TEST(absurd_sizes_are_refused)
{
    ogk_config config = small_config(OGK_ARCH_LLAMA, OGK_BF16);
    config.pages = INT32_MAX;
    config.page_tokens = 4096;
    refused_config(config, OGK_OUT_OF_MEMORY, "cache");
    config.layers = 1024;
    config.heads = config.kv_heads = 1024;
    config.head_dim = 256;
    refused_config(config, OGK_OUT_OF_RANGE, "2^64");
    config = small_config(OGK_ARCH_LLAMA, OGK_BF16);
    config.hidden = 1 << 16;
    config.intermediate = 1 << 20;
    config.layers = 1024;
    refused_config(config, OGK_OUT_OF_MEMORY, "weights");
}

TEST(memory_is_counted)
{
    ogk_config config = small_config(OGK_ARCH_QWEN2, OGK_BF16);
    uint64_t weights = 0, cache = 0, work = 0;
    ogk_error error = {0};
    CHECK_STATUS(OGK_OK, ogk_model_memory(&config, &weights, &cache, &work, &error));
    CHECK(cache == 2ull * config.layers * config.pages * config.page_tokens * config.kv_heads * config.head_dim * 2);
    CHECK(weights > 2 * 64 * 96 * 3 * 2 && work > 1200 * 64 * 4);
    CHECK_STATUS(OGK_NULL_ARGUMENT, ogk_model_memory(&config, NULL, &cache, &work, &error));
    CHECK_STATUS(OGK_NULL_ARGUMENT, ogk_model_memory(NULL, &weights, &cache, &work, &error));
}

TEST(null_arguments_are_statuses)
{
    ogk_config config = small_config(OGK_ARCH_LLAMA, OGK_BF16);
    ogk_model *model = NULL;
    uint64_t dimension = 64;
    float data[64] = {0};
    CHECK_STATUS(OGK_NULL_ARGUMENT, ogk_model_create(NULL, &model, NULL));
    CHECK_STATUS(OGK_NULL_ARGUMENT, ogk_model_create(&config, NULL, NULL));
    CHECK_STATUS(OGK_OK, ogk_model_create(&config, &model, NULL));
    CHECK_STATUS(OGK_NULL_ARGUMENT, ogk_model_set(NULL, "model.norm.weight", OGK_TYPE_F32, &dimension, 1, data, 256, NULL));
    CHECK_STATUS(OGK_NULL_ARGUMENT, ogk_model_set(model, NULL, OGK_TYPE_F32, &dimension, 1, data, 256, NULL));
    CHECK_STATUS(OGK_NULL_ARGUMENT, ogk_model_set(model, "model.norm.weight", OGK_TYPE_F32, NULL, 1, data, 256, NULL));
    CHECK_STATUS(OGK_NULL_ARGUMENT, ogk_model_set(model, "model.norm.weight", OGK_TYPE_F32, &dimension, 1, NULL, 256, NULL));
    CHECK_STATUS(OGK_NULL_ARGUMENT, ogk_model_finish(NULL, NULL));
    CHECK_STATUS(OGK_NULL_ARGUMENT, ogk_step(NULL, NULL, 1, NULL, 0, NULL));
    CHECK_STATUS(OGK_NULL_ARGUMENT, ogk_step(model, NULL, 1, NULL, 0, NULL));
    CHECK_STATUS(OGK_NULL_ARGUMENT, ogk_embed(model, NULL, data, NULL));
    ogk_model_free(model);
    ogk_model_free(NULL);
}

static ogk_status set(ogk_model *model, const char *name, uint32_t type, uint64_t rows, uint64_t columns, uint32_t rank, uint64_t bytes, ogk_error *error)
{
    static float data[96 * 64];
    uint64_t dimensions[] = {rows, columns};
    return ogk_model_set(model, name, type, dimensions, rank, data, bytes, error);
}

TEST(tensors_that_do_not_fit_are_named)
{
    ogk_config config = small_config(OGK_ARCH_QWEN2, OGK_BF16);
    ogk_model *model = NULL;
    ogk_error error = {0};
    CHECK_STATUS(OGK_OK, ogk_model_create(&config, &model, &error));
    const char *const unknown[] = {"", "model.norm.bias", "lm_head.weight", "model.layers.2.input_layernorm.weight",
                                   "model.layers.01.input_layernorm.weight", "model.layers.-1.input_layernorm.weight",
                                   "model.layers..input_layernorm.weight", "model.layers.99999999999999999999.mlp.up_proj.weight",
                                   "model.layers.0.self_attn.q_norm.weight", "model.layers.0.self_attn.o_proj.bias", "model.layers.0"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        refused(OGK_UNKNOWN_TENSOR, set(model, unknown[i], OGK_TYPE_F32, 64, 0, 1, 256, &error), &error, unknown[i]);
    refused(OGK_WRONG_SHAPE, set(model, "model.norm.weight", OGK_TYPE_F32, 65, 0, 1, 260, &error), &error, "[65], expected [64]");
    refused(OGK_WRONG_SHAPE, set(model, "model.norm.weight", OGK_TYPE_F32, 64, 1, 2, 256, &error), &error, "rank 2");
    refused(OGK_WRONG_SHAPE, set(model, "model.norm.weight", OGK_TYPE_F32, 64, 0, 0, 256, &error), &error, "rank 0");
    refused(OGK_WRONG_SHAPE, set(model, "model.norm.weight", 8, 64, 0, 1, 256, &error), &error, "type 8");
    refused(OGK_WRONG_SHAPE, set(model, "model.norm.weight", OGK_TYPE_F16, 64, 0, 1, 256, &error), &error, "256 bytes, expected 128");
    refused(OGK_WRONG_SHAPE, set(model, "model.layers.1.mlp.up_proj.weight", OGK_TYPE_BF16, 64, 96, 2, 12288, &error), &error, "bf16[64, 96], expected [96, 64]");
    refused(OGK_WRONG_SHAPE, set(model, "model.layers.1.mlp.up_proj.weight", OGK_TYPE_BF16, 96, 64, 3, 12288, &error), &error, "rank 3");
    CHECK_STATUS(OGK_OK, set(model, "model.norm.weight", OGK_TYPE_BF16, 64, 0, 1, 128, &error));
    refused(OGK_STATE, set(model, "model.norm.weight", OGK_TYPE_BF16, 64, 0, 1, 128, &error), &error, "model.norm.weight was set before");
    refused(OGK_MISSING_TENSOR, ogk_model_finish(model, &error), &error, "model.embed_tokens.weight");
    ogk_model_free(model);
}

TEST(each_missing_tensor_is_named)
{
    ogk_config config = small_config(OGK_ARCH_QWEN3, OGK_INT8);
    config.tied_embeddings = 0;
    fixture *f = fixture_create(&config, 1);
    for (uint32_t missing = 0; missing < f->count; missing++) {
        ogk_model *model = NULL;
        ogk_error error = {0};
        CHECK_STATUS(OGK_OK, ogk_model_create(&config, &model, &error));
        for (uint32_t i = 0; i < f->count; i++) {
            const tensor *t = &f->tensors[i];
            uint64_t size = t->dimensions[0] * (t->rank == 1 ? 1 : t->dimensions[1]) * 4;
            if (i != missing) CHECK_STATUS(OGK_OK, ogk_model_set(model, t->name, OGK_TYPE_F32, t->dimensions, t->rank, t->values, size, &error));
        }
        refused(OGK_MISSING_TENSOR, ogk_model_finish(model, &error), &error, f->tensors[missing].name);
        ogk_model_free(model);
    }
    fixture_free(f);
}

TEST(calls_in_the_wrong_order_are_statuses)
{
    ogk_config config = small_config(OGK_ARCH_QWEN2, OGK_BF16);
    fixture *f = fixture_create(&config, 1);
    ogk_model *model = NULL;
    ogk_error error = {0};
    int32_t token = 1, page = 0;
    float hidden[64];
    ogk_sequence s = {.tokens = &token, .pages = &page, .token_count = 1, .page_count = 1};
    CHECK_STATUS(OGK_OK, ogk_model_create(&config, &model, &error));
    refused(OGK_STATE, ogk_step(model, &s, 1, NULL, 0, &error), &error, "not finished");
    refused(OGK_STATE, ogk_embed(model, &s, hidden, &error), &error, "not finished");
    ogk_model_free(model);
    model = fixture_load(f, &config);
    refused(OGK_STATE, ogk_model_finish(model, &error), &error, "finished");
    refused(OGK_STATE, set(model, "model.norm.weight", OGK_TYPE_BF16, 64, 0, 1, 128, &error), &error, "finished");
    ogk_model_free(model);
    fixture_free(f);
}

TEST(steps_out_of_range_are_named)
{
    ogk_config config = small_config(OGK_ARCH_QWEN2, OGK_BF16);
    config.max_step_tokens = 40;
    fixture *f = fixture_create(&config, 1);
    ogk_model *model = fixture_load(f, &config);
    ogk_error error = {0};
    int32_t tokens[64] = {0}, pages[80] = {0};
    float *logits = malloc(41 * config.vocabulary * sizeof *logits);
    CHECK(logits != NULL);
    for (int32_t i = 0; i < 80; i++) pages[i] = i;
    const ogk_sequence good = {.tokens = tokens, .pages = pages, .token_count = 20, .page_count = 80, .logits = 1};
    ogk_sequence s[9];
    for (int i = 0; i < 9; i++) s[i] = good;
#define REFUSED_STEP(count, rows, status, names) refused(status, ogk_step(model, s, count, logits, rows, &error), &error, names)
#define REFUSED_SEQUENCE(field, value, status, names)                                                                  \
    do {                                                                                                               \
        s[1].field = (value);                                                                                          \
        REFUSED_STEP(2, 41, status, names);                                                                            \
        s[1] = good;                                                                                                   \
    } while (0)
    REFUSED_STEP(0, 41, OGK_OUT_OF_RANGE, "0 sequences");
    REFUSED_STEP(9, 41, OGK_OUT_OF_RANGE, "9 sequences");
    REFUSED_STEP(3, 41, OGK_OUT_OF_RANGE, "60 tokens");
    REFUSED_STEP(2, 1, OGK_OUT_OF_RANGE, "2 rows of logits");
    REFUSED_SEQUENCE(tokens, NULL, OGK_NULL_ARGUMENT, "sequence 1 has no tokens");
    REFUSED_SEQUENCE(pages, NULL, OGK_NULL_ARGUMENT, "sequence 1 has no pages");
    REFUSED_SEQUENCE(token_count, 0, OGK_OUT_OF_RANGE, "sequence 1 has 0 tokens");
    REFUSED_SEQUENCE(token_count, UINT32_MAX, OGK_OUT_OF_RANGE, "context");
    REFUSED_SEQUENCE(start, 1181, OGK_OUT_OF_RANGE, "end at 1201, the context is 1200");
    REFUSED_SEQUENCE(start, UINT32_MAX, OGK_OUT_OF_RANGE, "context");
    REFUSED_SEQUENCE(page_count, 1, OGK_OUT_OF_RANGE, "has 1 pages, 20 tokens need 2");
    REFUSED_SEQUENCE(logits, 3, OGK_OUT_OF_RANGE, "logits is 3");
    tokens[19] = 101;
    REFUSED_STEP(1, 41, OGK_OUT_OF_RANGE, "token 19 is 101");
    tokens[19] = -1;
    REFUSED_STEP(1, 41, OGK_OUT_OF_RANGE, "token 19 is -1");
    tokens[19] = 0;
    pages[1] = 160;
    REFUSED_STEP(1, 41, OGK_OUT_OF_RANGE, "page 1 is 160");
    pages[1] = -1;
    REFUSED_STEP(1, 41, OGK_OUT_OF_RANGE, "page 1 is -1");
    pages[1] = 1;
    refused(OGK_NULL_ARGUMENT, ogk_step(model, s, 1, NULL, 41, &error), &error, "logits");
    refused(OGK_NULL_ARGUMENT, ogk_embed(model, s, NULL, &error), &error, "hidden");
    CHECK_STATUS(OGK_OK, ogk_step(model, s, 2, logits, 2, &error));
    s[0].start = 1180; /* the last position of the context */
    CHECK_STATUS(OGK_OK, ogk_step(model, s, 1, logits, 1, &error));
    free(logits);
    ogk_model_free(model);
    fixture_free(f);
}
