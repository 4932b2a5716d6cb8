/*
 * How fast whole models decode and prefill, with random weights of published shapes. Every sequence of a decode is `past`
 * tokens long; a step's time is the median of the repeats. The last line is one JSON object.
 *
 *     og_kernels_model_bench [--shape 0.5b|125m] [--scheme bf16|int8|int4] [--threads n] [--isa name] [--past n] [--repeats n]
 *                            [--prefill n] [--sequences n]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "og_kernels.h"

enum { repeats_most = 1000, sequences_most = 32, pages_most = 4096, page_tokens = 16 };

static struct {
    const char *shape;
    uint32_t scheme, threads, isa, past, repeats, prefill, sequences;
} options = {"0.5b", 0, 2, 0, 128, 15, 512, 0};

static char json[4096];

static uint64_t now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static void check(ogk_status status, const ogk_error *error)
{
    if (status == OGK_OK) return;
    fprintf(stderr, "status %d: %s\n", status, error->text);
    exit(1);
}

static void *memory(size_t size)
{
    void *got = malloc(size);
    if (got != NULL) return got;
    fprintf(stderr, "no memory for %zu bytes\n", size);
    exit(1);
}

/* Qwen2.5-0.5B, and a GPT-sized Llama. */
static ogk_config config_of(uint32_t scheme)
{
    int large = strcmp(options.shape, "0.5b") == 0;
    uint32_t longest = options.past + options.repeats + 2 > options.prefill ? options.past + options.repeats + 2 : options.prefill;
    ogk_config c = {
        .architecture = large ? OGK_ARCH_QWEN2 : OGK_ARCH_LLAMA,
        .scheme = scheme,
        .isa = options.isa,
        .threads = options.threads,
        .vocabulary = large ? 151936 : 32000,
        .hidden = large ? 896 : 768,
        .intermediate = large ? 4864 : 2048,
        .layers = large ? 24 : 12,
        .heads = large ? 14 : 12,
        .kv_heads = large ? 2 : 12,
        .head_dim = 64,
        .context = (longest + page_tokens - 1) / page_tokens * page_tokens,
        .tied_embeddings = 1,
        .attention_bias = (uint32_t)large,
        .page_tokens = page_tokens,
        .max_sequences = sequences_most,
        .max_step_tokens = 512,
        .rope_theta = large ? 1000000.0f : 10000.0f,
        .norm_epsilon = 1e-6f,
    };
    c.pages = c.context / page_tokens * sequences_most;
    return c;
}

/* bf16 values between -1/16 and 1/16: what they are does not matter to the time. */
static void set(ogk_model *model, const char *name, uint64_t rows, uint64_t columns, uint16_t *noise)
{
    uint64_t dimensions[] = {rows, columns}, size = rows * (columns == 0 ? 1 : columns);
    ogk_error error = {0};
    uint64_t state = 88172645463325252u;
    for (uint64_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise[i] = (uint16_t)((state & 0x8000u) | (0x3c80u + (state >> 20 & 0xffu)));
    }
    check(ogk_model_set(model, name, OGK_TYPE_BF16, dimensions, columns == 0 ? 1 : 2, noise, size * sizeof *noise, &error), &error);
}

static ogk_model *load(const ogk_config *c)
{
    ogk_model *model = NULL;
    ogk_error error = {0};
    check(ogk_model_create(c, &model, &error), &error);
    uint16_t *noise = memory((size_t)c->vocabulary * c->hidden * sizeof *noise);
    uint64_t queries = (uint64_t)c->heads * c->head_dim, keys = (uint64_t)c->kv_heads * c->head_dim, hidden = c->hidden, wide = c->intermediate;
    const struct {
        const char *name;
        uint64_t rows, columns;
    } all[] = {{"input_layernorm.weight", hidden, 0}, {"post_attention_layernorm.weight", hidden, 0}, {"self_attn.q_proj.weight", queries, hidden},
               {"self_attn.k_proj.weight", keys, hidden}, {"self_attn.v_proj.weight", keys, hidden}, {"self_attn.o_proj.weight", hidden, queries},
               {"mlp.gate_proj.weight", wide, hidden}, {"mlp.up_proj.weight", wide, hidden}, {"mlp.down_proj.weight", hidden, wide},
               {"self_attn.q_proj.bias", queries, 0}, {"self_attn.k_proj.bias", keys, 0}, {"self_attn.v_proj.bias", keys, 0}};
    set(model, "model.embed_tokens.weight", c->vocabulary, hidden, noise);
    set(model, "model.norm.weight", hidden, 0, noise);
    for (uint32_t layer = 0; layer < c->layers; layer++)
        for (size_t i = 0; i < (c->attention_bias != 0 ? 12u : 9u); i++) {
            char name[96];
            snprintf(name, sizeof name, "model.layers.%u.%s", layer, all[i].name);
            set(model, name, all[i].rows, all[i].columns, noise);
        }
    free(noise);
    check(ogk_model_finish(model, &error), &error);
    return model;
}

static int ascending(const void *left, const void *right)
{
    uint64_t l = *(const uint64_t *)left, r = *(const uint64_t *)right;
    return (l > r) - (l < r);
}

static int32_t tokens[512], pages[sequences_most][pages_most];
static uint64_t samples[repeats_most];

