/* What the numbers are: the definition of linear.h written a second time, with the C library's fma, and what packing keeps. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "isa.h"
#include "linear.h"
#include "linear_case.h"
#include "linear_numbers.h"
#include "og_kernels.h"

static float *rows_of(const linear_case *of)
{
    float *rows = aligned((size_t)of->out * of->in * sizeof(float));
    for (uint32_t o = 0; o < of->out; o++) ogk_linear_row(of->scheme, of->in, of->packed, o, rows + (size_t)o * of->in);
    return rows;
}

static float expected_bf16(const float *x, const float *w, uint32_t in)
{
    float y = 0;
    for (uint32_t block = 0; block < in; block += 32) {
        float even = 0, odd = 0;
        for (uint32_t k = block; k < block + 32; k += 2) {
            even = fmaf(ogk_from_bf16(ogk_to_bf16(x[k])), ogk_from_bf16(ogk_to_bf16(w[k])), even);
            odd = fmaf(ogk_from_bf16(ogk_to_bf16(x[k + 1])), ogk_from_bf16(ogk_to_bf16(w[k + 1])), odd);
        }
        y += even + odd;
    }
    return y;
}

TEST(linear_bf16_is_its_definition)
{
    random_source random = {101};
    linear_case of = linear_case_make(&random, OGK_BF16, 5, 33, 320, data_plain);
    float *actual = linear_case_run(&of, OGK_ISA_SCALAR), *expected = aligned(sizeof(float) * 5 * 33);
    for (uint32_t r = 0; r < of.rows; r++)
        for (uint32_t o = 0; o < of.out; o++) expected[r * of.out + o] = expected_bf16(of.x + r * of.in, of.weights + o * of.in, of.in);
    expect_same(&of, "definition", expected, actual);
    free(actual);
    free(expected);
    linear_case_free(&of);
}

/* The scale of a group as a packed row shows it: its smallest distance from zero, where one of the integers is 1 or -1. */
static float expected_integers(const float *x, const float *w, uint32_t in, uint32_t scheme)
{
    float y = 0;
    for (uint32_t group = 0; group < in; group += 32) {
        float most = 0, farthest = 0;
        for (uint32_t k = group; k < group + 32; k++) {
            if (fabsf(x[k]) > most) most = fabsf(x[k]);
            if (fabsf(w[k]) > fabsf(farthest)) farthest = w[k];
        }
        float scale = ogk_from_fp16(ogk_to_fp16(scheme == OGK_INT8 ? fabsf(farthest) / 127 : farthest / -8));
        int64_t sum = 0;
        for (uint32_t k = group; k < group + 32; k++) {
            long quant = lrintf(w[k] * (1 / scale)), least = scheme == OGK_INT8 ? -127 : -8, largest = scheme == OGK_INT8 ? 127 : 7;
            quant = quant < least ? least : quant > largest ? largest : quant;
            sum += quant * lrintf(x[k] * (127 / most));
        }
        y = fmaf((float)sum, scale * (most / 127), y);
    }
    return y;
}

static void integers_are_their_definition(uint32_t scheme)
{
    random_source random = {102};
    linear_case of = linear_case_make(&random, scheme, 5, 33, 352, data_plain);
    float *actual = linear_case_run(&of, OGK_ISA_SCALAR), *expected = aligned(sizeof(float) * 5 * 33);
    for (uint32_t r = 0; r < of.rows; r++)
        for (uint32_t o = 0; o < of.out; o++) expected[r * of.out + o] = expected_integers(of.x + r * of.in, of.weights + o * of.in, of.in, scheme);
    expect_same(&of, "definition", expected, actual);
    free(actual);
    free(expected);
    linear_case_free(&of);
}

TEST(linear_int8_is_its_definition)
{
    integers_are_their_definition(OGK_INT8);
}

TEST(linear_int4_is_its_definition)
{
    integers_are_their_definition(OGK_INT4);
}

/* An input with a single one picks a column: what the layer multiplies with is what ogk_linear_row gives. */
TEST(linear_row_is_what_the_layer_multiplies_with)
{
    static const uint32_t schemes[] = {OGK_BF16, OGK_INT8, OGK_INT4};
    for (size_t s = 0; s < 3; s++) {
        random_source random = {103};
        linear_case of = linear_case_make(&random, schemes[s], 96, 35, 96, data_plain);
        for (uint32_t k = 0; k < 96; k++)
            for (uint32_t i = 0; i < 96; i++) of.x[k * 96 + i] = i == k ? 127 : 0;
        float *rows = rows_of(&of), *y = linear_case_run(&of, OGK_ISA_BEST);
        for (uint32_t k = 0; k < 96; k++)
            for (uint32_t o = 0; o < of.out; o++) CHECK(fabsf(y[k * of.out + o] - 127 * rows[o * 96 + k]) <= 1e-5f * fabsf(y[k * of.out + o]));
        free(rows);
        free(y);
        linear_case_free(&of);
    }
}

