/*
 * Linear layers: y[row][out] = sum over k of x[row][k] * w[out][k], in one fixed order of k per element, whatever the
 * number of rows, the panels or the instruction set. Weights are packed in panels of OGK_PANEL outputs.
 */
#ifndef OGK_LINEAR_H
#define OGK_LINEAR_H

#include <stddef.h>
#include <stdint.h>

#define OGK_PANEL 16u  /* outputs per panel; the last panel is padded with zero rows */
#define OGK_GROUP 32u  /* inputs per quantization group; `in` is a multiple of it */

/* Bytes of a packed matrix of `out` rows and `in` columns. Panels are contiguous and equally large. */
size_t ogk_linear_packed_size(uint32_t scheme, uint32_t out, uint32_t in);

/* Packs panels [from, to) of a row-major matrix of type OGK_TYPE_...; panels may be packed by several threads. */
void ogk_linear_pack(uint32_t scheme, uint32_t out, uint32_t in, uint32_t type, const void *weights, uint32_t from, uint32_t to,
                     void *packed);

/* Bytes of `rows` prepared input rows. */
size_t ogk_linear_input_size(uint32_t scheme, uint32_t rows, uint32_t in);

/* Prepares rows [from, to) of x (row stride `stride` floats): rounds or quantizes each row by itself. Rows may be
 * prepared by several threads; `rows` is the number of rows of the whole input. */
void ogk_linear_prepare(uint32_t scheme, uint32_t isa, uint32_t rows, uint32_t in, const float *x, size_t stride, uint32_t from,
                        uint32_t to, void *prepared);

/* Computes panels [from, to) for all rows: y has row stride `stride` floats and room for whole panels is NOT assumed:
 * columns at or above `out` are not written. Threads take disjoint panels. Needs no scratch memory but its stack.
 * For AMX the calling thread has called ogk_isa_enter_thread() once. */
void ogk_linear_run(uint32_t scheme, uint32_t isa, uint32_t rows, uint32_t out, uint32_t in, uint32_t from, uint32_t to,
                    const void *packed, const void *prepared, float *y, size_t stride);

/* Copies row `row` of a packed matrix back as fp32, as the layer sees it: for embeddings tied to the output layer. */
void ogk_linear_row(uint32_t scheme, uint32_t in, const void *packed, uint32_t row, float *x);

/* Once per thread that runs kernels: tile permission and configuration, flush of denormals. */
void ogk_isa_enter_thread(uint32_t isa);

#endif