static ogk_sequence sequence(const ogk_config *c, uint32_t index, uint32_t start, uint32_t count, uint32_t logits)
{
    return (ogk_sequence){.tokens = tokens, .pages = pages[index], .token_count = count, .page_count = c->context / page_tokens, .start = start, .logits = logits};
}

static double median_ms(uint32_t count)
{
    qsort(samples, count, sizeof samples[0], ascending);
    return (double)samples[count / 2] * 1e-6;
}

static void report(const char *what, const char *scheme, uint32_t count, double ms, double tokens_per_second)
{
    printf("%-5s %-5s %-8s %3u  %9.3f ms  %9.1f tokens/s\n", options.shape, scheme, what, count, ms, tokens_per_second);
    size_t used = strlen(json);
    snprintf(json + used, sizeof json - used, "%s\"%s_%s_%u\":%.1f", used == 0 ? "" : ",", what, scheme, count, tokens_per_second);
    fflush(stdout);
}

static void decode(ogk_model *model, const ogk_config *c, const char *scheme, uint32_t count, float *logits)
{
    ogk_sequence s[sequences_most];
    ogk_error error = {0};
    for (uint32_t i = 0; i <= options.repeats; i++) {
        for (uint32_t n = 0; n < count; n++) s[n] = sequence(c, n, options.past + i, 1, 1);
        uint64_t from = now_ns();
        check(ogk_step(model, s, count, logits, count, &error), &error);
        if (i > 0) samples[i - 1] = now_ns() - from;
    }
    double ms = median_ms(options.repeats);
    report("decode", scheme, count, ms, count * 1e3 / ms);
}

static void prefill(ogk_model *model, const ogk_config *c, const char *scheme, float *logits)
{
    ogk_error error = {0};
    uint32_t repeats = options.repeats < 5 ? options.repeats : 5;
    for (uint32_t i = 0; i <= repeats; i++) {
        uint64_t from = now_ns();
        for (uint32_t at = 0; at < options.prefill; at += 512) {
            uint32_t left = options.prefill - at;
            ogk_sequence s = sequence(c, 0, at, left < 512 ? left : 512, left <= 512);
            check(ogk_step(model, &s, 1, logits, 1, &error), &error);
        }
        if (i > 0) samples[i - 1] = now_ns() - from;
    }
    double ms = median_ms(repeats);
    report("prefill", scheme, options.prefill, ms, options.prefill * 1e3 / ms);
}

static uint32_t scheme_of(const char *name)
{
    return strcmp(name, "bf16") == 0 ? OGK_BF16 : strcmp(name, "int8") == 0 ? OGK_INT8 : OGK_INT4;
}

static uint32_t isa_of(const char *name)
{
    uint32_t isa = OGK_ISA_AMX;
    while (isa > OGK_ISA_BEST && strcmp(name, ogk_isa_name(isa)) != 0) isa--;
    return isa;
}

static void read_options(int count, char **arguments)
{
    for (int i = 1; i + 1 < count; i += 2) {
        const char *name = arguments[i], *value = arguments[i + 1];
        uint32_t number = (uint32_t)strtoul(value, NULL, 10);
        if (strcmp(name, "--shape") == 0) options.shape = value;
        if (strcmp(name, "--scheme") == 0) options.scheme = scheme_of(value);
        if (strcmp(name, "--isa") == 0) options.isa = isa_of(value);
        if (strcmp(name, "--threads") == 0) options.threads = number;
        if (strcmp(name, "--past") == 0) options.past = number;
        if (strcmp(name, "--repeats") == 0) options.repeats = number < 1 ? 1 : number < repeats_most ? number : repeats_most;
        if (strcmp(name, "--prefill") == 0) options.prefill = number;
        if (strcmp(name, "--sequences") == 0) options.sequences = number; /* of the batches below; another number runs none */
    }
    uint32_t most = (pages_most - 1) * page_tokens - repeats_most - 2;
    if (options.past > most) options.past = most;
    if (options.prefill > most) options.prefill = most;
}

int main(int count, char **arguments)
{
    static const char *const schemes[] = {"bf16", "int8", "int4"};
    static const uint32_t batches[] = {1, 4, 16, 32};
    read_options(count, arguments);
    for (uint32_t i = 0; i < 512; i++) tokens[i] = (int32_t)(i * 7919u % 32000u);
    for (uint32_t scheme = OGK_BF16; scheme <= OGK_INT4; scheme++) {
        if (options.scheme != 0 && options.scheme != scheme) continue;
        ogk_config c = config_of(scheme);
        ogk_model *model = load(&c);
        float *logits = memory((size_t)sequences_most * c.vocabulary * sizeof *logits);
        for (int32_t n = 0; n < sequences_most; n++)
            for (uint32_t i = 0; i < c.context / page_tokens; i++) pages[n][i] = (int32_t)(i * sequences_most) + n; /* interleaved, as serving leaves them */
        const char *name = schemes[scheme - 1];
        for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++)
            if (options.sequences == 0 || options.sequences == batches[i]) decode(model, &c, name, batches[i], logits);
        if (options.prefill > 0) prefill(model, &c, name, logits);
        free(logits);
        ogk_model_free(model);
    }
    printf("{%s}\n", json);
    return 0;
}