TEST(packing_stays_within_half_a_step_of_the_weights)
{
    static const uint32_t schemes[] = {OGK_BF16, OGK_INT8, OGK_INT4};
    static const float steps[] = {1 / 128.0f, 1 / 127.0f, 1 / 8.0f}; /* of the group's largest weight */
    for (size_t s = 0; s < 3; s++) {
        random_source random = {104};
        linear_case of = linear_case_make(&random, schemes[s], 1, 40, 256, data_plain);
        float *rows = rows_of(&of);
        for (uint32_t i = 0; i < of.out * of.in; i += 32) {
            float most = 0;
            for (uint32_t k = i; k < i + 32; k++) most = fmaxf(most, fabsf(of.weights[k]));
            for (uint32_t k = i; k < i + 32; k++) {
                /* int4 has no +8: the far end on the other side may be off by a whole step */
                float allowed = most * steps[s] * (schemes[s] == OGK_INT4 ? 1.01f : 0.51f);
                CHECK(fabsf(rows[k] - of.weights[k]) <= allowed);
            }
        }
        free(rows);
        linear_case_free(&of);
    }
}

/* Scales that fp16 holds with few bits: what they round to must not push integers out of their range. */
TEST(packing_of_tiny_weights_stays_near_them)
{
    for (uint32_t scheme = OGK_INT8; scheme <= OGK_INT4; scheme++) {
        random_source random = {108};
        linear_case of = linear_case_make(&random, scheme, 1, 64, 256, data_plain);
        for (uint32_t i = 0; i < of.out * of.in; i++) of.weights[i] *= ldexpf(scheme == OGK_INT8 ? 127 : 8, -26 + (int)(i / 512 % 8));
        ogk_linear_pack(scheme, of.out, of.in, OGK_TYPE_F32, of.weights, 0, 4, of.packed);
        float *rows = rows_of(&of);
        for (uint32_t i = 0; i < of.out * of.in; i++) {
            float step = ldexpf(1, -26 + (int)(i / 512 % 8)), largest = scheme == OGK_INT8 ? 127 : 8;
            float scale_off = 0x1p-25f * largest; /* what the scale's own rounding moves the largest weight by */
            CHECK(fabsf(rows[i] - of.weights[i]) <= step + scale_off);
        }
        free(rows);
        linear_case_free(&of);
    }
}

TEST(packing_of_huge_weights_stops_at_the_largest_scale)
{
    for (uint32_t scheme = OGK_INT8; scheme <= OGK_INT4; scheme++) {
        random_source random = {109};
        linear_case of = linear_case_make(&random, scheme, 1, 16, 32, data_plain);
        for (uint32_t i = 0; i < of.out * of.in; i++) of.weights[i] = i % 2 == 0 ? -1.5e12f : 1e38f;
        ogk_linear_pack(scheme, of.out, of.in, OGK_TYPE_F32, of.weights, 0, 1, of.packed);
        float *rows = rows_of(&of);
        for (uint32_t i = 0; i < of.out * of.in; i++) CHECK(rows[i] == (i % 2 == 0 ? -1.0f : 1.0f) * (scheme == OGK_INT8 ? 127 : i % 2 == 0 ? 7 : 8) * 65504);
        free(rows);
        linear_case_free(&of);
    }
}

