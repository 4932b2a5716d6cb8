/* A row of logits depends on its sequence's tokens alone: the same bits however they are computed. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "model_fixture.h"

/* The first segment of attention has 512 keys. */
enum { length = 540, shorter = 90, lanes_most = 6 };

typedef struct subject {
    ogk_config config;
    fixture *fixture;
    ogk_model *model;
    int32_t tokens[length];
    float *expected; /* of one model of two threads, one token per step */
} subject;

static subject prepare(uint32_t architecture, uint32_t scheme, uint32_t count)
{
    subject s = {.config = small_config(architecture, scheme)};
    s.fixture = fixture_create(&s.config, 11);
    s.model = fixture_load(s.fixture, &s.config);
    fixture_tokens(s.fixture, 5, s.tokens, length);
    s.expected = decode_all(s.model, &s.config, s.tokens, count);
    return s;
}

static void finish(subject *s)
{
    free(s->expected);
    ogk_model_free(s->model);
    fixture_free(s->fixture);
}

static void same(const subject *s, uint32_t position, const float *logits)
{
    const float *expected = s->expected + (size_t)position * s->config.vocabulary;
    if (memcmp(expected, logits, s->config.vocabulary * sizeof *logits) == 0) return;
    for (uint32_t i = 0; i < s->config.vocabulary; i++)
        if (memcmp(&expected[i], &logits[i], sizeof *logits) != 0)
            check_failed(__FILE__, __LINE__, "position %u, logit %u: %a, alone %a", position, i, (double)logits[i], (double)expected[i]);
}

static void step(ogk_model *model, const ogk_sequence *sequences, uint32_t count, float *logits, uint64_t rows)
{
    ogk_error error = {0};
    if (ogk_step(model, sequences, count, logits, rows, &error) != OGK_OK) check_failed(__FILE__, __LINE__, "step: %s", error.text);
}

/* The prompt in pieces of `chunk` on one model, all logits wanted. */
static void in_chunks(const subject *s, ogk_model *model, uint32_t count, uint32_t chunk)
{
    int32_t pages[length];
    float *logits = malloc((size_t)count * s->config.vocabulary * sizeof *logits);
    CHECK(logits != NULL);
    for (int32_t i = 0; i < length; i++) pages[i] = i;
    for (uint32_t at = 0; at < count; at += chunk) {
        uint32_t size = count - at < chunk ? count - at : chunk;
        ogk_sequence sequence = {.tokens = s->tokens + at, .pages = pages, .token_count = size, .page_count = length, .start = at, .logits = 2};
        step(model, &sequence, 1, logits, size);
        for (uint32_t i = 0; i < size; i++) same(s, at + i, logits + (size_t)i * s->config.vocabulary);
    }
    free(logits);
}

static void prefill_equals_decode(uint32_t architecture)
{
    for (uint32_t scheme = OGK_BF16; scheme <= OGK_INT4; scheme++) {
        subject s = prepare(architecture, scheme, length);
        in_chunks(&s, s.model, length, length);
        in_chunks(&s, s.model, length, 37);
        finish(&s);
    }
}

TEST(llama_prefill_equals_decode)
{
    prefill_equals_decode(OGK_ARCH_LLAMA);
}

TEST(qwen2_prefill_equals_decode)
{
    prefill_equals_decode(OGK_ARCH_QWEN2);
}

TEST(qwen3_prefill_equals_decode)
{
    prefill_equals_decode(OGK_ARCH_QWEN3);
}

TEST(chunks_of_any_size_give_the_same_bits)
{
    subject s = prepare(OGK_ARCH_QWEN2, OGK_INT8, shorter);
    for (uint32_t chunk = 1; chunk <= shorter; chunk++) in_chunks(&s, s.model, shorter, chunk);
    finish(&s);
}

TEST(only_last_logits_are_the_same_bits)
{
    subject s = prepare(OGK_ARCH_LLAMA, OGK_INT4, shorter);
    int32_t pages[] = {3, 1, 4, 0, 5, 9};
    float logits[128];
    ogk_sequence sequence = {.tokens = s.tokens, .pages = pages, .token_count = 50, .page_count = 6, .logits = 0};
    step(s.model, &sequence, 1, NULL, 0);
    sequence.tokens += 50;
    sequence.start = 50;
    sequence.token_count = 40;
    sequence.logits = 1;
    step(s.model, &sequence, 1, logits, 1);
    same(&s, 89, logits);
    finish(&s);
}

/* Random schedules: up to six copies of the sequence at different positions, in random chunks, order and pages. */
static void random_schedule(const subject *s, ogk_model *model, random_state *random, uint32_t count)
{
    uint32_t lanes = 1 + random_below(random, lanes_most), done[lanes_most] = {0}, page_tokens = s->config.page_tokens;
    uint32_t per_lane = (count + page_tokens - 1) / page_tokens;
    int32_t pages[lanes_most * length], swap;
    for (uint32_t i = 0; i < lanes * per_lane; i++) pages[i] = (int32_t)i;
    for (uint32_t i = lanes * per_lane; i > 1; i--) {
        uint32_t j = random_below(random, i);
        swap = pages[i - 1];
        pages[i - 1] = pages[j];
        pages[j] = swap;
    }
    float *logits = malloc((size_t)lanes * count * s->config.vocabulary * sizeof *logits);
    CHECK(logits != NULL);
    for (uint32_t left = lanes * count; left > 0;) {
        ogk_sequence sequences[lanes_most];
        uint32_t used = 0, rows = 0, offset = random_below(random, lanes);
        for (uint32_t i = 0; i < lanes; i++) {
            uint32_t lane = (i + offset) % lanes, rest = count - done[lane];
            if (rest == 0 || random_below(random, 4) == 0) continue;
            uint32_t size = random_below(random, 3) == 0 ? 1 + random_below(random, rest) : 1;
            sequences[used] = (ogk_sequence){.tokens = s->tokens + done[lane], .pages = pages + lane * per_lane, .token_count = size,
                                             .page_count = per_lane, .start = done[lane], .logits = random_below(random, 3)};
            rows += sequences[used].logits == 2 ? size : sequences[used].logits;
            used++;
            done[lane] += size;
            left -= size;
        }
        if (used == 0) continue;
        step(model, sequences, used, logits, rows);
        const float *row = logits;
        for (uint32_t i = 0; i < used; i++) {
            uint32_t end = sequences[i].start + sequences[i].token_count, wanted = sequences[i].logits;
            for (uint32_t p = wanted == 2 ? sequences[i].start : end - wanted; p < end; p++, row += s->config.vocabulary) same(s, p, row);
        }
    }
    free(logits);
}

