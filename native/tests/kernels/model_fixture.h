/* Small random models: their configuration, their tensors as a file would hold them, and runs over them. */
#ifndef OGK_TESTS_MODEL_FIXTURE_H
#define OGK_TESTS_MODEL_FIXTURE_H

#include <stdint.h>

#include "og_kernels.h"

enum { tensors_most = 64 };

typedef struct tensor {
    char name[96];
    uint32_t rank;
    uint64_t dimensions[2];
    float *values;
} tensor;

typedef struct fixture {
    ogk_config config;
    tensor tensors[tensors_most];
    uint32_t count;
} fixture;

/* A generator with a seed; the same numbers everywhere. */
typedef struct random_state {
    uint64_t state;
} random_state;

uint32_t random_below(random_state *random, uint32_t bound);
float random_normal(random_state *random); /* roughly: a sum of uniforms, mean 0, deviation 1 */

/* Two layers, grouped heads, a vocabulary that fills no panel, a context over several segments of attention. */
ogk_config small_config(uint32_t architecture, uint32_t scheme);

/* Random tensors that the configuration needs. */
fixture *fixture_create(const ogk_config *config, uint64_t seed);
void fixture_free(fixture *fixture);

/* By its whole name, or a layer's tensor by the rest of its name; null where there is none. */
const tensor *fixture_find(const fixture *fixture, const char *rest, uint32_t layer);

/* A finished model, every tensor set as fp32. Differences from the fixture's configuration may be given. */
ogk_model *fixture_load(const fixture *fixture, const ogk_config *config);

/* Tokens of a sequence, the same for the same seed. */
void fixture_tokens(const fixture *fixture, uint64_t seed, int32_t *tokens, uint32_t count);

/* Logits of all positions, one token per step, over pages 0, 1, 2 and so on: [count][vocabulary], to be freed. */
float *decode_all(ogk_model *model, const ogk_config *config, const int32_t *tokens, uint32_t count);

/* Logits of all positions in double precision, computed in the plainest way: [count][vocabulary], to be freed. */
double *reference_logits(const fixture *fixture, const int32_t *tokens, uint32_t count);

#endif
