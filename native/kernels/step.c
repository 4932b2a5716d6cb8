/* The calls that advance sequences: everything is checked here, so that the pass itself cannot fail. */
#include <string.h>

#include "error.h"
#include "isa.h"
#include "linear.h"
#include "model.h"

static ogk_status check_tokens(const ogk_config *c, uint32_t index, const ogk_sequence *s, ogk_error *error)
{
    if (s->tokens == NULL || s->pages == NULL) return ogk_fail(error, OGK_NULL_ARGUMENT, "sequence %u has no %s", index, s->tokens == NULL ? "tokens" : "pages");
    if (s->token_count == 0) return ogk_fail(error, OGK_OUT_OF_RANGE, "sequence %u has 0 tokens", index);
    if (s->logits > 2) return ogk_fail(error, OGK_OUT_OF_RANGE, "sequence %u: logits is %u, not 0, 1 or 2", index, s->logits);
    uint64_t end = (uint64_t)s->start + s->token_count;
    if (end > c->context)
        return ogk_fail(error, OGK_OUT_OF_RANGE, "sequence %u: %u tokens from position %u end at %llu, the context is %u", index,
                        s->token_count, s->start, (unsigned long long)end, c->context);
    for (uint32_t i = 0; i < s->token_count; i++)
        if (s->tokens[i] < 0 || (uint32_t)s->tokens[i] >= c->vocabulary)
            return ogk_fail(error, OGK_OUT_OF_RANGE, "sequence %u: token %u is %d, the vocabulary has %u", index, i, s->tokens[i], c->vocabulary);
    uint32_t pages = (uint32_t)((end + c->page_tokens - 1) / c->page_tokens);
    if (s->page_count < pages)
        return ogk_fail(error, OGK_OUT_OF_RANGE, "sequence %u has %u pages, %llu tokens need %u", index, s->page_count, (unsigned long long)end, pages);
    for (uint32_t i = 0; i < pages; i++)
        if (s->pages[i] < 0 || (uint32_t)s->pages[i] >= c->pages)
            return ogk_fail(error, OGK_OUT_OF_RANGE, "sequence %u: page %u is %d, the cache has %u", index, i, s->pages[i], c->pages);
    return OGK_OK;
}

static ogk_status check_step(const ogk_model *model, const ogk_sequence *sequences, uint32_t count, uint64_t *rows, uint64_t *wanted, ogk_error *error)
{
    if (model == NULL || sequences == NULL) return ogk_fail(error, OGK_NULL_ARGUMENT, "no %s", model == NULL ? "model" : "sequences");
    if (!model->finished) return ogk_fail(error, OGK_STATE, "the model is not finished");
    const ogk_config *c = &model->config;
    if (count == 0 || count > c->max_sequences)
        return ogk_fail(error, OGK_OUT_OF_RANGE, "%u sequences, the model takes 1 to %u", count, c->max_sequences);
    *rows = *wanted = 0;
    for (uint32_t i = 0; i < count; i++) {
        ogk_status status = check_tokens(c, i, &sequences[i], error);
        if (status != OGK_OK) return status;
        *rows += sequences[i].token_count;
        *wanted += sequences[i].logits == 2 ? sequences[i].token_count : sequences[i].logits;
    }
    if (*rows > c->max_step_tokens)
        return ogk_fail(error, OGK_OUT_OF_RANGE, "%llu tokens, the model takes %u in a step", (unsigned long long)*rows, c->max_step_tokens);
    return OGK_OK;
}

/* Computes in the state that the promise of equal bits needs, and gives the caller's thread its own back. */
static void pass(ogk_model *model, const ogk_sequence *sequences, uint32_t count, uint32_t rows, uint32_t wanted, float *logits, float *hidden)
{
    uint32_t before = ogk_float_enter();
    ogk_isa_enter_thread(model->config.isa);
    ogk_forward(model, sequences, count, rows, wanted);
    if (logits != NULL && wanted > 0) ogk_forward_logits(model, wanted, logits);
    if (hidden != NULL) memcpy(hidden, model->work.attention, model->config.hidden * sizeof(float));
    ogk_float_leave(before);
}

ogk_status ogk_step(ogk_model *model, const ogk_sequence *sequences, uint32_t count, float *logits, uint64_t logits_rows, ogk_error *error)
{
    uint64_t rows = 0, wanted = 0;
    ogk_status status = check_step(model, sequences, count, &rows, &wanted, error);
    if (status != OGK_OK) return status;
    if (wanted > 0 && logits == NULL) return ogk_fail(error, OGK_NULL_ARGUMENT, "no place for %llu rows of logits", (unsigned long long)wanted);
    if (wanted > logits_rows)
        return ogk_fail(error, OGK_OUT_OF_RANGE, "%llu rows of logits, there is room for %llu", (unsigned long long)wanted, (unsigned long long)logits_rows);
    pass(model, sequences, count, (uint32_t)rows, (uint32_t)wanted, logits, NULL);
    return OGK_OK;
}

ogk_status ogk_embed(ogk_model *model, const ogk_sequence *sequence, float *hidden, ogk_error *error)
{
    if (model == NULL || sequence == NULL || hidden == NULL)
        return ogk_fail(error, OGK_NULL_ARGUMENT, "no %s", model == NULL ? "model" : sequence == NULL ? "sequence" : "place for the hidden state");
    ogk_sequence last = *sequence;
    last.logits = 1;
    uint64_t rows = 0, wanted = 0;
    ogk_status status = check_step(model, &last, 1, &rows, &wanted, error);
    if (status != OGK_OK) return status;
    pass(model, &last, 1, (uint32_t)rows, 1, NULL, hidden);
    return OGK_OK;
}
