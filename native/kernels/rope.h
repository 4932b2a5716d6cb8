/* Frequencies of the rotary embedding, and one position's angles. */
#ifndef OGK_ROPE_H
#define OGK_ROPE_H

#include "og_kernels.h"

/* head_dim / 2 frequencies, as fp32 like the published models' code. */
void ogk_rope_frequencies(const ogk_config *config, float *frequencies);

/* cos and sin of position * frequency, the product exact, each within one ulp of fp32. */
void ogk_rope_angles(const float *frequencies, uint32_t count, uint32_t position, float *cosines, float *sines);

#endif