TEST(packing_does_not_depend_on_the_type_or_the_split)
{
    static const uint32_t schemes[] = {OGK_BF16, OGK_INT8, OGK_INT4};
    enum { out = 37, in = 96 };
    random_source random = {105};
    float *plain = aligned(sizeof(float) * out * in);
    uint16_t *brain = aligned(2 * out * in), *half = aligned(2 * out * in);
    for (uint32_t i = 0; i < out * in; i++) {
        plain[i] = ogk_from_bf16(ogk_to_bf16(random_uniform(&random))); /* 8 bits of 1 and below are in all three types */
        if (fabsf(plain[i]) < 0x1p-8f) plain[i] = 0;
        brain[i] = ogk_to_bf16(plain[i]);
        half[i] = ogk_to_fp16(plain[i]);
        CHECK(ogk_from_fp16(half[i]) == plain[i]);
    }
    for (size_t s = 0; s < 3; s++) {
        size_t size = ogk_linear_packed_size(schemes[s], out, in);
        uint8_t *packed = aligned(size), *other = aligned(size);
        ogk_linear_pack(schemes[s], out, in, OGK_TYPE_F32, plain, 0, 3, packed);
        ogk_linear_pack(schemes[s], out, in, OGK_TYPE_BF16, brain, 0, 3, other);
        CHECK_BYTES(packed, other, size);
        ogk_linear_pack(schemes[s], out, in, OGK_TYPE_F16, half, 2, 3, other);
        ogk_linear_pack(schemes[s], out, in, OGK_TYPE_F16, half, 0, 2, other);
        CHECK_BYTES(packed, other, size);
        free(packed);
        free(other);
    }
    free(plain);
    free(brain);
    free(half);
}

TEST(weights_that_are_no_numbers_make_their_output_nan)
{
    static const uint32_t schemes[] = {OGK_BF16, OGK_INT8, OGK_INT4};
    for (size_t s = 0; s < 3; s++) {
        random_source random = {106};
        linear_case of = linear_case_make(&random, schemes[s], 20, 20, 64, data_plain);
        of.weights[3 * 64 + 40] = NAN;
        ogk_linear_pack(of.scheme, of.out, of.in, OGK_TYPE_F32, of.weights, 0, 2, of.packed);
        float *y = linear_case_run(&of, OGK_ISA_BEST);
        for (uint32_t i = 0; i < of.rows * of.out; i++) CHECK(isnan(y[i]) == (i % of.out == 3));
        free(y);
        linear_case_free(&of);
    }
}

TEST(fp16_survives_the_way_to_fp32_and_back)
{
    for (uint32_t bits = 0; bits < 0x10000u; bits++) {
        float value = ogk_from_fp16((uint16_t)bits);
        if ((bits & 0x7fffu) > 0x7c00u) {
            CHECK(isnan(value) && isnan(ogk_from_fp16(ogk_to_fp16(value))));
            continue;
        }
        CHECK(ogk_to_fp16(value) == bits);
        if ((bits & 0x7fffu) >= 0x7bffu) continue;
        float next = ogk_from_fp16((uint16_t)(bits + 1)), between = (value + next) / 2;
        CHECK(ogk_to_fp16(between) == (bits % 2 == 0 ? bits : bits + 1)); /* ties to even */
    }
    CHECK(ogk_to_fp16(1e30f) == 0x7bffu && ogk_to_fp16(-65519.0f) == 0xfbffu && ogk_to_fp16(-INFINITY) == 0xfc00u);
}

TEST(bf16_is_rounded_to_nearest_even)
{
    CHECK(ogk_to_bf16(ogk_from_bits(0x3f808000u)) == 0x3f80u);
    CHECK(ogk_to_bf16(ogk_from_bits(0x3f818000u)) == 0x3f82u);
    CHECK(ogk_to_bf16(ogk_from_bits(0x3f808001u)) == 0x3f81u);
    CHECK(ogk_to_bf16(ogk_from_bits(0x7f7fffffu)) == 0x7f80u);
    CHECK(ogk_to_bf16(ogk_from_bits(0xff800001u)) == 0xffc0u);
}

/* The C library's fma takes the processor's where there is one, and its flags are ours. */
TEST(fma_without_the_instruction_rounds_once)
{
    random_source random = {107};
    uint32_t state = ogk_float_enter();
    for (uint32_t i = 0; i < 3000000; i++) {
        float a = random_number(&random, data_broken), b = random_number(&random, data_broken), c = random_number(&random, data_broken);
        if (i % 4 == 0) c = -a * b; /* what cancels shows the rounding */
        if (i % 4 == 1) c = a * b * 0x1.000002p24f;
        if (i % 4 == 2) { /* a product between two fp32, and something small that decides */
            a = (float)(random_bits(&random) >> 52 | 0x801);
            b = (float)(random_bits(&random) >> 51 | 0x1001);
            c = random_uniform(&random) * 0x1p-40f;
        }
        float expected = fmaf(a, b, c), actual = ogk_fma(a, b, c);
        CHECK(ogk_bits(expected) == ogk_bits(actual) || (isnan(expected) && isnan(actual)));
    }
    ogk_float_leave(state);
}
