/*
 * bf16 on tiles. Two blocks of 16 rows times two panels are four results, each of which waits for its own last product only.
 * Of many rows, a chunk of the inputs at a time, so that two panels' weights for it stay in the first-level cache while all
 * rows pass.
 */
#include "linear_amx.h"

enum {
    ahead = 4096,     /* bytes between use of a weight and its prefetch, where few rows leave the time to memory */
    blocks_max = 8,   /* blocks of rows that share a chunk: 16 KiB of results */
    chunk_max = 8     /* blocks of 32 inputs: 16 KiB of two panels' weights */
};

static void round_row(uint32_t in, const float *x, void *values, size_t step)
{
    uint16_t *target = values;
    const __m512i one = _mm512_set1_epi32(1), half = _mm512_set1_epi32(0x7fff);
    for (uint32_t block = 0; block < in / OGK_GROUP; block++, x += OGK_GROUP, target += step)
        for (uint32_t i = 0; i < 2; i++) {
            __m512 value = _mm512_loadu_ps(x + 16 * i);
            __m512i bits = _mm512_castps_si512(value), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), one);
            __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(half, odd));
            __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
            rounded = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
            __m256i words = _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
            _mm256_storeu_si256((__m256i *)(void *)(target + 16 * i), words);
        }
}

/* Up to two blocks of rows times up to two panels, over some of the inputs. */
typedef struct product {
    const uint8_t *x[2];
    size_t x_step[2]; /* bytes from 32 inputs to the next */
    const uint8_t *w[2];
    float *y[2][2];   /* where results go on with, and where they end */
    float *from[2][2];
    size_t y_step;    /* bytes between rows of y */
    uint32_t count;   /* blocks of 32 inputs */
} product;

OGK_INLINE void load_results(const product *p, const uint32_t M, const uint32_t N)
{
    if (p->from[0][0] == NULL) {
        _tile_zero(0);
        if (N == 2) _tile_zero(1);
        if (M == 2) _tile_zero(2);
        if (M == 2 && N == 2) _tile_zero(3);
        return;
    }
    _tile_loadd(0, p->from[0][0], 64);
    if (N == 2) _tile_loadd(1, p->from[0][1], 64);
    if (M == 2) _tile_loadd(2, p->from[1][0], 64);
    if (M == 2 && N == 2) _tile_loadd(3, p->from[1][1], 64);
}

OGK_INLINE void prefetch(const uint8_t *tile)
{
#pragma GCC unroll 16
    for (uint32_t row = 0; row < 16; row++) _mm_prefetch((const char *)tile + ahead + 64 * row, _MM_HINT_T0);
}

