/* The promise: every element has the same bits on every instruction set, for every number of rows, in every split. */
#include <stdlib.h>
#include <string.h>
#include <xmmintrin.h>

#include "check.h"
#include "linear.h"
#include "linear_case.h"
#include "og_kernels.h"

static const uint32_t schemes[] = {OGK_BF16, OGK_INT8, OGK_INT4};
static const uint32_t widths[] = {32, 64, 96, 160, 224, 288, 512, 544, 896, 1120};

static void compare_with_scalar(uint32_t isa, int kind, uint64_t seed)
{
    need_isa(isa);
    random_source random = {seed};
    for (size_t s = 0; s < 3; s++)
        for (uint32_t turn = 0; turn < 36; turn++) {
            uint32_t rows = turn < 20 ? turn + 1 : 1 + (uint32_t)(random_bits(&random) >> 32) % 70;
            uint32_t out = 1 + (uint32_t)(random_bits(&random) >> 32) % 90, in = widths[(random_bits(&random) >> 32) % 10];
            linear_case of = linear_case_make(&random, schemes[s], rows, out, in, kind);
            float *expected = linear_case_run(&of, OGK_ISA_SCALAR), *actual = linear_case_run(&of, isa);
            expect_same(&of, ogk_isa_name(isa), expected, actual);
            free(expected);
            free(actual);
            linear_case_free(&of);
        }
}

static void compare_all_data_with_scalar(uint32_t isa)
{
    compare_with_scalar(isa, data_plain, 11);
    compare_with_scalar(isa, data_wild, 12);
    compare_with_scalar(isa, data_broken, 13);
    compare_with_scalar(isa, data_tiny, 14);
}

TEST(linear_on_avx2_has_the_scalar_bits)
{
    compare_all_data_with_scalar(OGK_ISA_AVX2);
}

TEST(linear_on_avx512_has_the_scalar_bits)
{
    compare_all_data_with_scalar(OGK_ISA_AVX512);
}

TEST(linear_on_amx_has_the_scalar_bits)
{
    compare_all_data_with_scalar(OGK_ISA_AMX);
}

/* The widths and heights of a model's layers, where chunks of inputs and blocks of rows are cut. */
TEST(linear_of_large_layers_is_equal_on_all)
{
    random_source random = {21};
    for (size_t s = 0; s < 3; s++) {
        linear_case of = linear_case_make(&random, schemes[s], 147, 37, 4864, data_plain);
        float *expected = linear_case_run(&of, OGK_ISA_AVX2);
        for (uint32_t isa = OGK_ISA_AVX512; isa <= ogk_best_isa(); isa++) {
            float *actual = linear_case_run(&of, isa);
            expect_same(&of, ogk_isa_name(isa), expected, actual);
            free(actual);
        }
        free(expected);
        linear_case_free(&of);
    }
}

/* Prefill equals decode: a row alone, in small company and in a large batch. */
TEST(linear_of_a_row_does_not_depend_on_its_company)
{
    random_source random = {31};
    for (uint32_t isa = OGK_ISA_SCALAR; isa <= ogk_best_isa(); isa++)
        for (size_t s = 0; s < 3; s++) {
            linear_case of = linear_case_make(&random, schemes[s], 70, 50, 352, data_wild);
            float *together = linear_case_run(&of, isa), *apart = aligned(sizeof(float) * 70 * 50);
            for (uint32_t size = 1; size <= 19; size += size < 6 ? 1 : 4) {
                for (uint32_t row = 0; row < of.rows; row += size)
                    linear_case_run_part(&of, isa, row, of.rows - row < size ? of.rows - row : size, 0, 4, apart + row * of.out, of.out);
                expect_same(&of, "rows apart", together, apart);
            }
            free(together);
            free(apart);
            linear_case_free(&of);
        }
}

TEST(linear_of_panels_apart_equals_all_and_writes_nothing_else)
{
    enum { rows = 21, out = 75, in = 96, stride = out + 9 };
    random_source random = {41};
    for (uint32_t isa = OGK_ISA_SCALAR; isa <= ogk_best_isa(); isa++)
        for (size_t s = 0; s < 3; s++)
            for (uint32_t count = 1; count <= rows; count += 4) {
                linear_case of = linear_case_make(&random, schemes[s], count, out, in, data_plain);
                float *together = linear_case_run(&of, isa), *apart = aligned(sizeof(float) * count * out), *wide = aligned(sizeof(float) * rows * stride);
                uint32_t untouched = sentinel;
                for (size_t i = 0; i < (size_t)rows * stride; i++) memcpy(wide + i, &untouched, sizeof untouched);
                linear_case_run_part(&of, isa, 0, count, 3, 5, wide, stride);
                linear_case_run_part(&of, isa, 0, count, 0, 1, wide, stride);
                linear_case_run_part(&of, isa, 0, count, 1, 1, wide, stride);
                linear_case_run_part(&of, isa, 0, count, 1, 3, wide, stride);
                for (uint32_t row = 0; row < rows; row++)
                    for (uint32_t o = 0; o < stride; o++) {
                        if (row < count && o < out)
                            apart[row * out + o] = wide[row * stride + o];
                        else
                            CHECK_BYTES(&untouched, wide + row * stride + o, sizeof untouched);
                    }
                expect_same(&of, "panels apart", together, apart);
                free(together);
                free(apart);
                free(wide);
                linear_case_free(&of);
            }
}

