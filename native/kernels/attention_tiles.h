/*
 * The two products of attention on a few rows at once; a body of ops_table.h. A score is one chain of FMAs over the head's
 * dimensions, an output one chain over a segment's keys. So neither lanes, nor rows per tile, nor keys per tile are part of
 * the result: tiles differ by instruction set and by how many rows there are.
 *
 * `wide` says that keys or values were expanded to fp32 before (many rows), else they are fp16 as cached (few rows).
 */

#if OGK_LANES == 3
#define TILE_ROWS 6    /* by TILE_BLOCKS accumulators, and as many keys, fill the 32 registers */
#define TILE_BLOCKS 4
#define NARROW_ROWS 8  /* with NARROW_BLOCKS */
#define NARROW_BLOCKS 2
#else
#define TILE_ROWS 2    /* a lane group is two of AVX2's 16 registers */
#define TILE_BLOCKS 2
#define NARROW_ROWS 2
#define NARROW_BLOCKS 2
#endif

#define CHUNK_BLOCKS 4u /* blocks of keys that are expanded, or walked for all rows, before the next ones: they stay in L1 */

OGK_INLINE lanes load_either(int wide, const void *from, size_t element)
{
    return wide ? lanes_load((const float *)from + element) : lanes_load_half((const uint16_t *)from + element);
}

/* Asks for the line of an element that will be needed some blocks later. With few rows attention waits for memory, and
 * blocks of different pages are too short for the processor to foresee the next. Null: nothing follows. */
OGK_INLINE void foresee(const void *block, size_t element)
{
    if (block != NULL) __builtin_prefetch((const uint16_t *)block + element);
}

/* scores[r][16 * b + lane] = sum over d of queries[d][r] * keys[b][d][lane] */
OGK_INLINE void score_tile(const int wide, const int rows, const int blocks, uint32_t dim, const float *queries,
                           const void *const *keys, float *scores)
{
    lanes sum[NARROW_ROWS][TILE_BLOCKS];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int b = 0; b < blocks; b++) sum[r][b] = lanes_set(0.0f);
    for (uint32_t d = 0; d < dim; d++) {
        lanes key[TILE_BLOCKS];
        if (!wide && d % 2 == 0) {
#pragma GCC unroll 4
            for (uint32_t b = 0; b < (uint32_t)blocks; b++) foresee(keys[b + CHUNK_BLOCKS], (size_t)d * OGK_KEYS_BLOCK);
        }
#pragma GCC unroll 4
        for (int b = 0; b < blocks; b++) key[b] = load_either(wide, keys[b], (size_t)d * OGK_KEYS_BLOCK);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            lanes query = lanes_set(queries[(size_t)d * NARROW_ROWS + (size_t)r]);
#pragma GCC unroll 4
            for (int b = 0; b < blocks; b++) sum[r][b] = lanes_fma(query, key[b], sum[r][b]);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int b = 0; b < blocks; b++) lanes_store(scores + (size_t)r * OGK_SEGMENT + (size_t)b * OGK_KEYS_BLOCK, sum[r][b]);
}

/* out[r][column + lane] += sum over keys [from, to) of weights[r][key] * values[key][column + lane], keys in order */
OGK_INLINE void value_tile(const int wide, const int rows, const int groups, uint32_t dim, uint32_t from, uint32_t to,
                           const float *weights, const void *const *values, size_t column, float *out)
{
    lanes sum[NARROW_ROWS][TILE_BLOCKS];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int l = 0; l < groups; l++) sum[r][l] = lanes_load(out + (size_t)r * dim + column + (size_t)l * OGK_WIDTH);
    for (uint32_t key = from; key < to;) {
        const void *block = values[key / OGK_KEYS_BLOCK], *ahead = wide ? NULL : values[key / OGK_KEYS_BLOCK + CHUNK_BLOCKS];
        uint32_t end = (key / OGK_KEYS_BLOCK + 1) * OGK_KEYS_BLOCK;
        for (end = end < to ? end : to; key < end; key++) {
            size_t place = (size_t)(key % OGK_KEYS_BLOCK) * dim + column;
            if (!wide) {
                foresee(ahead, place);
                if (groups > 2) foresee(ahead, place + 2 * OGK_WIDTH);
            }
            lanes value[TILE_BLOCKS];
#pragma GCC unroll 4
            for (int l = 0; l < groups; l++) value[l] = load_either(wide, block, place + (size_t)l * OGK_WIDTH);
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++) {
                lanes weight = lanes_set(weights[(size_t)r * OGK_SEGMENT + key]);
#pragma GCC unroll 4
                for (int l = 0; l < groups; l++) sum[r][l] = lanes_fma(weight, value[l], sum[r][l]);
            }
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int l = 0; l < groups; l++) lanes_store(out + (size_t)r * dim + column + (size_t)l * OGK_WIDTH, sum[r][l]);
}

