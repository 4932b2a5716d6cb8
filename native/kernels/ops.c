#include "ops.h"

#include "og_kernels.h"

const ogk_ops *ogk_ops_of(uint32_t isa)
{
#if defined(__x86_64__)
    if (isa >= OGK_ISA_AVX512) return &ogk_ops_avx512;
    if (isa == OGK_ISA_AVX2) return &ogk_ops_avx2;
#endif
    (void)isa;
    return &ogk_ops_scalar;
}

size_t ogk_attention_scratch(uint32_t head_dim)
{
    size_t scores = (size_t)OGK_TASK_ROWS * OGK_SEGMENT, outputs = 2 * (size_t)OGK_TASK_ROWS * head_dim;
    size_t wide = 4 * (size_t)OGK_KEYS_BLOCK * head_dim, queries = 2 * (size_t)OGK_TASK_ROWS * head_dim; /* tiles of 6 fill 8 rows */
    return scores + outputs + wide + queries;
}
