/* Hugging Face's tensor names and where their contents go. */
#ifndef OGK_TENSORS_H
#define OGK_TENSORS_H

#include "model.h"

typedef struct ogk_slot {
    uint32_t rows, columns;    /* columns is 0 for a vector */
    float *vector;             /* one of these three */
    ogk_matrix *matrix;
    uint16_t *embedding;
    uint32_t first_panel;      /* of the matrix */
    uint32_t *given, bit;      /* is set when the tensor is */
} ogk_slot;

/* OGK_UNKNOWN_TENSOR for a name that this configuration does not have. */
ogk_status ogk_tensor_find(ogk_model *model, const char *name, ogk_slot *slot, ogk_error *error);

/* OGK_MISSING_TENSOR names the first that was not set. */
ogk_status ogk_tensors_complete(const ogk_model *model, ogk_error *error);

#endif
