/* The decoder against the plain one in double precision. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "model_fixture.h"

enum { length = 70 };

/* Largest difference of a row, relative to the row's largest logit. */
static double distance(const float *logits, const double *expected, uint32_t vocabulary)
{
    double difference = 0, most = 0;
    for (uint32_t i = 0; i < vocabulary; i++) {
        double d = fabs((double)logits[i] - expected[i]);
        if (!(d <= difference)) difference = d; /* a NaN stays */
        most = fmax(most, fabs(expected[i]));
    }
    return difference / most;
}

/* One rounding that falls to the other side in a linear layer's input moves a logit by about a step of that format; the
 * bounds are several of them, and far below what a wrong position, head, norm or scale does. */
static double bound_of(uint32_t scheme)
{
    return scheme == OGK_BF16 ? 0.01 : 0.03;
}

/* Rows without such a rounding differ by fp32's alone. A short prompt has some of them. */
static const double close_bound = 1e-4;

static void compare(const ogk_config *config, uint32_t count, double bound)
{
    fixture *f = fixture_create(config, 7);
    ogk_model *model = fixture_load(f, config);
    int32_t *tokens = malloc(count * sizeof *tokens);
    CHECK(tokens != NULL);
    fixture_tokens(f, 3, tokens, count);
    float *logits = decode_all(model, config, tokens, count);
    double *expected = reference_logits(f, tokens, count), worst = 0;
    uint32_t close = 0;
    for (uint32_t p = 0; p < count; p++) {
        double d = distance(logits + (size_t)p * config->vocabulary, expected + (size_t)p * config->vocabulary, config->vocabulary);
        if (!(d <= worst)) worst = d;
        close += p < length && d < close_bound;
    }
    printf("scheme %u, architecture %u: farthest logit is off by %.2g of the row's largest, %u of the first %u rows by less than %.0e\n", config->scheme,
           config->architecture, worst, close, length, close_bound);
    CHECK(worst < bound);
    CHECK(close * 20 >= length);
    free(tokens);
    free(logits);
    free(expected);
    ogk_model_free(model);
    fixture_free(f);
}

static void compare_schemes(uint32_t architecture)
{
    for (uint32_t scheme = OGK_BF16; scheme <= OGK_INT4; scheme++) {
        ogk_config config = small_config(architecture, scheme);
        compare(&config, length, bound_of(scheme));
    }
}

TEST(llama_equals_reference)
{
    compare_schemes(OGK_ARCH_LLAMA);
}

TEST(qwen2_equals_reference)
{
    compare_schemes(OGK_ARCH_QWEN2);
}

TEST(qwen3_equals_reference)
{
    compare_schemes(OGK_ARCH_QWEN3);
}

TEST(llama_with_attention_bias_equals_reference)
{
    ogk_config config = small_config(OGK_ARCH_LLAMA, OGK_BF16);
    config.attention_bias = 1;
    compare(&config, length, bound_of(OGK_BF16));
}

TEST(untied_and_tied_embeddings_equal_reference)
{
    ogk_config config = small_config(OGK_ARCH_LLAMA, OGK_INT8);
    config.tied_embeddings = 1;
    compare(&config, length, bound_of(OGK_INT8));
    config = small_config(OGK_ARCH_QWEN3, OGK_INT8);
    config.tied_embeddings = 0;
    compare(&config, length, bound_of(OGK_INT8));
}

TEST(linear_rope_equals_reference)
{
    ogk_config config = small_config(OGK_ARCH_LLAMA, OGK_BF16);
    config.rope_kind = OGK_ROPE_LINEAR;
    config.rope_factor = 4;
    compare(&config, length, bound_of(OGK_BF16));
}

TEST(llama3_rope_equals_reference)
{
    ogk_config config = small_config(OGK_ARCH_LLAMA, OGK_BF16);
    config.rope_kind = OGK_ROPE_LLAMA3;
    config.rope_factor = 8;
    config.rope_low_frequency = 1;
    config.rope_high_frequency = 4;
    config.rope_original_context = 256; /* so that long, short and blended waves all occur */
    compare(&config, length, bound_of(OGK_BF16));
}

TEST(odd_head_sizes_equal_reference)
{
    ogk_config config = small_config(OGK_ARCH_QWEN3, OGK_BF16);
    config.head_dim = 48; /* half a head fills one register and a half */
    config.heads = 2;
    config.kv_heads = 1;
    compare(&config, length, bound_of(OGK_BF16));
    config.head_dim = 16;
    config.heads = 20; /* more heads of one group than one task takes */
    compare(&config, length, bound_of(OGK_BF16));
    config.head_dim = 256;
    config.heads = config.kv_heads = 1;
    compare(&config, length, bound_of(OGK_BF16));
}

TEST(several_segments_equal_reference)
{
    ogk_config config = small_config(OGK_ARCH_LLAMA, OGK_BF16);
    compare(&config, 1100, bound_of(OGK_BF16));
}
