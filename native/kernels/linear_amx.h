/* Tiles, as both files that use them do: 0 to 3 results, 4 and 5 inputs, 6 and 7 weights. */
#ifndef OGK_LINEAR_AMX_H
#define OGK_LINEAR_AMX_H

#include <immintrin.h>
#include <string.h>

#include "linear_kernels.h"

/* Palette 1, Intel SDM volume 1, section 18.2. */
typedef struct ogk_tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t columns[16]; /* bytes */
    uint8_t rows[16];
} ogk_tile_config;

/* x_bytes: bytes of a row of inputs; w_rows: rows of weights, each of 64 bytes. */
static inline void ogk_tiles_configure(uint32_t rows, uint32_t x_bytes, uint32_t w_rows)
{
    ogk_tile_config config;
    memset(&config, 0, sizeof config);
    config.palette = 1;
    for (uint32_t tile = 0; tile < 8; tile++) {
        config.rows[tile] = (uint8_t)(tile < 6 ? rows : w_rows);
        config.columns[tile] = (uint16_t)(tile == 4 || tile == 5 ? x_bytes : 64);
    }
    __asm__ volatile("ldtilecfg %0" : : "m"(config));
}

/* Stores through plain C are done before the tile loads that follow: gcc's tile intrinsics do not say what they read. */
static inline void ogk_tiles_see_memory(void)
{
    __asm__ volatile("" : : : "memory");
}

/* Writes the results of m rows that lie 16 floats apart. */
static inline void ogk_tiles_copy(const ogk_linear_job *job, uint32_t block, uint32_t panel, const float *sums)
{
    __mmask16 exist = (__mmask16)((1u << ogk_linear_width(job->out, panel)) - 1u);
    float *y = job->y + (size_t)block * OGK_ROWS * job->stride + (size_t)panel * OGK_PANEL;
    for (uint32_t row = 0; row < ogk_linear_block_rows(job->rows, block); row++)
        _mm512_mask_storeu_ps(y + row * job->stride, exist, _mm512_loadu_ps(sums + row * OGK_PANEL));
}

void ogk_linear_amx_int8(const ogk_linear_job *job);
void ogk_linear_amx_int4(const ogk_linear_job *job);

#endif
