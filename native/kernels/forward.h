/* One pass of many sequences' tokens through the layers, over a model's work space. */
#ifndef OGK_FORWARD_H
#define OGK_FORWARD_H

#include "og_kernels.h"

/* Where a row of the step comes from. */
typedef struct ogk_place {
    uint32_t sequence, position;
    int32_t token;
    uint32_t wanted; /* 1: its final hidden state is needed */
} ogk_place;

/* Consecutive tokens of one sequence against query heads [first_head, first_head + heads) of one kv head. */
typedef struct ogk_task {
    uint32_t sequence, row, start, tokens;
    uint32_t kv_head, first_head, heads;
} ogk_task;

/*
 * Caches keys and values of all tokens. For the `wanted` rows it leaves the normed final hidden states in
 * model->work.attention, one after the other, and their prepared form for the head. The caller has checked everything.
 */
void ogk_forward(ogk_model *model, const ogk_sequence *sequences, uint32_t count, uint32_t rows, uint32_t wanted);

/* Logits of the first `rows` rows that ogk_forward left. */
void ogk_forward_logits(ogk_model *model, uint32_t rows, float *logits);

#endif
