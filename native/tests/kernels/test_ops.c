/* Each instruction set's kernels against the portable definition, bit for bit, and the definition against libm. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "isa.h"
#include "model_fixture.h"
#include "ops.h"
#include "rope.h"

enum { values = 4096 };

static void fill(random_state *random, float *x, uint32_t count, float scale)
{
    for (uint32_t i = 0; i < count; i++) x[i] = scale * random_normal(random);
}

static const ogk_ops *other(uint32_t isa)
{
    ogk_float_enter();
    return ogk_ops_of(isa);
}

TEST(exp2_is_near_and_equal)
{
    float x[values], y[values];
    for (uint32_t i = 0; i < values; i++) x[i] = -125.0f + 252.0f * (float)i / (values - 1);
    memcpy(y, x, sizeof x);
    ogk_ops_scalar.exp2(values, y);
    for (uint32_t i = 0; i < values; i++) CHECK(fabs((double)y[i] / exp2((double)x[i]) - 1) < 1.3e-7);
    for (uint32_t isa = OGK_ISA_AVX2; isa <= ogk_best_isa(); isa++) {
        float z[values];
        memcpy(z, x, sizeof x);
        other(isa)->exp2(values, z);
        CHECK(memcmp(y, z, sizeof y) == 0);
    }
}

TEST(exp2_at_its_ends)
{
    for (uint32_t isa = OGK_ISA_SCALAR; isa <= ogk_best_isa(); isa++) {
        float x[16] = {0, -0.0f, 1, -1, 127, 128, 1e30f, INFINITY, -125, -125.01f, -1000, -INFINITY, 0.5f, -0.5f, 126.5f, NAN};
        other(isa)->exp2(16, x);
        CHECK(x[0] == 1 && x[1] == 1 && x[2] == 2 && x[3] == 0.5f && x[4] == 0x1p127f && x[5] == 0x1p127f && x[6] == 0x1p127f);
        CHECK(x[7] == 0x1p127f && x[8] == 0x1p-125f && x[9] == 0 && x[10] == 0 && x[11] == 0 && isfinite(x[14]));
    }
}

TEST(silu_is_near_and_equal)
{
    random_state random = {1};
    float x[values], up[values], y[values];
    fill(&random, x, values, 6);
    fill(&random, up, values, 1);
    x[0] = 1000;
    x[1] = -1000;
    memcpy(y, x, sizeof x);
    ogk_ops_scalar.silu_multiply(values, y, up);
    for (uint32_t i = 0; i < values; i++) {
        double expected = (double)x[i] / (1 + exp(-(double)x[i])) * (double)up[i];
        CHECK(fabs((double)y[i] - expected) <= 2e-6 * fabs(expected) + 1e-30);
    }
    for (uint32_t isa = OGK_ISA_AVX2; isa <= ogk_best_isa(); isa++) {
        float z[values];
        memcpy(z, x, sizeof x);
        other(isa)->silu_multiply(values, z, up);
        CHECK(memcmp(y, z, sizeof y) == 0);
    }
}

TEST(norm_is_equal)
{
    random_state random = {2};
    float x[values], delta[values], bias[values], weight[values];
    fill(&random, x, values, 3);
    fill(&random, delta, values, 1);
    fill(&random, bias, values, 1);
    fill(&random, weight, values, 1);
    for (uint32_t n = 16; n <= values; n += 16 + n / 3 / 16 * 16)
        for (int with = 0; with < 3; with++) {
            float x1[values], y1[values];
            memcpy(x1, x, sizeof x);
            ogk_ops_scalar.add_norm(n, x1, with > 0 ? delta : NULL, with > 1 ? bias : NULL, weight, 1e-6f, y1);
            for (uint32_t isa = OGK_ISA_AVX2; isa <= ogk_best_isa(); isa++) {
                float x2[values], y2[values];
                memcpy(x2, x, sizeof x);
                memcpy(y2, delta, sizeof delta);
                other(isa)->add_norm(n, x2, with > 0 ? y2 : NULL, with > 1 ? bias : NULL, weight, 1e-6f, y2); /* in place */
                CHECK(memcmp(x1, x2, n * sizeof *x) == 0 && memcmp(y1, y2, n * sizeof *x) == 0);
            }
        }
}

