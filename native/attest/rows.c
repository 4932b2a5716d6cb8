#include "rows.h"

#include "bytes.h"
#include "error.h"
#include "sha256.h"

enum { digest_head_size = 20, salt_size = 16 };

static void put_digest_head(uint8_t head[digest_head_size], uint32_t count)
{
    og_bytes out = {head, digest_head_size, 0};
    og_put_tag(&out, "OGE tensors v1");
    og_put_u32(&out, count);
}

void og_tensor_set_digest(const og_tensor_view *tensors, uint32_t count, uint8_t digest[32])
{
    uint8_t head[digest_head_size];
    put_digest_head(head, count);

    og_sha256 hash;
    og_sha256_init(&hash);
    og_sha256_update(&hash, head, sizeof head);
    for (uint32_t i = 0; i < count; i++) {
        og_sha256_update(&hash, tensors[i].header, tensors[i].header_size);
        og_sha256_update(&hash, tensors[i].data, tensors[i].data_size);
    }
    og_sha256_final(&hash, digest);
}

static bool same_layout(const og_tensor_view *a, uint32_t count_a, const og_tensor_view *b, uint32_t count_b)
{
    if (count_a != count_b) return false;
    for (uint32_t i = 0; i < count_a; i++)
        if (a[i].header_size != b[i].header_size || a[i].data_size != b[i].data_size) return false;
    return true;
}

/* Two digests over tensors of the same sizes cost little more than one. */
static void digest_two(const og_tensor_view *a, uint8_t digest_a[32], const og_tensor_view *b, uint8_t digest_b[32], uint32_t count)
{
    uint8_t head[digest_head_size];
    put_digest_head(head, count);
    og_sha256 hash_a, hash_b;
    og_sha256_init(&hash_a);
    og_sha256_init(&hash_b);
    og_sha256_update_two(&hash_a, head, &hash_b, head, sizeof head);
    for (uint32_t i = 0; i < count; i++) {
        og_sha256_update_two(&hash_a, a[i].header, &hash_b, b[i].header, a[i].header_size);
        og_sha256_update_two(&hash_a, a[i].data, &hash_b, b[i].data, a[i].data_size);
    }
    og_sha256_final_two(&hash_a, digest_a, &hash_b, digest_b);
}

/* Everything but the two digests. */
static void lay_out_leaf(const og_row_view *row, const uint8_t *salt, uint8_t leaf[OG_LEAF_SIZE])
{
    memcpy(leaf, salt, salt_size);
    memcpy(leaf + 80, row->parameter_digest, 32);
    og_bytes tail = {leaf + 112, 6, 0};
    og_put_u32(&tail, row->first_slot);
    og_put_u16(&tail, (uint16_t)row->row_count);
}

enum side { inputs, outputs };

static const og_tensor_view *tensors_of(const og_row_view *row, enum side side)
{
    return side == inputs ? row->inputs : row->outputs;
}

static uint32_t count_of(const og_row_view *row, enum side side)
{
    return side == inputs ? row->input_count : row->output_count;
}

/* One digest per row, each OG_LEAF_SIZE after the last. */
static void digest_lanes(const og_row_view *rows, size_t count, enum side side, uint8_t *digests)
{
    uint8_t head[digest_head_size];
    const uint8_t *from[OG_SHA256_LANES];
    put_digest_head(head, count_of(rows, side));
    for (size_t lane = 0; lane < count; lane++) from[lane] = head;

    og_sha256_lanes hash;
    og_sha256_lanes_init(&hash, count);
    og_sha256_lanes_update(&hash, from, sizeof head);
    const og_tensor_view *first = tensors_of(rows, side);
    for (uint32_t i = 0; i < count_of(rows, side); i++) {
        for (size_t lane = 0; lane < count; lane++) from[lane] = tensors_of(&rows[lane], side)[i].header;
        og_sha256_lanes_update(&hash, from, first[i].header_size);
        for (size_t lane = 0; lane < count; lane++) from[lane] = tensors_of(&rows[lane], side)[i].data;
        og_sha256_lanes_update(&hash, from, first[i].data_size);
    }
    og_sha256_lanes_final(&hash, digests, OG_LEAF_SIZE);
}

