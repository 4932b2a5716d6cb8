/*
 * Linear layers: y[row][out] = sum over k of x[row][k] * w[out][k], in one fixed order of k per element, whatever the
 * number of rows, the panels or the instruction set. Weights are packed in panels of OGK_PANEL outputs.
 *
 * THE ORDER     Arithmetic is fp32, rounded to nearest even. A denormal operand counts as zero, a denormal result becomes
 *               zero. fma(a, b, c) rounds once. What follows is the whole definition: linear_scalar.c is it in C, every
 *               other file gives the same bits (of a NaN only that it is one).
 *
 *   bf16        X and W are x and w rounded to bf16. y begins as +0. For each block of 32 inputs, in order:
 *                 even = +0, odd = +0
 *                 for i = 0 .. 15:  even = fma(X[2i], W[2i], even),  odd = fma(X[2i+1], W[2i+1], odd)
 *                 y = y + (even + odd)
 *               This is what one TDPBF16PS does, so that tiles and plain FMA may be mixed.
 *
 *   int8, int4  Of each row and group of 32 inputs: a = max |x|, sx = a / 127, qx = round(x * (127 / a)), ties to even. A
 *               group whose a is below 2^-100 is zero (sx = 0), one with an infinity or NaN has sx = NaN and qx = 0.
 *               Weights have one scale sw per output and group, held as fp16. y begins as +0. For each group, in order:
 *                 y = fma((float)(sum of qx * qw), sw * sx, y)
 *               The sum is an exact integer, so its own order is free.
 *
 *   weights     int8: sw = fp16(max |w| / 127), qw = round(w * (1 / sw)) within [-127, 127]. int4: m is the weight farthest
 *               from zero, the first of several, sw = fp16(-m / 8), qw = round(w * (1 / sw)) within [-8, 7]. An sw that is
 *               zero or beyond fp16 is zero or the largest fp16. A group with an infinity or NaN has sw = NaN: its outputs
 *               are NaN rather than wrong.
 */
#ifndef OGK_LINEAR_H
#define OGK_LINEAR_H

#include <stddef.h>
#include <stdint.h>

#define OGK_PANEL 16u  /* outputs per panel; the last panel is padded with zero rows */
#define OGK_GROUP 32u  /* inputs per quantization group; `in` is a multiple of it */

/* Packed matrices and prepared inputs are best aligned to 64 bytes (for speed) and have to be to 4. */

/* Bytes of a packed matrix of `out` rows and `in` columns. Panels are contiguous and equally large. */
size_t ogk_linear_packed_size(uint32_t scheme, uint32_t out, uint32_t in);

/* Packs panels [from, to) of a row-major matrix of type OGK_TYPE_...; panels may be packed by several threads. */
void ogk_linear_pack(uint32_t scheme, uint32_t out, uint32_t in, uint32_t type, const void *weights, uint32_t from, uint32_t to,
                     void *packed);

/* Bytes of `rows` prepared input rows. Grows with rows: memory for the largest step serves every step. */
size_t ogk_linear_input_size(uint32_t scheme, uint32_t rows, uint32_t in);

/* Prepares rows [from, to) of x (row stride `stride` floats): rounds or quantizes each row by itself. Rows may be
 * prepared by several threads; `rows` is the number of rows of the whole input, and the same in ogk_linear_run. */
void ogk_linear_prepare(uint32_t scheme, uint32_t isa, uint32_t rows, uint32_t in, const float *x, size_t stride, uint32_t from,
                        uint32_t to, void *prepared);

/* Computes panels [from, to) for all rows: y has row stride `stride` floats and room for whole panels is NOT assumed:
 * columns at or above `out` are not written. Threads take disjoint panels. Needs no scratch memory but its stack (at most
 * 64 KiB). For AMX the calling thread has called ogk_isa_enter_thread() once. */
void ogk_linear_run(uint32_t scheme, uint32_t isa, uint32_t rows, uint32_t out, uint32_t in, uint32_t from, uint32_t to,
                    const void *packed, const void *prepared, float *y, size_t stride);

/* How many panels one part of a layer should take: enough to stream weights, or with many rows to share what is read of the
 * input, and few enough that `threads` end together. */
uint32_t ogk_linear_part_panels(uint32_t scheme, uint32_t rows, uint32_t out, uint32_t in, uint32_t threads);

/* Copies row `row` of a packed matrix back as fp32, as the layer sees it: for embeddings tied to the output layer. */
void ogk_linear_row(uint32_t scheme, uint32_t in, const void *packed, uint32_t row, float *x);

/* Once per thread that runs kernels: tile permission and configuration, flush of denormals. The functions above set the
 * floating-point state themselves and give it back, so a caller's thread may leave it as it was. */
void ogk_isa_enter_thread(uint32_t isa);

#endif
