/* Random linear layers, and their results as bits. */
#ifndef OGK_TESTS_LINEAR_CASE_H
#define OGK_TESTS_LINEAR_CASE_H

#include <stddef.h>
#include <stdint.h>

/* A small generator whose seed is part of a failure's text (xorshift64*). */
typedef struct random_source {
    uint64_t state;
} random_source;

uint64_t random_bits(random_source *from);
float random_uniform(random_source *from); /* in [-1, 1) */

/* What the numbers of a case are like. */
enum {
    data_plain,    /* as models have them */
    data_wild,     /* exponents over the whole range, zeros of both signs, denormals: overflow and underflow on the way */
    data_broken,   /* and infinities and NaN */
    data_tiny,     /* products and sums around the smallest normal number: what is flushed shows */
    data_kinds
};

float random_number(random_source *from, int kind); /* not for data_tiny */

enum { sentinel = 0x7fa5a5a5 }; /* bits of y that nobody wrote */

typedef struct linear_case {
    uint32_t scheme, rows, out, in;
    float *x;       /* [rows][in] */
    float *weights; /* [out][in] */
    uint8_t *packed;
} linear_case;

linear_case linear_case_make(random_source *from, uint32_t scheme, uint32_t rows, uint32_t out, uint32_t in, int kind);
void linear_case_free(linear_case *of);

/* y of all rows at once, [rows][out]; the caller frees it. */
float *linear_case_run(const linear_case *of, uint32_t isa);

/* Rows [row, row + count) alone, panels [from, to): into y with stride `stride`. */
void linear_case_run_part(const linear_case *of, uint32_t isa, uint32_t row, uint32_t count, uint32_t from, uint32_t to, float *y, size_t stride);

/* Ends the test unless both have the same bits, or both a NaN. */
void expect_same(const linear_case *of, const char *what, const float *expected, const float *actual);

void *aligned(size_t bytes);

/* Ends the test as skipped, with the reason, where this machine lacks the instruction set. */
void need_isa(uint32_t isa);

#endif