TEST(linear_input_prepared_in_pieces_is_the_same)
{
    random_source random = {51};
    for (uint32_t isa = OGK_ISA_SCALAR; isa <= ogk_best_isa(); isa++)
        for (size_t s = 0; s < 3; s++) {
            linear_case of = linear_case_make(&random, schemes[s], 37, 16, 160, data_plain);
            float *expected = linear_case_run(&of, isa), *actual = aligned(sizeof(float) * 37 * 16), *spread = aligned(sizeof(float) * 37 * 170);
            void *prepared = aligned(ogk_linear_input_size(of.scheme, of.rows, of.in));
            for (uint32_t row = 0; row < of.rows; row++) memcpy(spread + row * 170, of.x + row * of.in, of.in * sizeof(float));
            static const uint32_t cuts[] = {20, 37, 0, 3, 3, 16, 16, 20};
            for (size_t i = 0; i < 8; i += 2) ogk_linear_prepare(of.scheme, isa, of.rows, of.in, spread, 170, cuts[i], cuts[i + 1], prepared);
            ogk_linear_run(of.scheme, isa, of.rows, of.out, of.in, 0, 1, of.packed, prepared, actual, of.out);
            expect_same(&of, "prepared in pieces", expected, actual);
            free(expected);
            free(actual);
            free(spread);
            free(prepared);
            linear_case_free(&of);
        }
}

/* A host's thread may round upwards and keep denormals. */
TEST(linear_ignores_the_threads_floating_point_state_and_keeps_it)
{
    enum { upwards_and_denormals = 0x5f80, ours = 0x9fc0 };
    random_source random = {61};
    for (uint32_t isa = OGK_ISA_SCALAR; isa <= ogk_best_isa(); isa++)
        for (size_t s = 0; s < 3; s++) {
            _mm_setcsr(ours);
            linear_case of = linear_case_make(&random, schemes[s], 18, 40, 224, data_wild);
            float *expected = linear_case_run(&of, isa), *actual = aligned(sizeof(float) * 18 * 40);
            uint8_t *packed = aligned(ogk_linear_packed_size(of.scheme, of.out, of.in));
            _mm_setcsr(upwards_and_denormals);
            linear_case_run_part(&of, isa, 0, of.rows, 0, 3, actual, of.out);
            ogk_linear_pack(of.scheme, of.out, of.in, OGK_TYPE_F32, of.weights, 0, 3, packed);
            CHECK((_mm_getcsr() & ~0x3fu) == upwards_and_denormals);
            expect_same(&of, "another floating-point state", expected, actual);
            CHECK_BYTES(of.packed, packed, ogk_linear_packed_size(of.scheme, of.out, of.in));
            free(expected);
            free(actual);
            free(packed);
            linear_case_free(&of);
        }
}

/*
 * The order of TDPBF16PS against fma, over bits of every kind: one block of 32 inputs shows both chains and their sum, two
 * the sum over blocks. 2.6 million elements of 32 or 64 products.
 */
TEST(linear_bf16_on_tiles_has_the_order_of_two_fma_chains)
{
    need_isa(OGK_ISA_AMX);
    random_source random = {71};
    for (uint32_t turn = 0; turn < 640; turn++) {
        linear_case of = linear_case_make(&random, OGK_BF16, 64, 64, turn % 2 == 0 ? 32 : 64, (int)(turn / 2 % data_kinds));
        float *expected = linear_case_run(&of, OGK_ISA_AVX512), *actual = linear_case_run(&of, OGK_ISA_AMX);
        expect_same(&of, "tiles", expected, actual);
        free(expected);
        free(actual);
        linear_case_free(&of);
    }
}

TEST(linear_parts_cover_small_and_large_layers)
{
    for (size_t s = 0; s < 3; s++)
        for (uint32_t out = 1; out < 200000; out = out * 3 + 1)
            for (uint32_t in = 32; in <= 16384; in *= 4)
                for (uint32_t rows = 1; rows <= 256; rows *= 16) {
                    uint32_t panels = (out + OGK_PANEL - 1) / OGK_PANEL, part = ogk_linear_part_panels(schemes[s], rows, out, in, 2);
                    CHECK(part >= 1 && part <= panels);
                    CHECK(rows > OGK_PANEL || part == panels || part * OGK_PANEL * in >= 16384); /* weights, not bytes */
                }
}

TEST(isa_beyond_the_machine_runs_the_best_it_has)
{
    CHECK(ogk_best_isa() >= OGK_ISA_SCALAR && ogk_best_isa() <= OGK_ISA_AMX);
    CHECK(strcmp(ogk_isa_name(OGK_ISA_BEST), ogk_isa_name(ogk_best_isa())) == 0);
    CHECK(strcmp(ogk_isa_name(OGK_ISA_SCALAR), "scalar") == 0 && strcmp(ogk_isa_name(77), "unknown") == 0);
    CHECK(strcmp(ogk_numerics(OGK_BF16, OGK_ISA_SCALAR), ogk_numerics(OGK_INT4, OGK_ISA_AMX)) == 0);
    random_source random = {81};
    linear_case of = linear_case_make(&random, OGK_INT4, 9, 20, 64, data_plain);
    float *expected = linear_case_run(&of, OGK_ISA_SCALAR), *actual = linear_case_run(&of, OGK_ISA_AMX + 5);
    expect_same(&of, "best", expected, actual);
    free(expected);
    free(actual);
    linear_case_free(&of);
}