TEST(rope_rows_are_equal)
{
    random_state random = {3};
    enum { heads = 3, kv_heads = 2, most = (heads + 2 * kv_heads) * 256 };
    static float qkv[most], bias[most], norms[512], angles[256];
    fill(&random, qkv, most, 2);
    fill(&random, bias, most, 1);
    fill(&random, norms, 512, 1);
    fill(&random, angles, 256, 0.7f);
    qkv[most - 1] = 1e6f; /* beyond fp16 */
    static const uint32_t dims[] = {16, 32, 48, 64, 80, 128, 256};
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++)
        for (int with = 0; with < 2; with++) {
            static float results[5][most];
            static uint16_t cached[5][4 * 16 * 256];
            for (uint32_t isa = OGK_ISA_SCALAR; isa <= ogk_best_isa(); isa++) {
                memcpy(results[isa], qkv, sizeof qkv);
                memset(cached[isa], 0, sizeof cached[isa]);
                const ogk_rope_row row = {.qkv = results[isa], .bias = with ? bias : NULL, .q_norm = with ? norms : NULL,
                                          .k_norm = with ? norms + 256 : NULL, .cosines = angles, .sines = angles + 128, .heads = heads,
                                          .kv_heads = kv_heads, .head_dim = dims[i], .epsilon = 1e-6f, .scale = 0.18f,
                                          .keys = cached[isa] + 5, .values = cached[isa] + 2 * 16 * 256, .head_stride = 16 * 256};
                other(isa)->rope_row(&row);
                CHECK(memcmp(results[OGK_ISA_SCALAR], results[isa], heads * dims[i] * sizeof(float)) == 0);
                CHECK(memcmp(cached[OGK_ISA_SCALAR], cached[isa], sizeof cached[isa]) == 0);
            }
        }
}

/* One task over a cache of random halves; scratch and cache beyond the sequence hold NaN, which must not be seen. */
static void attend(const ogk_ops *ops, uint32_t dim, uint32_t start, uint32_t tokens, uint32_t heads, const float *queries, const uint16_t *keys,
                   const uint16_t *cached, float *out)
{
    size_t scratch = ogk_attention_scratch(dim);
    float *piece = malloc(scratch * sizeof *piece);
    int32_t pages[64];
    CHECK(piece != NULL);
    for (size_t i = 0; i < scratch; i++) piece[i] = NAN;
    for (int32_t i = 0; i < 64; i++) pages[i] = 63 - i;
    const ogk_attention task = {.queries = queries, .out = out, .queries_stride = (size_t)heads * dim, .out_stride = (size_t)heads * dim, .keys = keys,
                                .values = cached, .pages = pages, .page_tokens = 32, .head_dim = dim, .start = start, .tokens = tokens,
                                .heads = heads, .scratch = piece};
    ops->attend(&task);
    free(piece);
}

