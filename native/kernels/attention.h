/*
 * Attention of a few consecutive tokens of one sequence over its paged cache; a body of ops_table.h.
 *
 * Keys are taken in segments of OGK_SEGMENT counted from position 0. In a segment: scores, their largest, 2^(score - largest)
 * and its sum (lane by lane over sixteen lanes, then folded), and the weighted values, one key after the other. Segments
 * are merged in order. None of this depends on which other tokens are in the task, so a token's bits are the same in a
 * prompt of thousands and in a decode of one.
 */

#define SEGMENT_BLOCKS (OGK_SEGMENT / OGK_KEYS_BLOCK)

/* Where a segment's blocks of sixteen tokens are, and behind its last ones those that are read next: values after keys, the
 * next segment's keys after values. */
typedef struct segment_blocks {
    const void *keys[SEGMENT_BLOCKS + CHUNK_BLOCKS], *values[SEGMENT_BLOCKS + CHUNK_BLOCKS];
} segment_blocks;

static size_t find_block(const ogk_attention *task, uint32_t position)
{
    size_t page = (size_t)task->pages[position / task->page_tokens];
    return (page * task->page_tokens + position % task->page_tokens) * task->head_dim;
}

static void find_blocks(const ogk_attention *task, uint32_t segment, uint32_t end, segment_blocks *found)
{
    uint32_t blocks = (end - segment + OGK_KEYS_BLOCK - 1) / OGK_KEYS_BLOCK;
    if (blocks > SEGMENT_BLOCKS) blocks = SEGMENT_BLOCKS;
    for (uint32_t b = 0; b < blocks; b++) {
        size_t element = find_block(task, segment + b * OGK_KEYS_BLOCK);
        found->keys[b] = task->keys + element;
        found->values[b] = task->values + element;
    }
    for (uint32_t b = 0; b < CHUNK_BLOCKS; b++) {
        uint32_t next = segment + OGK_SEGMENT + b * OGK_KEYS_BLOCK;
        found->keys[blocks + b] = b < blocks ? found->values[b] : NULL;
        found->values[blocks + b] = next < end ? task->keys + find_block(task, next) : NULL;
    }
}

static void expand(uint32_t dim, uint32_t blocks, const void *const *from, float *to, const void **expanded)
{
    size_t size = (size_t)OGK_KEYS_BLOCK * dim;
    for (uint32_t b = 0; b < blocks; b++) {
        const uint16_t *halves = from[b];
        float *floats = to + b * size;
        for (size_t i = 0; i < size; i += OGK_WIDTH) lanes_store(floats + i, lanes_load_half(halves + i));
        expanded[b] = floats;
    }
}

/* Makes n scores weights, 2^(score - most), and gives their sum. Lanes beyond n hold scores of keys that are not seen. */
static float soften(float *scores, uint32_t n, float *most)
{
    lanes least = lanes_set(ogk_from_bits(0xff800000u)), largest = least, zero = lanes_set(0.0f), sum = zero;
    uint32_t i = 0, rest = n % OGK_WIDTH;
    for (; i + OGK_WIDTH <= n; i += OGK_WIDTH) largest = lanes_max(largest, lanes_load(scores + i));
    if (rest != 0) largest = lanes_max(largest, lanes_first_of(rest, lanes_load(scores + i), least));
    *most = lanes_most(largest);
    lanes base = lanes_set(*most);
    for (i = 0; i + OGK_WIDTH <= n; i += OGK_WIDTH) {
        lanes weight = lanes_exp2(lanes_sub(lanes_load(scores + i), base));
        sum = lanes_add(sum, weight);
        lanes_store(scores + i, weight);
    }
    if (rest != 0) {
        lanes weight = lanes_first_of(rest, lanes_exp2(lanes_sub(lanes_load(scores + i), base)), zero);
        sum = lanes_add(sum, weight);
        lanes_store(scores + i, weight);
    }
    return lanes_sum(sum);
}

/* Adds a later segment's part to a row: both are brought to the larger of their bases. */
static void merge(uint32_t dim, float *most, float *total, float *sums, float part_most, float part_total, const float *part)
{
    float larger = part_most > *most ? part_most : *most;
    lanes old = lanes_set(lanes_exp2_one(*most - larger)), new = lanes_set(lanes_exp2_one(part_most - larger));
    *most = larger;
    *total = lanes_first(lanes_fma(lanes_set(part_total), new, lanes_mul(lanes_set(*total), old)));
    for (uint32_t d = 0; d < dim; d += OGK_WIDTH)
        lanes_store(sums + d, lanes_fma(lanes_load(part + d), new, lanes_mul(lanes_load(sums + d), old)));
}

/* What a segment's functions share: row r sees seen[r] of its keys, never fewer than row r - 1; rows before `first`, which
 * begins a tile, see none. */
typedef struct segment_rows {
    uint32_t first, rows, dim;
    uint32_t seen[OGK_TASK_ROWS];
    float *scores, *wide;
    float *queries; /* by tile of rows: [dim][NARROW_ROWS], so that one pointer reaches a whole tile */
} segment_rows;

static uint32_t tile_rows(uint32_t rows)
{
    return rows > NARROW_ROWS ? TILE_ROWS : NARROW_ROWS;
}

static void gather_queries(const ogk_attention *task, uint32_t rows, float *gathered)
{
    uint32_t step = tile_rows(rows), dim = task->head_dim;
    for (uint32_t r = 0; r < rows; r++) {
        const float *from = task->queries + r / task->heads * task->queries_stride + (size_t)(r % task->heads) * dim;
        float *to = gathered + (size_t)(r / step) * NARROW_ROWS * dim + r % step;
        for (uint32_t d = 0; d < dim; d++) to[(size_t)d * NARROW_ROWS] = from[d];
    }
}

