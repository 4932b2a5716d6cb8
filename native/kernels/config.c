#include "config.h"

#include "error.h"
#include "forward.h"
#include "linear.h"
#include "ops.h"

/* Far above every published model, and low enough that no product of two of them overflows 64 bits. */
enum {
    vocabulary_most = 1 << 24,
    hidden_most = 1 << 16,
    intermediate_most = 1 << 20,
    layers_most = 1 << 10,
    heads_most = 1 << 10,
    context_most = 1 << 24,
    page_tokens_most = 1 << 12,
    pages_most = INT32_MAX, /* a page's number is an int32 */
    sequences_most = 1 << 16,
    step_tokens_most = 1 << 20,
    threads_most = 256
};

typedef struct bound {
    const char *name;
    uint32_t value, least, most, multiple;
} bound;

static ogk_status check_bounds(const ogk_config *c, ogk_error *error)
{
    const bound bounds[] = {
        {"architecture", c->architecture, OGK_ARCH_LLAMA, OGK_ARCH_QWEN3, 1},
        {"scheme", c->scheme, OGK_BF16, OGK_INT4, 1},
        {"isa", c->isa, OGK_ISA_BEST, OGK_ISA_AMX, 1},
        {"threads", c->threads, 1, threads_most, 1},
        {"vocabulary", c->vocabulary, 1, vocabulary_most, 1},
        {"hidden", c->hidden, OGK_GROUP, hidden_most, OGK_GROUP},
        {"intermediate", c->intermediate, OGK_GROUP, intermediate_most, OGK_GROUP},
        {"layers", c->layers, 1, layers_most, 1},
        {"heads", c->heads, 1, heads_most, 1},
        {"kv_heads", c->kv_heads, 1, heads_most, 1},
        {"head_dim", c->head_dim, 16, OGK_HEAD_DIM_MOST, 16},
        {"context", c->context, 1, context_most, 1},
        {"tied_embeddings", c->tied_embeddings, 0, 1, 1},
        {"attention_bias", c->attention_bias, 0, 1, 1},
        {"page_tokens", c->page_tokens, OGK_KEYS_BLOCK, page_tokens_most, OGK_KEYS_BLOCK},
        {"pages", c->pages, 1, pages_most, 1},
        {"max_sequences", c->max_sequences, 1, sequences_most, 1},
        {"max_step_tokens", c->max_step_tokens, 1, step_tokens_most, 1},
        {"rope_kind", c->rope_kind, OGK_ROPE_PLAIN, OGK_ROPE_LINEAR, 1},
    };
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        const bound *b = &bounds[i];
        if (b->value < b->least || b->value > b->most)
            return ogk_fail(error, OGK_OUT_OF_RANGE, "%s is %u, not in %u to %u", b->name, b->value, b->least, b->most);
        if (b->value % b->multiple != 0)
            return ogk_fail(error, OGK_OUT_OF_RANGE, "%s is %u, not a multiple of %u", b->name, b->value, b->multiple);
    }
    return OGK_OK;
}

/* False for NaN too. */
static int within(float value, float least, float most)
{
    return value >= least && value <= most;
}

static ogk_status check_floats(const ogk_config *c, ogk_error *error)
{
    if (!within(c->norm_epsilon, 1e-30f, 1.0f))
        return ogk_fail(error, OGK_OUT_OF_RANGE, "norm_epsilon is %g, not in 1e-30 to 1", (double)c->norm_epsilon);
    if (!within(c->rope_theta, 1.0f, 1e30f))
        return ogk_fail(error, OGK_OUT_OF_RANGE, "rope_theta is %g, not in 1 to 1e30", (double)c->rope_theta);
    if (c->rope_kind == OGK_ROPE_PLAIN) return OGK_OK;
    if (!within(c->rope_factor, 1e-6f, 1e6f))
        return ogk_fail(error, OGK_OUT_OF_RANGE, "rope_factor is %g, not in 1e-6 to 1e6", (double)c->rope_factor);
    if (c->rope_kind == OGK_ROPE_LINEAR) return OGK_OK;
    if (!within(c->rope_low_frequency, 1e-6f, 1e6f) || !within(c->rope_high_frequency, 1e-6f, 1e6f) ||
        c->rope_high_frequency <= c->rope_low_frequency)
        return ogk_fail(error, OGK_OUT_OF_RANGE, "rope_low_frequency is %g and rope_high_frequency %g, not 1e-6 <= low < high <= 1e6",
                        (double)c->rope_low_frequency, (double)c->rope_high_frequency);
    if (c->rope_original_context == 0) return ogk_fail(error, OGK_OUT_OF_RANGE, "rope_original_context is 0");
    return OGK_OK;
}