TEST(schedules_give_the_same_bits)
{
    random_state random = {17};
    for (uint32_t scheme = OGK_BF16; scheme <= OGK_INT4; scheme++) {
        subject s = prepare(OGK_ARCH_QWEN3, scheme, shorter);
        for (int i = 0; i < 40; i++) random_schedule(&s, s.model, &random, shorter);
        finish(&s);
    }
}

TEST(a_shared_prefix_is_only_read)
{
    subject s = prepare(OGK_ARCH_QWEN2, OGK_INT8, shorter);
    int32_t first[] = {0, 1, 2, 3, 4, 5}, second[] = {0, 1, 2, 3, 10, 11}; /* 64 tokens are shared */
    float logits[2 * 128];
    ogk_sequence prefix = {.tokens = s.tokens, .pages = first, .token_count = 64, .page_count = 6, .logits = 0};
    step(s.model, &prefix, 1, NULL, 0);
    for (uint32_t p = 64; p < shorter; p++) {
        ogk_sequence both[] = {{.tokens = s.tokens + p, .pages = first, .token_count = 1, .page_count = 6, .start = p, .logits = 1},
                               {.tokens = s.tokens + p, .pages = second, .token_count = 1, .page_count = 6, .start = p, .logits = 1}};
        step(s.model, both, 2, logits, 2);
        same(&s, p, logits);
        same(&s, p, logits + s.config.vocabulary);
    }
    finish(&s);
}

TEST(threads_give_the_same_bits)
{
    subject s = prepare(OGK_ARCH_QWEN2, OGK_BF16, length);
    for (uint32_t threads = 1; threads <= 5; threads += 2) {
        ogk_config config = s.config;
        config.threads = threads;
        ogk_model *model = fixture_load(s.fixture, &config);
        in_chunks(&s, model, length, 1);
        in_chunks(&s, model, length, 200);
        ogk_model_free(model);
    }
    finish(&s);
}

TEST(instruction_sets_give_the_same_bits)
{
    for (uint32_t scheme = OGK_BF16; scheme <= OGK_INT4; scheme++) {
        subject s = prepare(OGK_ARCH_QWEN3, scheme, length);
        for (uint32_t isa = OGK_ISA_SCALAR; isa <= ogk_best_isa(); isa++) {
            ogk_config config = s.config;
            config.isa = isa;
            if (strcmp(ogk_numerics(scheme, isa), ogk_numerics(scheme, s.config.isa)) != 0) continue; /* promised nothing */
            ogk_model *model = fixture_load(s.fixture, &config);
            in_chunks(&s, model, length, length);
            in_chunks(&s, model, shorter, 1);
            ogk_model_free(model);
        }
        finish(&s);
    }
}

TEST(page_sizes_give_the_same_bits)
{
    subject s = prepare(OGK_ARCH_LLAMA, OGK_INT8, shorter);
    for (uint32_t tokens = 32; tokens <= 96; tokens += 32) {
        ogk_config config = s.config;
        config.page_tokens = tokens;
        ogk_model *model = fixture_load(s.fixture, &config);
        in_chunks(&s, model, shorter, 13);
        ogk_model_free(model);
    }
    finish(&s);
}

TEST(embedding_is_the_same_bits_however_prefilled)
{
    subject s = prepare(OGK_ARCH_QWEN2, OGK_INT8, 1);
    int32_t pages[] = {0, 1, 2, 3, 4, 5};
    float whole[64], split[64];
    ogk_error error = {0};
    ogk_sequence sequence = {.tokens = s.tokens, .pages = pages, .token_count = shorter, .page_count = 6};
    CHECK_STATUS(OGK_OK, ogk_embed(s.model, &sequence, whole, &error));
    sequence.token_count = 41;
    step(s.model, &sequence, 1, NULL, 0);
    sequence.tokens += 41;
    sequence.start = 41;
    sequence.token_count = shorter - 41;
    CHECK_STATUS(OGK_OK, ogk_embed(s.model, &sequence, split, &error));
    CHECK_BYTES(whole, split, sizeof whole);
    finish(&s);
}

TEST(ten_thousand_steps_keep_memory_and_bits)
{
    subject s = prepare(OGK_ARCH_QWEN2, OGK_INT4, shorter);
    in_chunks(&s, s.model, shorter, 31);
    size_t before = mallinfo2().uordblks;
    random_state random = {23};
    int32_t pages[] = {0, 1, 2, 3, 4, 5};
    float logits[128];
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t at = random_below(&random, shorter);
        ogk_sequence sequence = {.tokens = s.tokens + at, .pages = pages, .token_count = 1, .page_count = 6, .start = at, .logits = 1};
        step(s.model, &sequence, 1, logits, 1);
        same(&s, at, logits);
    }
    CHECK(mallinfo2().uordblks == before);
    finish(&s);
}
