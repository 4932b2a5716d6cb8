#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "linear.h"
#include "region.h"
#include "rope.h"

/* Reserves into *piece; false when out of memory. Freeing walks the same lists, so a half-made model can be freed. */
static int reserve(void *piece, uint64_t bytes)
{
    void *region = bytes == 0 ? NULL : ogk_region_reserve(bytes);
    memcpy(piece, &region, sizeof region);
    return bytes == 0 || region != NULL;
}

static int reserve_matrix(ogk_matrix *matrix, uint32_t out, uint32_t in, uint64_t bytes)
{
    matrix->out = out;
    matrix->in = in;
    return reserve(&matrix->packed, bytes);
}

static float *take(float **from, uint32_t count)
{
    float *taken = *from;
    *from += count;
    return taken;
}

static int reserve_layer(const ogk_config *c, const ogk_sizes *sizes, ogk_layer *layer)
{
    uint32_t queries = ogk_query_width(c), keys = ogk_key_width(c);
    int reserved = reserve_matrix(&layer->qkv, queries + 2 * keys, c->hidden, sizes->qkv) &&
                   reserve_matrix(&layer->out, c->hidden, queries, sizes->out) &&
                   reserve_matrix(&layer->gate_up, 2 * c->intermediate, c->hidden, sizes->gate_up) &&
                   reserve_matrix(&layer->down, c->hidden, c->intermediate, sizes->down) && reserve(&layer->vectors, sizes->vectors) &&
                   reserve(&layer->keys, sizes->cached) && reserve(&layer->values, sizes->cached);
    if (!reserved) return 0;
    float *rest = layer->vectors;
    layer->attention_norm = take(&rest, c->hidden);
    layer->mlp_norm = take(&rest, c->hidden);
    if (c->attention_bias != 0) layer->qkv_bias = take(&rest, queries + 2 * keys);
    if (ogk_has_output_bias(c)) layer->out_bias = take(&rest, c->hidden);
    if (c->architecture == OGK_ARCH_QWEN3) {
        layer->q_norm = take(&rest, c->head_dim);
        layer->k_norm = take(&rest, c->head_dim);
    }
    return 1;
}

static int reserve_work(const ogk_sizes *s, ogk_work *work)
{
    return reserve(&work->x, s->hidden_rows) && reserve(&work->delta, s->hidden_rows) && reserve(&work->qkv, s->qkv_rows) &&
           reserve(&work->attention, s->attention_rows) && reserve(&work->gates, s->gate_rows) && reserve(&work->cosines, s->angle_rows) &&
           reserve(&work->sines, s->angle_rows) && reserve(&work->prepared, s->prepared) && reserve(&work->places, s->row_places) &&
           reserve(&work->tasks, s->tasks) && reserve(&work->scratch, s->scratch);
}

static int reserve_all(ogk_model *model)
{
    const ogk_config *c = &model->config;
    const ogk_sizes *s = &model->sizes;
    for (uint32_t i = 0; i < c->layers; i++)
        if (!reserve_layer(c, s, &model->layers[i])) return 0;
    return reserve_matrix(&model->head, c->vocabulary, c->hidden, s->head) && reserve(&model->embedding, s->embedding) &&
           reserve(&model->norm, c->hidden * sizeof(float)) && reserve_work(s, &model->work);
}

ogk_status ogk_model_create(const ogk_config *config, ogk_model **created, ogk_error *error)
{
    if (created == NULL) return ogk_fail(error, OGK_NULL_ARGUMENT, "no place for the model");
    *created = NULL;
    ogk_sizes sizes;
    ogk_status status = ogk_config_check(config, error);
    if (status == OGK_OK) status = ogk_config_sizes(config, &sizes, error);
    if (status != OGK_OK) return status;
    ogk_model *model = calloc(1, sizeof *model);
    ogk_layer *layers = calloc(config->layers, sizeof *layers);
    if (model == NULL || layers == NULL) {
        free(model);
        free(layers);
        return ogk_fail(error, OGK_OUT_OF_MEMORY, "no memory for %u layers", config->layers);
    }
    model->config = *config;
    if (config->isa == OGK_ISA_BEST) model->config.isa = ogk_best_isa();
    model->sizes = sizes;
    model->layers = layers;
    model->ops = ogk_ops_of(model->config.isa);
    ogk_rope_frequencies(config, model->frequencies);
    for (size_t i = 0; i < sizeof model->work.claimed / sizeof model->work.claimed[0]; i++) atomic_flag_clear(&model->work.claimed[i]);
    if (!reserve_all(model))
        status = ogk_fail(error, OGK_OUT_OF_MEMORY, "no memory for %llu bytes of weights, %llu of cache and %llu of work space",
                          (unsigned long long)sizes.weights, (unsigned long long)sizes.cache, (unsigned long long)sizes.work);
    else if ((model->pool = ogk_pool_create(config->threads, model->config.isa)) == NULL)
        status = ogk_fail(error, OGK_OUT_OF_MEMORY, "%u threads could not be started", config->threads);
    if (status != OGK_OK)
        ogk_model_free(model);
    else
        *created = model;
    return status;
}

ogk_status ogk_model_memory(const ogk_config *config, uint64_t *weights, uint64_t *cache, uint64_t *work, ogk_error *error)
{
    if (weights == NULL || cache == NULL || work == NULL) return ogk_fail(error, OGK_NULL_ARGUMENT, "no place for a size");
    ogk_sizes sizes;
    ogk_status status = ogk_config_check(config, error);
    if (status == OGK_OK) status = ogk_config_sizes(config, &sizes, error);
    if (status != OGK_OK) return status;
    *weights = sizes.weights;
    *cache = sizes.cache;
    *work = sizes.work;
    return OGK_OK;
}

static void release_layer(const ogk_sizes *s, const ogk_layer *layer)
{
    ogk_region_release(layer->qkv.packed, s->qkv);
    ogk_region_release(layer->out.packed, s->out);
    ogk_region_release(layer->gate_up.packed, s->gate_up);
    ogk_region_release(layer->down.packed, s->down);
    ogk_region_release(layer->vectors, s->vectors);
    ogk_region_release(layer->keys, s->cached);
    ogk_region_release(layer->values, s->cached);
}

static void release_work(const ogk_sizes *s, const ogk_work *work)
{
    ogk_region_release(work->x, s->hidden_rows);
    ogk_region_release(work->delta, s->hidden_rows);
    ogk_region_release(work->qkv, s->qkv_rows);
    ogk_region_release(work->attention, s->attention_rows);
    ogk_region_release(work->gates, s->gate_rows);
    ogk_region_release(work->cosines, s->angle_rows);
    ogk_region_release(work->sines, s->angle_rows);
    ogk_region_release(work->prepared, s->prepared);
    ogk_region_release(work->places, s->row_places);
    ogk_region_release(work->tasks, s->tasks);
    ogk_region_release(work->scratch, s->scratch);
}

void ogk_model_free(ogk_model *model)
{
    if (model == NULL) return;
    if (model->pool != NULL) ogk_pool_free(model->pool);
    for (uint32_t i = 0; i < model->config.layers; i++) release_layer(&model->sizes, &model->layers[i]);
    ogk_region_release(model->head.packed, model->sizes.head);
    ogk_region_release(model->embedding, model->sizes.embedding);
    ogk_region_release(model->norm, model->config.hidden * sizeof(float));
    release_work(&model->sizes, &model->work);
    free(model->layers);
    free(model);
}
