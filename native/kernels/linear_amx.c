/*
 * bf16 on tiles. Two blocks of 16 rows times two panels are four results at once: each tile that is loaded serves two
 * products. Of many rows, rectangles of 256 rows and 256 outputs, a chunk of the inputs at a time, so that what a rectangle
 * reads again and again stays in the second-level cache.
 */
#include <stdbool.h>

#include "linear_amx.h"

enum {
    ahead = 4096,     /* bytes between use of a weight and its prefetch, where few rows leave the time to memory */
    blocks_max = 16,  /* a rectangle's blocks of rows */
    panels_max = 16,  /* and its panels */
    chunk_max = 32    /* blocks of 32 inputs: 512 KiB of inputs and as much of weights; 896 inputs are one chunk */
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
    float *y[2][2];
    size_t y_step[2][2]; /* bytes between rows of y */
    uint32_t count;   /* blocks of 32 inputs */
    bool first;       /* of the chunks: results begin as zero */
} product;

OGK_INLINE void load_results(const product *p, const uint32_t M, const uint32_t N)
{
    if (p->first) {
        _tile_zero(0);
        if (N == 2) _tile_zero(1);
        if (M == 2) _tile_zero(2);
        if (M == 2 && N == 2) _tile_zero(3);
        return;
    }
    _tile_loadd(0, p->y[0][0], p->y_step[0][0]);
    if (N == 2) _tile_loadd(1, p->y[0][1], p->y_step[0][1]);
    if (M == 2) _tile_loadd(2, p->y[1][0], p->y_step[1][0]);
    if (M == 2 && N == 2) _tile_loadd(3, p->y[1][1], p->y_step[1][1]);
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
        if (N == 2) _tile_loadd(7, w1, 64);
        if (M == 2) _tile_loadd(5, x1, 64);
        _tile_dpbf16ps(0, 4, 6);
        if (N == 2) _tile_dpbf16ps(1, 4, 7);
        if (M == 2) _tile_dpbf16ps(2, 5, 6);
        if (M == 2 && N == 2) _tile_dpbf16ps(3, 5, 7);
        if (M == 2) {
            x1 += p->x_step[1];
        } else {
            prefetch(w0);
            if (N == 2) prefetch(w1);
        }
        x0 += p->x_step[0];
    }
}

OGK_INLINE void store_results(const product *p, const uint32_t M, const uint32_t N)
{
    _tile_stored(0, p->y[0][0], p->y_step[0][0]);
    if (N == 2) _tile_stored(1, p->y[0][1], p->y_step[0][1]);
    if (M == 2) _tile_stored(2, p->y[1][0], p->y_step[1][0]);
    if (M == 2 && N == 2) _tile_stored(3, p->y[1][1], p->y_step[1][1]);
}

static void multiply_and_store(const product *p, uint32_t M, uint32_t N)
{
    if (M == 2 && N == 2) {
        multiply(p, 2, 2);
        store_results(p, 2, 2);
    } else if (M == 2) {
        multiply(p, 2, 1);
        store_results(p, 2, 1);
    } else if (N == 2) {
        multiply(p, 1, 2);
        store_results(p, 1, 2);
    } else {
        multiply(p, 1, 1);
        store_results(p, 1, 1);
    }
}

/* A rectangle of results, whose inputs and weights for a chunk fit into the second-level cache together. */
typedef struct rectangle {
    const ogk_linear_job *job;
    uint32_t first, blocks; /* blocks of rows */
    uint32_t panel, panels;
    uint32_t tile_rows;
    /* Results live in y where all of a tile's rows and columns exist there, otherwise here: the last block of rows, and
     * the last panel. */
    float (*last_block)[OGK_ROWS * OGK_PANEL], (*last_panel)[OGK_ROWS * OGK_PANEL];
} rectangle;

/* Where the results of one block and panel of the rectangle live, and how far apart their rows are in bytes. */
static float *results_of(const rectangle *of, uint32_t block, uint32_t panel, size_t *step)
{
    const ogk_linear_job *job = of->job;
    *step = 64;
    if (ogk_linear_block_rows(job->rows, of->first + block) != of->tile_rows) return of->last_block[panel];
    if (ogk_linear_width(job->out, of->panel + panel) != OGK_PANEL) return of->last_panel[block];
    *step = job->stride * sizeof(float);
    return job->y + (size_t)(of->first + block) * OGK_ROWS * job->stride + (size_t)(of->panel + panel) * OGK_PANEL;
}

/* Up to two blocks and two panels of the rectangle, over the chunk that begins at k. */
static void multiply_square(const rectangle *of, uint32_t block, uint32_t panel, uint32_t k, uint32_t count)
{
    const ogk_linear_job *job = of->job;
    size_t size = ogk_linear_panel_size(OGK_BF16, job->in);
    uint32_t M = of->blocks - block < 2 ? 1 : 2, N = of->panels - panel < 2 ? 1 : 2;
    product p = {.count = count, .first = k == 0};
    for (uint32_t i = 0; i < M; i++) {
        p.x_step[i] = (size_t)ogk_linear_block_rows(job->rows, of->first + block + i) * 64;
        p.x[i] = job->values + (size_t)(of->first + block + i) * OGK_ROWS * job->in * 2 + k * p.x_step[i];
        for (uint32_t j = 0; j < N; j++) p.y[i][j] = results_of(of, block + i, panel + j, &p.y_step[i][j]);
    }
    for (uint32_t j = 0; j < N; j++) p.w[j] = job->packed + (of->panel + panel + j) * size + (size_t)k * 1024;
    multiply_and_store(&p, M, N);
}

static void multiply_rectangle(const rectangle *of)
{
    const ogk_linear_job *job = of->job;
    uint32_t inputs = job->in / OGK_GROUP, chunk = of->blocks > 2 ? chunk_max : inputs;
    for (uint32_t k = 0; k < inputs; k += chunk)
        for (uint32_t panel = 0; panel < of->panels; panel += 2)
            for (uint32_t block = 0; block < of->blocks; block += 2)
                multiply_square(of, block, panel, k, inputs - k < chunk ? inputs - k : chunk);
    for (uint32_t block = 0; block < of->blocks; block++)
        for (uint32_t panel = 0; panel < of->panels; panel++) {
            size_t step;
            const float *results = results_of(of, block, panel, &step);
            if (results == of->last_block[panel] || results == of->last_panel[block])
                ogk_tiles_copy(job, of->first + block, of->panel + panel, results);
        }
}

static void run_bf16(const ogk_linear_job *job)
{
    _Alignas(64) float last_block[panels_max][OGK_ROWS * OGK_PANEL], last_panel[blocks_max][OGK_ROWS * OGK_PANEL];
    uint32_t blocks = (job->rows + OGK_ROWS - 1) / OGK_ROWS;
    rectangle of = {.job = job, .tile_rows = job->rows < OGK_ROWS ? job->rows : OGK_ROWS, .last_block = last_block, .last_panel = last_panel};
    ogk_tiles_configure(of.tile_rows, 64, 16);
    for (of.first = 0; of.first < blocks; of.first += blocks_max) {
        of.blocks = blocks - of.first < blocks_max ? blocks - of.first : blocks_max;
        for (of.panel = job->from; of.panel < job->to; of.panel += panels_max) {
            of.panels = job->to - of.panel < panels_max ? job->to - of.panel : panels_max;
            multiply_rectangle(&of);
        }
    }
    _tile_release();
}

const ogk_linear_kernels ogk_linear_amx = {round_row, ogk_linear_quantize_avx512, run_bf16, ogk_linear_amx_int8, ogk_linear_amx_int4,
                                           sizeof(uint16_t)};