static uint32_t at_most(uint32_t value, uint32_t most)
{
    return value < most ? value : most;
}

/* Rows of one tile, and how many of a chunk's keys they see at most. */
OGK_INLINE void score_segment(const int wide, const segment_rows *s, const void *const *blocks)
{
    uint32_t last = s->seen[s->rows - 1], step = wide ? TILE_ROWS : NARROW_ROWS;
    for (uint32_t key = 0; key < last; key += CHUNK_BLOCKS * OGK_KEYS_BLOCK) {
        const void *expanded[CHUNK_BLOCKS];
        const void *const *from = blocks + key / OGK_KEYS_BLOCK;
        if (wide) {
            expand(s->dim, at_most((last - key + OGK_KEYS_BLOCK - 1) / OGK_KEYS_BLOCK, CHUNK_BLOCKS), from, s->wide, expanded);
            from = expanded;
        }
        for (uint32_t r = s->first; r < s->rows; r += step) {
            uint32_t count = at_most(s->rows - r, step), seen = s->seen[r + count - 1];
            if (seen <= key) continue;
            uint32_t needed = at_most((seen - key + OGK_KEYS_BLOCK - 1) / OGK_KEYS_BLOCK, CHUNK_BLOCKS);
            score_rows(wide, count, needed, s->dim, s->queries + (size_t)(r / step) * NARROW_ROWS * s->dim, from, s->scores + (size_t)r * OGK_SEGMENT + key);
        }
    }
}

OGK_INLINE void value_segment(const int wide, const segment_rows *s, const void *const *blocks, float *out)
{
    uint32_t last = s->seen[s->rows - 1], step = wide ? TILE_ROWS : NARROW_ROWS, chunk = CHUNK_BLOCKS * OGK_KEYS_BLOCK;
    for (uint32_t key = 0; key < last; key += chunk) {
        const void *expanded[CHUNK_BLOCKS];
        const void *const *from = blocks + key / OGK_KEYS_BLOCK;
        if (wide) {
            expand(s->dim, at_most((last - key + OGK_KEYS_BLOCK - 1) / OGK_KEYS_BLOCK, CHUNK_BLOCKS), from, s->wide, expanded);
            from = expanded;
        }
        for (uint32_t r = s->first; r < s->rows; r += step) {
            /* What all rows of the tile see, then the few keys that only its later rows see. */
            uint32_t count = at_most(s->rows - r, step), common = s->seen[r] > key ? at_most(s->seen[r] - key, chunk) : 0;
            const float *weights = s->scores + (size_t)r * OGK_SEGMENT + key;
            value_rows(wide, count, s->dim, 0, common, weights, from, out + (size_t)r * s->dim);
            for (uint32_t i = 1; i < count; i++) {
                uint32_t own = s->seen[r + i] > key ? at_most(s->seen[r + i] - key, chunk) : 0;
                if (own > common)
                    value_rows(wide, 1, s->dim, common, own, weights + (size_t)i * OGK_SEGMENT, from, out + (size_t)(r + i) * s->dim);
            }
        }
    }
}

static void attend(const ogk_attention *task)
{
    uint32_t dim = task->head_dim, rows = task->tokens * task->heads, end = task->start + task->tokens;
    float *scores = task->scratch, *sums = scores + (size_t)OGK_TASK_ROWS * OGK_SEGMENT;
    float *part = sums + (size_t)OGK_TASK_ROWS * dim;
    float most[OGK_TASK_ROWS], total[OGK_TASK_ROWS];
    segment_rows s = {.rows = rows, .dim = dim, .scores = scores, .wide = part + (size_t)OGK_TASK_ROWS * dim};
    s.queries = s.wide + (size_t)CHUNK_BLOCKS * OGK_KEYS_BLOCK * dim;
    gather_queries(task, rows, s.queries);
    for (uint32_t segment = 0; segment < end; segment += OGK_SEGMENT) {
        segment_blocks blocks;
        find_blocks(task, segment, end, &blocks);
        uint32_t first = segment > task->start ? (segment - task->start) * task->heads : 0;
        s.first = first / tile_rows(rows) * tile_rows(rows);
        for (uint32_t r = s.first; r < rows; r++) s.seen[r] = r < first ? 0 : at_most(task->start + r / task->heads + 1 - segment, OGK_SEGMENT);
        float *out = segment == 0 ? sums : part;
        float part_most[OGK_TASK_ROWS], part_total[OGK_TASK_ROWS];
        memset(out + (size_t)s.first * dim, 0, (size_t)(rows - s.first) * dim * sizeof(float));
        int wide = rows > NARROW_ROWS;
        if (wide)
            score_segment(1, &s, blocks.keys);
        else
            score_segment(0, &s, blocks.keys);
        for (uint32_t r = first; r < rows; r++) part_total[r] = soften(scores + (size_t)r * OGK_SEGMENT, s.seen[r], &part_most[r]);
        if (wide)
            value_segment(1, &s, blocks.values, out);
        else
            value_segment(0, &s, blocks.values, out);
        for (uint32_t r = first; r < rows; r++) {
            if (segment != 0) {
                merge(dim, &most[r], &total[r], sums + (size_t)r * dim, part_most[r], part_total[r], part + (size_t)r * dim);
                continue;
            }
            most[r] = part_most[r];
            total[r] = part_total[r];
        }
    }
    for (uint32_t r = 0; r < rows; r++) {
        float *out = task->out + r / task->heads * task->out_stride + (size_t)(r % task->heads) * dim;
        lanes factor = lanes_set(1.0f / total[r]);
        for (uint32_t d = 0; d < dim; d += OGK_WIDTH) lanes_store(out + d, lanes_mul(lanes_load(sums + (size_t)r * dim + d), factor));
    }
}