TEST(attention_is_equal_and_divides_freely)
{
    enum { positions = 2048, most = 128 * 80 };
    random_state random = {4};
    static float queries[most], whole[most], parts[most];
    static uint16_t keys[positions * 80], cached[positions * 80];
    fill(&random, queries, most, 0.4f);
    for (uint32_t i = 0; i < positions * 80; i++) {
        keys[i] = (uint16_t)(random_below(&random, 0x4000) | random_below(&random, 2) << 15);
        cached[i] = (uint16_t)(random_below(&random, 0x4000) | random_below(&random, 2) << 15);
    }
    static const struct {
        uint32_t dim, start, tokens, heads;
    } cases[] = {{64, 0, 1, 1}, {64, 0, 18, 7}, {64, 5, 18, 7}, {64, 505, 18, 7}, {64, 1000, 1, 7}, {64, 1023, 2, 8}, {32, 480, 128, 1},
                 {48, 30, 5, 3}, {80, 511, 1, 16}, {80, 1530, 13, 9}, {16, 2047, 1, 5}, {32, 1000, 100, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t dim = cases[i].dim, row = cases[i].heads * dim, size = cases[i].tokens * row;
        attend(&ogk_ops_scalar, dim, cases[i].start, cases[i].tokens, cases[i].heads, queries, keys, cached, whole);
        for (uint32_t k = 0; k < size; k++) CHECK(isfinite(whole[k]));
        for (uint32_t isa = OGK_ISA_AVX2; isa <= ogk_best_isa(); isa++) {
            memset(parts, 0, sizeof parts);
            attend(other(isa), dim, cases[i].start, cases[i].tokens, cases[i].heads, queries, keys, cached, parts);
            CHECK(memcmp(whole, parts, size * sizeof(float)) == 0);
            memset(parts, 0, sizeof parts);
            for (uint32_t t = 0; t < cases[i].tokens; t++) /* token by token */
                attend(other(isa), dim, cases[i].start + t, 1, cases[i].heads, queries + t * row, keys, cached, parts + t * row);
            CHECK(memcmp(whole, parts, size * sizeof(float)) == 0);
        }
    }
}

TEST(angles_are_within_an_ulp)
{
    ogk_config config = small_config(OGK_ARCH_LLAMA, OGK_BF16);
    config.rope_theta = 1000000;
    config.head_dim = 128;
    float frequencies[64], cosines[64], sines[64];
    ogk_rope_frequencies(&config, frequencies);
    for (uint32_t i = 0; i < 64; i++) {
        double expected = pow(1e6, -(double)i / 64);
        CHECK(fabs((double)frequencies[i] / expected - 1) < 6.1e-8);
    }
    for (uint32_t position = 0; position < 16000000; position = position * 5 / 4 + 1) {
        ogk_rope_angles(frequencies, 64, position, cosines, sines);
        for (uint32_t i = 0; i < 64; i++) {
            double angle = (double)position * (double)frequencies[i];
            CHECK(fabs((double)cosines[i] - cos(angle)) < 6e-8 && fabs((double)sines[i] - sin(angle)) < 6e-8);
        }
    }
}

/* A later segment's scores far above the earlier one's: what was summed before counts for nothing, and nothing overflows.
 * And far below: the later one counts for nothing. */
TEST(attention_of_segments_far_apart_is_finite)
{
    enum { dim = 32, positions = 2048 };
    static uint16_t keys[positions * dim], cached[positions * dim];
    float query[dim], out[dim];
    for (uint32_t up = 0; up < 2; up++) {
        for (uint32_t position = 0; position < positions; position++) {
            int late = position >= OGK_SEGMENT;
            size_t page = 63 - position / 32, block = (page * 32 + position % 32 / 16 * 16) * dim, row = (page * 32 + position % 32) * dim;
            for (uint32_t d = 0; d < dim; d++) {
                keys[block + d * 16 + position % 16] = late == (int)up ? 0x4900 : 0xc900; /* 10, -10 */
                cached[row + d] = late ? 0x4000 : 0x3c00;                                  /* 2, 1 */
            }
        }
        for (uint32_t d = 0; d < dim; d++) query[d] = 1;
        for (uint32_t isa = OGK_ISA_SCALAR; isa <= ogk_best_isa(); isa++) {
            attend(other(isa), dim, 999, 1, 1, query, keys, cached, out);
            for (uint32_t d = 0; d < dim; d++) CHECK(fabsf(out[d] - (up ? 2.0f : 1.0f)) < 1e-6f);
        }
    }
}