OGK_INLINE void multiply(const product *p, const uint32_t M, const uint32_t N)
{
    const uint8_t *x0 = p->x[0], *x1 = p->x[1], *w0 = p->w[0], *w1 = p->w[1];
    load_results(p, M, N);
    for (uint32_t b = 0; b < p->count; b++, w0 += 1024, w1 += 1024) {
        _tile_loadd(6, w0, 64);
        _tile_loadd(4, x0, 64);
        _tile_dpbf16ps(0, 4, 6);
        if (N == 2) {
            _tile_loadd(7, w1, 64);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (M == 2) {
            _tile_loadd(5, x1, 64);
            _tile_dpbf16ps(2, 5, 6);
            if (N == 2) _tile_dpbf16ps(3, 5, 7);
            x1 += p->x_step[1];
        } else {
            prefetch(w0);
            if (N == 2) prefetch(w1);
        }
        x0 += p->x_step[0];
    }
}

/* A result goes to y itself where all of its rows and columns exist (`step` is then y's), and to memory of our own otherwise. */
OGK_INLINE void store_results(const product *p, const uint32_t M, const uint32_t N, const size_t step[2][2])
{
    _tile_stored(0, p->y[0][0], step[0][0]);
    if (N == 2) _tile_stored(1, p->y[0][1], step[0][1]);
    if (M == 2) _tile_stored(2, p->y[1][0], step[1][0]);
    if (M == 2 && N == 2) _tile_stored(3, p->y[1][1], step[1][1]);
}

typedef struct span {
    uint32_t first, blocks; /* blocks of rows */
    uint32_t panel, panels; /* up to two */
} span;

/* All inputs of a span of rows and panels. */
static void multiply_span(const ogk_linear_job *job, const span *of)
{
    _Alignas(64) float sums[blocks_max][2][OGK_ROWS * OGK_PANEL];
    uint32_t inputs = job->in / OGK_GROUP, chunk = of->blocks > 2 ? chunk_max : inputs;
    uint32_t tile_rows = job->rows < OGK_ROWS ? job->rows : OGK_ROWS;
    size_t size = ogk_linear_panel_size(OGK_BF16, job->in);
    for (uint32_t k = 0; k < inputs; k += chunk) {
        uint32_t count = inputs - k < chunk ? inputs - k : chunk;
        for (uint32_t b = 0; b < of->blocks; b += 2) {
            uint32_t M = of->blocks - b < 2 ? 1 : 2;
            product p = {.count = count};
            size_t step[2][2];
            for (uint32_t i = 0; i < M; i++) {
                uint32_t block = of->first + b + i, m = ogk_linear_block_rows(job->rows, block);
                p.x_step[i] = (size_t)m * 64;
                p.x[i] = job->values + (size_t)block * OGK_ROWS * job->in * 2 + k * p.x_step[i];
                for (uint32_t j = 0; j < of->panels; j++) {
                    int whole = k + count == inputs && m == tile_rows && ogk_linear_width(job->out, of->panel + j) == OGK_PANEL;
                    float *y = job->y + (size_t)block * OGK_ROWS * job->stride + (size_t)(of->panel + j) * OGK_PANEL;
                    p.from[i][j] = k == 0 ? NULL : sums[b + i][j];
                    p.y[i][j] = whole ? y : sums[b + i][j];
                    step[i][j] = whole ? job->stride * sizeof(float) : 64;
                }
            }
            for (uint32_t j = 0; j < of->panels; j++) p.w[j] = job->packed + (of->panel + j) * size + (size_t)k * 1024;
            if (of->panels == 2 && M == 2) {
                multiply(&p, 2, 2);
                store_results(&p, 2, 2, (const size_t(*)[2])step);
            } else if (of->panels == 2) {
                multiply(&p, 1, 2);
                store_results(&p, 1, 2, (const size_t(*)[2])step);
            } else if (M == 2) {
                multiply(&p, 2, 1);
                store_results(&p, 2, 1, (const size_t(*)[2])step);
            } else {
                multiply(&p, 1, 1);
                store_results(&p, 1, 1, (const size_t(*)[2])step);
            }
        }
    }
    for (uint32_t b = 0; b < of->blocks; b++)
        for (uint32_t j = 0; j < of->panels; j++)
            if (ogk_linear_block_rows(job->rows, of->first + b) != tile_rows || ogk_linear_width(job->out, of->panel + j) != OGK_PANEL)
                ogk_tiles_copy(job, of->first + b, of->panel + j, sums[b][j]);
}

static void run_bf16(const ogk_linear_job *job)
{
    uint32_t blocks = (job->rows + OGK_ROWS - 1) / OGK_ROWS;
    ogk_tiles_configure(job->rows < OGK_ROWS ? job->rows : OGK_ROWS, 64, 16);
    for (uint32_t first = 0; first < blocks; first += blocks_max)
        for (uint32_t panel = job->from; panel < job->to; panel += 2) {
            span of = {first, blocks - first < blocks_max ? blocks - first : blocks_max, panel, job->to - panel < 2 ? 1 : 2};
            multiply_span(job, &of);
        }
    _tile_release();
}

const ogk_linear_kernels ogk_linear_amx = {round_row, ogk_linear_quantize_avx512, run_bf16, ogk_linear_amx_int8, ogk_linear_amx_int4,
                                           sizeof(uint16_t)};
