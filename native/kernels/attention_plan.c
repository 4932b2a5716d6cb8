#include "attention_plan.h"

/* Query heads of one task: more share what is read, fewer leave room for tokens among OGK_TASK_ROWS. */
enum { heads_most = 16 };

/* Keys times query heads times dimensions below which the calling thread does it all: waking the others costs longer. */
enum { alone = 1 << 16 };

size_t ogk_cache_head_stride(const ogk_config *config)
{
    return (size_t)config->pages * config->page_tokens * config->head_dim;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t parts_of(uint32_t count, uint32_t size)
{
    return (count + size - 1) / size;
}

static uint32_t count_tasks(const ogk_config *c, const ogk_sequence *sequences, uint32_t count, uint32_t heads, uint32_t tokens)
{
    uint32_t blocks = 0;
    for (uint32_t i = 0; i < count; i++) blocks += parts_of(sequences[i].token_count, tokens);
    return blocks * c->kv_heads * parts_of(c->heads / c->kv_heads, heads);
}

uint32_t ogk_attention_plan(ogk_model *model, const ogk_sequence *sequences, uint32_t count)
{
    const ogk_config *c = &model->config;
    uint32_t group = c->heads / c->kv_heads, heads = least(group, heads_most), tokens = OGK_TASK_ROWS / heads;
    /* Too few tasks for the threads: fewer tokens, then fewer heads in each. What is computed stays the same. */
    while (tokens > 8 && count_tasks(c, sequences, count, heads, tokens) < 4 * c->threads) tokens /= 2;
    while (heads > 1 && count_tasks(c, sequences, count, heads, tokens) < c->threads) heads = (heads + 1) / 2;
    uint32_t made = 0, row = 0;
    for (uint32_t i = 0; i < count; i++) {
        const ogk_sequence *s = &sequences[i];
        /* the last tokens see most keys: they go first, so that threads end together */
        for (uint32_t block = parts_of(s->token_count, tokens); block-- > 0;)
            for (uint32_t head = 0; head < c->heads; head += least(heads, group - head % group)) {
                uint32_t from = block * tokens;
                model->work.tasks[made++] = (ogk_task){.sequence = i, .row = row + from, .start = s->start + from,
                                                       .tokens = least(tokens, s->token_count - from), .kv_head = head / group,
                                                       .first_head = head, .heads = least(heads, group - head % group)};
            }
        row += s->token_count;
    }
    return made;
}

typedef struct attention_run {
    ogk_model *model;
    const ogk_sequence *sequences;
    const ogk_layer *layer;
} attention_run;

/* As many pieces as threads: a running task always finds one. */
static uint32_t claim(ogk_work *work, uint32_t threads)
{
    for (uint32_t i = 0;; i = (i + 1) % threads)
        if (!atomic_flag_test_and_set_explicit(&work->claimed[i], memory_order_acquire)) return i;
}

static void run_task(void *context, uint32_t part)
{
    const attention_run *run = context;
    ogk_model *m = run->model;
    const ogk_config *c = &m->config;
    const ogk_task *task = &m->work.tasks[part];
    size_t qkv_width = ogk_query_width(c) + 2 * (size_t)ogk_key_width(c), width = ogk_query_width(c);
    size_t column = (size_t)task->first_head * c->head_dim, head = task->kv_head * ogk_cache_head_stride(c);
    uint32_t piece = claim(&m->work, c->threads);
    const ogk_attention attention = {
        .queries = m->work.qkv + task->row * qkv_width + column,
        .out = m->work.attention + task->row * width + column,
        .queries_stride = qkv_width,
        .out_stride = width,
        .keys = run->layer->keys + head,
        .values = run->layer->values + head,
        .pages = run->sequences[task->sequence].pages,
        .page_tokens = c->page_tokens,
        .head_dim = c->head_dim,
        .start = task->start,
        .tokens = task->tokens,
        .heads = task->heads,
        .scratch = m->work.scratch + piece * ogk_attention_scratch(c->head_dim),
    };
    m->ops->attend(&attention);
    atomic_flag_clear_explicit(&m->work.claimed[piece], memory_order_release);
}

void ogk_attention_run(ogk_model *model, const ogk_sequence *sequences, const ogk_layer *layer, uint32_t tasks)
{
    attention_run run = {model, sequences, layer};
    uint64_t cost = 0;
    for (uint32_t i = 0; i < tasks && cost < alone; i++) {
        const ogk_task *t = &model->work.tasks[i];
        cost += ((uint64_t)t->start + t->tokens) * t->tokens * t->heads * model->config.head_dim;
    }
    if (cost >= alone)
        ogk_pool_run(model->pool, tasks, run_task, &run);
    else
        for (uint32_t i = 0; i < tasks; i++) run_task(&run, i);
}