ogk_status ogk_config_check(const ogk_config *c, ogk_error *error)
{
    if (c == NULL) return ogk_fail(error, OGK_NULL_ARGUMENT, "no configuration");
    ogk_status status = check_bounds(c, error);
    if (status == OGK_OK) status = check_floats(c, error);
    if (status != OGK_OK) return status;
    if (c->heads % c->kv_heads != 0)
        return ogk_fail(error, OGK_OUT_OF_RANGE, "heads is %u, not a multiple of kv_heads, %u", c->heads, c->kv_heads);
    if (ogk_query_width(c) % OGK_GROUP != 0)
        return ogk_fail(error, OGK_OUT_OF_RANGE, "heads * head_dim is %u, not a multiple of %u", ogk_query_width(c), OGK_GROUP);
    if (c->isa > ogk_best_isa())
        return ogk_fail(error, OGK_UNAVAILABLE, "isa %s is not on this machine, whose best is %s", ogk_isa_name(c->isa), ogk_isa_name(ogk_best_isa()));
    return OGK_OK;
}

/* Sums and products that remember an overflow. */
typedef struct counter {
    int overflowed;
} counter;

static uint64_t times(counter *state, uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product)) state->overflowed = 1;
    return product;
}

static uint64_t plus(counter *state, uint64_t a, uint64_t b)
{
    uint64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) state->overflowed = 1;
    return sum;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t prepared_size(const ogk_config *c)
{
    uint64_t widest = larger(larger(c->hidden, c->intermediate), ogk_query_width(c));
    return ogk_linear_input_size(c->scheme, c->max_step_tokens, (uint32_t)widest);
}

static void count_weights(const ogk_config *c, ogk_sizes *s, counter *state)
{
    uint32_t queries = ogk_query_width(c), keys = ogk_key_width(c);
    s->qkv = ogk_linear_packed_size(c->scheme, queries + 2 * keys, c->hidden);
    s->out = ogk_linear_packed_size(c->scheme, c->hidden, queries);
    s->gate_up = ogk_linear_packed_size(c->scheme, 2 * c->intermediate, c->hidden);
    s->down = ogk_linear_packed_size(c->scheme, c->hidden, c->intermediate);
    s->head = ogk_linear_packed_size(c->scheme, c->vocabulary, c->hidden);
    s->embedding = c->tied_embeddings != 0 ? 0 : (uint64_t)c->vocabulary * c->hidden * sizeof(uint16_t);
    uint64_t floats = 2 * (uint64_t)c->hidden;
    if (c->attention_bias != 0) floats += (uint64_t)queries + 2 * (uint64_t)keys;
    if (ogk_has_output_bias(c)) floats += c->hidden;
    if (c->architecture == OGK_ARCH_QWEN3) floats += 2 * (uint64_t)c->head_dim;
    s->vectors = floats * sizeof(float);
    uint64_t layer = s->qkv + s->out + s->gate_up + s->down + s->vectors;
    s->weights = plus(state, times(state, layer, c->layers), s->head + s->embedding + (uint64_t)c->hidden * sizeof(float));
}

static void count_cache(const ogk_config *c, ogk_sizes *s, counter *state)
{
    s->cached = times(state, times(state, (uint64_t)c->pages * c->page_tokens, ogk_key_width(c)), sizeof(uint16_t));
    s->cache = times(state, times(state, s->cached, 2), c->layers);
}

static void count_work(const ogk_config *c, ogk_sizes *s)
{
    uint64_t rows = c->max_step_tokens, row = rows * sizeof(float);
    s->hidden_rows = row * c->hidden;
    s->qkv_rows = row * ((uint64_t)ogk_query_width(c) + 2 * (uint64_t)ogk_key_width(c));
    s->attention_rows = row * larger(ogk_query_width(c), c->hidden);
    s->gate_rows = row * 2 * c->intermediate;
    s->prepared = prepared_size(c);
    s->angle_rows = row * (c->head_dim / 2);
    s->row_places = rows * sizeof(ogk_place);
    s->tasks = rows * c->heads * sizeof(ogk_task);
    s->scratch = (uint64_t)c->threads * ogk_attention_scratch(c->head_dim) * sizeof(float);
    s->work = 2 * s->hidden_rows + s->qkv_rows + s->attention_rows + s->gate_rows + s->prepared + 2 * s->angle_rows + s->row_places +
              s->tasks + s->scratch;
}

ogk_status ogk_config_sizes(const ogk_config *c, ogk_sizes *sizes, ogk_error *error)
{
    counter state = {0};
    *sizes = (ogk_sizes){0};
    count_weights(c, sizes, &state);
    count_cache(c, sizes, &state);
    count_work(c, sizes);
    (void)plus(&state, plus(&state, sizes->weights, sizes->cache), sizes->work);
    if (state.overflowed != 0) return ogk_fail(error, OGK_OUT_OF_RANGE, "the cache or the weights would be larger than 2^64 bytes");
    return OGK_OK;
}
