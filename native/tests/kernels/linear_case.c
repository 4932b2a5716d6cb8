#include "linear_case.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "linear.h"
#include "og_kernels.h"

enum { ctest_skipped = 77 };

uint64_t random_bits(random_source *from)
{
    from->state ^= from->state >> 12;
    from->state ^= from->state << 25;
    from->state ^= from->state >> 27;
    return from->state * 0x2545f4914f6cdd1du;
}

float random_uniform(random_source *from)
{
    return (float)(random_bits(from) >> 40) * 0x1p-23f - 1;
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float random_number(random_source *from, int kind)
{
    uint64_t choice = random_bits(from) >> 32;
    uint32_t bits = (uint32_t)(random_bits(from) >> 32);
    if (kind == data_plain) return random_uniform(from);
    if (kind == data_broken && choice % 97 == 0) return from_bits((bits & 0x80000000u) | 0x7f800000u | (bits % 3 == 0 ? 0x12345u : 0));
    if (choice % 13 == 0) return from_bits(bits & 0x80000000u);
    if (choice % 13 == 1) return from_bits(bits & 0x807fffffu); /* denormal */
    if (choice % 13 < 5) return from_bits((bits & 0x81ffffffu) | 0x1e000000u); /* products near the smallest normal */
    if (choice % 13 < 7) return from_bits((bits & 0x81ffffffu) | 0x5e000000u); /* and near the largest */
    if (choice % 13 < 9 && (bits & 0x7f800000u) != 0x7f800000u) return from_bits(bits);
    return random_uniform(from);
}

void *aligned(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    CHECK(memory != NULL);
    return memory;
}

/* bf16: factors around 2^-63. Quantized: scales around the smallest of fp16 and the smallest that an input may have. */
static float tiny(random_source *from, uint32_t scheme, uint32_t row, int weight)
{
    int down = (int)(random_bits(from) >> 32) & 3;
    float plain = random_uniform(from);
    if (scheme == OGK_BF16) return ldexpf(plain, -61 - down);
    return ldexpf(plain, weight ? -12 - down : -96 - (int)(row % 7));
}

linear_case linear_case_make(random_source *from, uint32_t scheme, uint32_t rows, uint32_t out, uint32_t in, int kind)
{
    linear_case made = {scheme, rows, out, in, aligned((size_t)rows * in * sizeof(float)), aligned((size_t)out * in * sizeof(float)),
                        aligned(ogk_linear_packed_size(scheme, out, in))};
    /* some rows are as models have them, so that not everything ends as a NaN */
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t k = 0; k < in; k++) made.x[(size_t)r * in + k] = kind == data_tiny ? tiny(from, scheme, r, 0) : random_number(from, r % 3 == 2 ? data_plain : kind);
    for (uint32_t o = 0; o < out; o++)
        for (uint32_t k = 0; k < in; k++) made.weights[(size_t)o * in + k] = kind == data_tiny ? tiny(from, scheme, o, 1) : random_number(from, o % 3 == 2 ? data_plain : kind);
    ogk_linear_pack(scheme, out, in, OGK_TYPE_F32, made.weights, 0, (out + OGK_PANEL - 1) / OGK_PANEL, made.packed);
    return made;
}

void linear_case_free(linear_case *of)
{
    free(of->x);
    free(of->weights);
    free(of->packed);
}

void linear_case_run_part(const linear_case *of, uint32_t isa, uint32_t row, uint32_t count, uint32_t from, uint32_t to, float *y, size_t stride)
{
    void *prepared = aligned(ogk_linear_input_size(of->scheme, count, of->in));
    ogk_linear_prepare(of->scheme, isa, count, of->in, of->x + (size_t)row * of->in, of->in, 0, count, prepared);
    ogk_linear_run(of->scheme, isa, count, of->out, of->in, from, to, of->packed, prepared, y, stride);
    free(prepared);
}

float *linear_case_run(const linear_case *of, uint32_t isa)
{
    float *y = aligned((size_t)of->rows * of->out * sizeof(float));
    ogk_isa_enter_thread(isa);
    linear_case_run_part(of, isa, 0, of->rows, 0, (of->out + OGK_PANEL - 1) / OGK_PANEL, y, of->out);
    return y;
}

static int is_nan(uint32_t bits)
{
    return (bits & 0x7fffffffu) > 0x7f800000u;
}

void expect_same(const linear_case *of, const char *what, const float *expected, const float *actual)
{
    for (size_t i = 0; i < (size_t)of->rows * of->out; i++) {
        uint32_t left, right;
        memcpy(&left, expected + i, sizeof left);
        memcpy(&right, actual + i, sizeof right);
        if (left == right || (is_nan(left) && is_nan(right) && right != sentinel)) continue;
        check_failed(__FILE__, __LINE__, "%s: scheme %" PRIu32 ", %" PRIu32 " rows, %" PRIu32 " x %" PRIu32 ", row %zu output %zu: %a (%08" PRIx32 "), not %a (%08" PRIx32 ")",
                     what, of->scheme, of->rows, of->out, of->in, i / of->out, i % of->out, (double)actual[i], right, (double)expected[i], left);
    }
}

void need_isa(uint32_t isa)
{
    if (ogk_best_isa() >= isa) return;
    printf("skipped: this machine's best is %s, not %s\n", ogk_isa_name(OGK_ISA_BEST), ogk_isa_name(isa));
    exit(ctest_skipped);
}
