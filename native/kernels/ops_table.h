/* The kernels' bodies, compiled once per instruction set by the file that says which. */
#include "ops.h"

#include "lanes.h"
#include "norm.h"
#include "rope_row.h"
#include "attention_tiles.h"
#include "attention.h"

static void exp2_all(uint32_t n, float *x)
{
    for (uint32_t i = 0; i < n; i += OGK_WIDTH) lanes_store(x + i, lanes_exp2(lanes_load(x + i)));
}

const ogk_ops OGK_OPS_TABLE = {add_norm, silu_multiply, rope_row, attend, exp2_all};
