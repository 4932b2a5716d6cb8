/* Setting tensors: checked against their slot, then packed or converted by all threads. */
#include <string.h>

#include "error.h"
#include "linear.h"
#include "linear_numbers.h"
#include "tensors.h"

enum { panels_per_part = 8, rows_per_part = 64 };

static const char *type_name(uint32_t type)
{
    static const char *const names[] = {"f32", "f16", "bf16"};
    return type >= OGK_TYPE_F32 && type <= OGK_TYPE_BF16 ? names[type - OGK_TYPE_F32] : "an unknown type";
}

static uint32_t type_size(uint32_t type)
{
    return type == OGK_TYPE_F32 ? 4 : 2;
}

/* An element of a file's bytes, which may be aligned to nothing. */
static float element(uint32_t type, const uint8_t *data, uint64_t index)
{
    if (type == OGK_TYPE_F32) {
        float value;
        memcpy(&value, data + index * sizeof value, sizeof value);
        return value;
    }
    uint16_t half;
    memcpy(&half, data + index * sizeof half, sizeof half);
    return type == OGK_TYPE_F16 ? ogk_from_fp16(half) : ogk_from_bf16(half);
}

typedef struct load {
    const ogk_model *model;
    const ogk_slot *slot;
    const uint8_t *data;
    uint32_t type;
} load;

static void pack_part(void *context, uint32_t part)
{
    const load *l = context;
    const ogk_matrix *matrix = l->slot->matrix;
    uint32_t scheme = l->model->config.scheme, from = part * panels_per_part, panels = (l->slot->rows + OGK_PANEL - 1) / OGK_PANEL;
    uint32_t to = panels - from < panels_per_part ? panels : from + panels_per_part;
    uint8_t *packed = matrix->packed + (size_t)l->slot->first_panel * ogk_linear_packed_size(scheme, OGK_PANEL, matrix->in);
    ogk_linear_pack(scheme, l->slot->rows, l->slot->columns, l->type, l->data, from, to, packed);
}

static void embed_part(void *context, uint32_t part)
{
    const load *l = context;
    uint64_t columns = l->slot->columns, from = (uint64_t)part * rows_per_part, to = from + rows_per_part;
    if (to > l->slot->rows) to = l->slot->rows;
    for (uint64_t i = from * columns; i < to * columns; i++) l->slot->embedding[i] = ogk_to_bf16(element(l->type, l->data, i));
}

static uint32_t parts_of(uint32_t count, uint32_t size)
{
    return (count + size - 1) / size;
}

static ogk_status check_shape(const ogk_slot *slot, const char *name, uint32_t type, const uint64_t *dimensions, uint32_t rank,
                              uint64_t bytes, ogk_error *error)
{
    if (type < OGK_TYPE_F32 || type > OGK_TYPE_BF16) return ogk_fail(error, OGK_WRONG_SHAPE, "%s: type %u is not f32, f16 or bf16", name, type);
    uint32_t expected = slot->columns == 0 ? 1 : 2;
    unsigned long long rows = rank > 0 ? dimensions[0] : 0, columns = rank > 1 ? dimensions[1] : 0;
    if (rank != expected) return ogk_fail(error, OGK_WRONG_SHAPE, "%s: %s of rank %u, expected rank %u", name, type_name(type), rank, expected);
    if (expected == 1 && rows != slot->rows)
        return ogk_fail(error, OGK_WRONG_SHAPE, "%s: %s[%llu], expected [%u]", name, type_name(type), rows, slot->rows);
    if (expected == 2 && (rows != slot->rows || columns != slot->columns))
        return ogk_fail(error, OGK_WRONG_SHAPE, "%s: %s[%llu, %llu], expected [%u, %u]", name, type_name(type), rows, columns, slot->rows, slot->columns);
    uint64_t needed = (uint64_t)slot->rows * (expected == 1 ? 1 : slot->columns) * type_size(type);
    if (bytes != needed)
        return ogk_fail(error, OGK_WRONG_SHAPE, "%s: %llu bytes, expected %llu", name, (unsigned long long)bytes, (unsigned long long)needed);
    return OGK_OK;
}

ogk_status ogk_model_set(ogk_model *model, const char *name, uint32_t type, const uint64_t *dimensions, uint32_t rank, const void *data,
                         uint64_t bytes, ogk_error *error)
{
    if (model == NULL || name == NULL || dimensions == NULL || data == NULL)
        return ogk_fail(error, OGK_NULL_ARGUMENT, "no %s", model == NULL ? "model" : name == NULL ? "name" : dimensions == NULL ? "dimensions" : "data");
    if (model->finished) return ogk_fail(error, OGK_STATE, "%.160s: the model is finished", name);
    ogk_slot slot;
    ogk_status status = ogk_tensor_find(model, name, &slot, error);
    if (status == OGK_OK) status = check_shape(&slot, name, type, dimensions, rank, bytes, error);
    if (status != OGK_OK) return status;
    if ((*slot.given & slot.bit) != 0) return ogk_fail(error, OGK_STATE, "%s was set before", name);
    load l = {model, &slot, data, type};
    if (slot.matrix != NULL)
        ogk_pool_run(model->pool, parts_of(parts_of(slot.rows, OGK_PANEL), panels_per_part), pack_part, &l);
    else if (slot.embedding != NULL)
        ogk_pool_run(model->pool, parts_of(slot.rows, rows_per_part), embed_part, &l);
    else
        for (uint32_t i = 0; i < slot.rows; i++) slot.vector[i] = element(type, l.data, i);
    *slot.given |= slot.bit;
    return OGK_OK;
}

ogk_status ogk_model_finish(ogk_model *model, ogk_error *error)
{
    if (model == NULL) return ogk_fail(error, OGK_NULL_ARGUMENT, "no model");
    if (model->finished) return ogk_fail(error, OGK_STATE, "the model is finished");
    ogk_status status = ogk_tensors_complete(model, error);
    model->finished = status == OGK_OK;
    return status;
}
