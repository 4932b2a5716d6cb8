#include "forward.h"

#include <string.h>

#include "attention_plan.h"
#include "linear.h"
#include "linear_numbers.h"
#include "model.h"
#include "rope.h"

/* Rows up to which a phase over rows is done by the calling thread: waking the others costs more than a microsecond, about
 * what normalizing and quantizing two rows takes. */
enum { rows_alone = 2 };

typedef struct ogk_pass {
    ogk_model *model;
    const ogk_sequence *sequences;
    uint32_t count, rows;
    const ogk_layer *layer;
    /* the phase over rows */
    void (*work)(const struct ogk_pass *pass, uint32_t from, uint32_t to);
    uint32_t part_rows;
    const float *added, *bias, *norm; /* of a norm: what x grows by, and the weight */
    const float *input;               /* of a preparation */
    uint32_t width;
    size_t stride;
    /* the phase over panels */
    const ogk_matrix *matrix;
    float *y;
    uint32_t part_panels, panels;
} ogk_pass;

static uint32_t parts_of(uint32_t count, uint32_t size)
{
    return (count + size - 1) / size;
}

static uint32_t end_of(uint32_t part, uint32_t size, uint32_t count)
{
    return count - part * size < size ? count : (part + 1) * size;
}

static void rows_part(void *context, uint32_t part)
{
    const ogk_pass *p = context;
    p->work(p, part * p->part_rows, end_of(part, p->part_rows, p->rows));
}

static void each_row(ogk_pass *p, void (*work)(const ogk_pass *, uint32_t, uint32_t))
{
    uint32_t threads = ogk_pool_threads(p->model->pool);
    if (threads == 1 || p->rows <= rows_alone) {
        work(p, 0, p->rows);
        return;
    }
    p->work = work;
    p->part_rows = parts_of(p->rows, threads * 4);
    ogk_pool_run(p->model->pool, parts_of(p->rows, p->part_rows), rows_part, p);
}

static void embed_rows(const ogk_pass *p, uint32_t from, uint32_t to)
{
    const ogk_model *m = p->model;
    uint32_t hidden = m->config.hidden, half = m->config.head_dim / 2;
    for (uint32_t r = from; r < to; r++) {
        const ogk_place *place = &m->work.places[r];
        float *x = m->work.x + (size_t)r * hidden;
        if (m->embedding == NULL) {
            ogk_linear_row(m->config.scheme, hidden, m->head.packed, (uint32_t)place->token, x);
        } else {
            const uint16_t *row = m->embedding + (size_t)(uint32_t)place->token * hidden;
            for (uint32_t i = 0; i < hidden; i++) x[i] = ogk_from_bf16(row[i]);
        }
        ogk_rope_angles(m->frequencies, half, place->position, m->work.cosines + (size_t)r * half, m->work.sines + (size_t)r * half);
    }
}

static void prepare_rows(const ogk_pass *p, uint32_t from, uint32_t to)
{
    const ogk_config *c = &p->model->config;
    ogk_linear_prepare(c->scheme, c->isa, p->rows, p->width, p->input, p->stride, from, to, p->model->work.prepared);
}

static void prepare(ogk_pass *p, const float *input, uint32_t width, size_t stride)
{
    p->input = input;
    p->width = width;
    p->stride = stride;
    each_row(p, prepare_rows);
}

static void norm_rows(const ogk_pass *p, uint32_t from, uint32_t to)
{
    const ogk_model *m = p->model;
    uint32_t hidden = m->config.hidden;
    for (uint32_t r = from; r < to; r++) {
        size_t row = (size_t)r * hidden;
        m->ops->add_norm(hidden, m->work.x + row, p->added == NULL ? NULL : p->added + row, p->bias, p->norm, m->config.norm_epsilon,
                         m->work.delta + row);
    }
    ogk_linear_prepare(m->config.scheme, m->config.isa, p->rows, hidden, m->work.delta, hidden, from, to, m->work.prepared);
}

/* x grows by what the last matrix left in delta; delta becomes the normed rows, and they are prepared. */
static void norm(ogk_pass *p, const float *added, const float *bias, const float *weight)
{
    p->added = added;
    p->bias = bias;
    p->norm = weight;
    each_row(p, norm_rows);
}

static void run_panels(const ogk_pass *p, uint32_t from, uint32_t to)
{
    const ogk_config *c = &p->model->config;
    ogk_linear_run(c->scheme, c->isa, p->rows, p->matrix->out, p->matrix->in, from, to, p->matrix->packed, p->model->work.prepared, p->y, p->stride);
}

static void panels_part(void *context, uint32_t part)
{
    const ogk_pass *p = context;
    run_panels(p, part * p->part_panels, end_of(part, p->part_panels, p->panels));
}

/* Panels of gate, the same ones of up, and their product, while they are near. */
static void gate_part(void *context, uint32_t part)
{
    const ogk_pass *p = context;
    uint32_t from = part * p->part_panels, to = end_of(part, p->part_panels, p->panels);
    run_panels(p, from, to);
    run_panels(p, p->panels + from, p->panels + to);
    for (uint32_t r = 0; r < p->rows; r++) {
        float *gate = p->y + (size_t)r * p->stride + (size_t)from * OGK_PANEL;
        p->model->ops->silu_multiply((to - from) * OGK_PANEL, gate, gate + (size_t)p->panels * OGK_PANEL);
    }
}