/* Row counts are constants of their tiles, so that sums stay in registers. */
#define ROWS_OF(rows, tile, ...)                                                                                       \
    switch (rows) {                                                                                                    \
    case 1: tile(wide, 1, __VA_ARGS__); break;                                                                         \
    case 2: tile(wide, 2, __VA_ARGS__); break;                                                                         \
    MORE_ROWS_OF(tile, __VA_ARGS__)                                                                                    \
    default: break;                                                                                                    \
    }
#if OGK_LANES == 3
#define MORE_ROWS_OF(tile, ...)                                                                                        \
    case 3: tile(wide, 3, __VA_ARGS__); break;                                                                         \
    case 4: tile(wide, 4, __VA_ARGS__); break;                                                                         \
    case 5: tile(wide, 5, __VA_ARGS__); break;                                                                         \
    case 6: tile(wide, 6, __VA_ARGS__); break;                                                                         \
    case 7: tile(wide, 7, __VA_ARGS__); break;                                                                         \
    case 8: tile(wide, 8, __VA_ARGS__); break;
#else
#define MORE_ROWS_OF(tile, ...)
#endif

/* Scores of at most NARROW_ROWS rows against `blocks` blocks. */
OGK_INLINE void score_rows(const int wide, uint32_t rows, uint32_t blocks, uint32_t dim, const float *queries,
                           const void *const *keys, float *scores)
{
    uint32_t b = 0;
    if (rows <= TILE_ROWS)
        for (; b + TILE_BLOCKS <= blocks; b += TILE_BLOCKS) ROWS_OF(rows, score_tile, TILE_BLOCKS, dim, queries, keys + b, scores + b * OGK_KEYS_BLOCK)
    for (; b + NARROW_BLOCKS <= blocks; b += NARROW_BLOCKS) ROWS_OF(rows, score_tile, NARROW_BLOCKS, dim, queries, keys + b, scores + b * OGK_KEYS_BLOCK)
    for (; b < blocks; b++) ROWS_OF(rows, score_tile, 1, dim, queries, keys + b, scores + b * OGK_KEYS_BLOCK)
}

/* Adds values of keys [from, to) to at most NARROW_ROWS rows. */
OGK_INLINE void value_rows(const int wide, uint32_t rows, uint32_t dim, uint32_t from, uint32_t to, const float *weights,
                           const void *const *values, float *out)
{
    uint32_t groups = dim / OGK_WIDTH, l = 0;
    if (rows <= TILE_ROWS)
        for (; l + TILE_BLOCKS <= groups; l += TILE_BLOCKS) ROWS_OF(rows, value_tile, TILE_BLOCKS, dim, from, to, weights, values, l * OGK_WIDTH, out)
    for (; l + NARROW_BLOCKS <= groups; l += NARROW_BLOCKS) ROWS_OF(rows, value_tile, NARROW_BLOCKS, dim, from, to, weights, values, l * OGK_WIDTH, out)
    for (; l < groups; l++) ROWS_OF(rows, value_tile, 1, dim, from, to, weights, values, l * OGK_WIDTH, out)
}
