/* Dividing a step's attention among threads, and running it. */
#ifndef OGK_ATTENTION_PLAN_H
#define OGK_ATTENTION_PLAN_H

#include "model.h"

/* Fills model->work.tasks and gives their number. row is the first row of the first sequence: 0. */
uint32_t ogk_attention_plan(ogk_model *model, const ogk_sequence *sequences, uint32_t count);

/* Reads queries from work.qkv, writes rows of work.attention (stride: the query width). */
void ogk_attention_run(ogk_model *model, const ogk_sequence *sequences, const ogk_layer *layer, uint32_t tasks);

/* Elements from one kv head's keys or values to the next one's. */
size_t ogk_cache_head_stride(const ogk_config *config);

#endif