static void multiply(ogk_pass *p, const ogk_matrix *matrix, float *y, size_t stride, uint32_t panels, void (*part)(void *, uint32_t))
{
    const ogk_config *c = &p->model->config;
    p->matrix = matrix;
    p->y = y;
    p->stride = stride;
    p->panels = panels;
    p->part_panels = ogk_linear_part_panels(c->scheme, p->rows, panels * OGK_PANEL, matrix->in, c->threads);
    if (p->part_panels == 0) p->part_panels = 1;
    ogk_pool_run(p->model->pool, parts_of(panels, p->part_panels), part, p);
}

static void linear(ogk_pass *p, const ogk_matrix *matrix, float *y)
{
    multiply(p, matrix, y, matrix->out, parts_of(matrix->out, OGK_PANEL), panels_part);
}

static void rope_rows(const ogk_pass *p, uint32_t from, uint32_t to)
{
    const ogk_model *m = p->model;
    const ogk_config *c = &m->config;
    size_t width = ogk_query_width(c) + 2 * (size_t)ogk_key_width(c), half = c->head_dim / 2;
    /* 2^x is cheaper than e^x: the queries carry log2(e) */
    float scale = (float)(0x1.71547652b82fep+0 / __builtin_sqrt((double)c->head_dim));
    for (uint32_t r = from; r < to; r++) {
        const ogk_place *place = &m->work.places[r];
        uint32_t inside = place->position % c->page_tokens, lane = inside % OGK_KEYS_BLOCK;
        size_t first = (size_t)p->sequences[place->sequence].pages[place->position / c->page_tokens] * c->page_tokens;
        const ogk_rope_row row = {
            .qkv = m->work.qkv + r * width,
            .bias = p->layer->qkv_bias,
            .q_norm = p->layer->q_norm,
            .k_norm = p->layer->k_norm,
            .cosines = m->work.cosines + r * half,
            .sines = m->work.sines + r * half,
            .heads = c->heads,
            .kv_heads = c->kv_heads,
            .head_dim = c->head_dim,
            .epsilon = c->norm_epsilon,
            .scale = scale,
            .keys = p->layer->keys + (first + inside - lane) * c->head_dim + lane,
            .values = p->layer->values + (first + inside) * c->head_dim,
            .head_stride = ogk_cache_head_stride(c),
        };
        m->ops->rope_row(&row);
    }
}

static void place_rows(ogk_pass *p)
{
    ogk_place *place = p->model->work.places;
    for (uint32_t i = 0; i < p->count; i++) {
        const ogk_sequence *s = &p->sequences[i];
        for (uint32_t t = 0; t < s->token_count; t++, place++)
            *place = (ogk_place){.sequence = i, .position = s->start + t, .token = s->tokens[t],
                                 .wanted = s->logits == 2 || (s->logits == 1 && t + 1 == s->token_count)};
    }
}

/* After the last layer's attention a row is of no more use unless its final state is wanted: those that are move up. */
static void keep_wanted(ogk_pass *p, uint32_t wanted)
{
    const ogk_work *w = &p->model->work;
    size_t hidden = p->model->config.hidden, width = ogk_query_width(&p->model->config);
    uint32_t kept = 0;
    for (uint32_t r = 0; r < p->rows && wanted < p->rows; r++) {
        if (w->places[r].wanted == 0) continue;
        memmove(w->x + kept * hidden, w->x + r * hidden, hidden * sizeof(float));
        memmove(w->attention + kept * width, w->attention + r * width, width * sizeof(float));
        kept++;
    }
    p->rows = wanted;
}

void ogk_forward(ogk_model *model, const ogk_sequence *sequences, uint32_t count, uint32_t rows, uint32_t wanted)
{
    const ogk_config *c = &model->config;
    const ogk_work *w = &model->work;
    ogk_pass pass = {.model = model, .sequences = sequences, .count = count, .rows = rows}, *p = &pass;
    place_rows(p);
    uint32_t tasks = ogk_attention_plan(model, sequences, count);
    each_row(p, embed_rows);
    for (uint32_t i = 0; i < c->layers; i++) {
        const ogk_layer *layer = p->layer = &model->layers[i];
        norm(p, i == 0 ? NULL : w->delta, NULL, layer->attention_norm);
        linear(p, &layer->qkv, w->qkv);
        each_row(p, rope_rows);
        if (i + 1 == c->layers && wanted == 0) return;
        ogk_attention_run(model, sequences, layer, tasks);
        if (i + 1 == c->layers) keep_wanted(p, wanted);
        prepare(p, w->attention, ogk_query_width(c), ogk_query_width(c));
        linear(p, &layer->out, w->delta);
        norm(p, w->delta, layer->out_bias, layer->mlp_norm);
        multiply(p, &layer->gate_up, w->gates, 2 * (size_t)c->intermediate, c->intermediate / OGK_PANEL, gate_part);
        prepare(p, w->gates, c->intermediate, 2 * (size_t)c->intermediate);
        linear(p, &layer->down, w->delta);
    }
    norm(p, w->delta, NULL, model->norm);
    memcpy(w->attention, w->delta, (size_t)p->rows * c->hidden * sizeof(float));
}

void ogk_forward_logits(ogk_model *model, uint32_t rows, float *logits)
{
    ogk_pass pass = {.model = model, .rows = rows};
    linear(&pass, &model->head, logits);
}