/* How many rows from the first on, at most as many as there are lanes, have tensors of the same sizes on that side. */
static size_t alike(const og_row_view *rows, size_t count, enum side side)
{
    size_t most = count < OG_SHA256_LANES ? count : OG_SHA256_LANES, n = 1;
    while (n < most && same_layout(tensors_of(rows, side), count_of(rows, side), tensors_of(&rows[n], side), count_of(&rows[n], side))) n++;
    return n;
}

/* Neighbours in a batch usually have tensors of the same sizes. */
static void digest_side(const og_row_view *rows, size_t count, enum side side, uint8_t *digests)
{
    while (count > 0) {
        size_t taken = alike(rows, count, side);
        if (og_sha256_active->sixteen != NULL && taken >= OG_SHA256_LANES_WORTH) {
            digest_lanes(rows, taken, side, digests);
        } else if (taken >= 2) {
            digest_two(tensors_of(rows, side), digests, tensors_of(rows + 1, side), digests + OG_LEAF_SIZE, count_of(rows, side));
            taken = 2;
        } else {
            og_tensor_set_digest(tensors_of(rows, side), count_of(rows, side), digests);
        }
        count -= taken;
        rows += taken;
        digests += OG_LEAF_SIZE * taken;
    }
}

void og_row_leaves(const og_row_view *rows, uint32_t count, const uint8_t *salts, uint8_t *leaves)
{
    for (size_t i = 0; i < count; i++) lay_out_leaf(&rows[i], salts + salt_size * i, leaves + OG_LEAF_SIZE * i);
    digest_side(rows, count, inputs, leaves + 16);
    digest_side(rows, count, outputs, leaves + 48);
}

size_t og_tree_nodes(uint32_t leaves)
{
    size_t level = leaves, total = leaves;
    while (level > 1) total += level = (level + 1) / 2;
    return total;
}

const uint8_t *og_row_tree(const uint8_t *leaves, uint32_t count, uint8_t *tree)
{
    og_sha256_leaves(leaves, count, tree);
    uint8_t *level = tree;
    for (size_t size = count; size > 1; size = (size + 1) / 2) {
        uint8_t *above = level + 32 * size;
        og_sha256_nodes(level, size / 2, above);
        if (size % 2 == 1) memcpy(above + 32 * (size / 2), level + 32 * (size - 1), 32);
        level = above;
    }
    return level;
}

static og_status check_tensors(const og_tensor_view *tensors, uint32_t count, uint32_t row, const char *side, og_error *error)
{
    if (count != 0 && tensors == NULL) return og_fail(error, OG_NULL_ARGUMENT, 0, "row %u: its %ss are null", row, side);
    for (uint32_t i = 0; i < count; i++) {
        if (tensors[i].header == NULL || (tensors[i].data == NULL && tensors[i].data_size != 0))
            return og_fail(error, OG_NULL_ARGUMENT, 0, "row %u: %s %u has a null pointer", row, side, i);
        if (tensors[i].header_size == 0) return og_fail(error, OG_OUT_OF_RANGE, 0, "row %u: %s %u has an empty header", row, side, i);
    }
    return OG_OK;
}

og_status og_rows_check(const og_row_view *rows, uint32_t count, uint32_t batch_rows, og_error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        const og_row_view *row = &rows[i];
        if (row->parameter_digest == NULL) return og_fail(error, OG_NULL_ARGUMENT, 0, "row %u: its parameter digest is null", i);
        if (row->row_count == 0 || row->row_count > UINT16_MAX) return og_fail(error, OG_OUT_OF_RANGE, 0, "row %u: has %u rows", i, row->row_count);
        if ((uint64_t)row->first_slot + row->row_count > batch_rows)
            return og_fail(error, OG_OUT_OF_RANGE, 0, "row %u: slots %u to %llu lie outside a batch of %u rows", i, row->first_slot,
                           (unsigned long long)row->first_slot + row->row_count - 1, batch_rows);
        og_status status = check_tensors(row->inputs, row->input_count, i, "input", error);
        if (status == OG_OK) status = check_tensors(row->outputs, row->output_count, i, "output", error);
        if (status != OG_OK) return status;
    }
    return OG_OK;
}
