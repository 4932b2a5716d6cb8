/* The hashing part of sealing: docs/formats.md, "Tensor-set digest" and "Row leaf". */
#ifndef OG_ATTEST_ROWS_H
#define OG_ATTEST_ROWS_H

#include "og_attest.h"

/* Digest over tensors that are already in order. */
void og_tensor_set_digest(const og_tensor_view *tensors, uint32_t count, uint8_t digest[32]);

/* The preimages of count row leaves, 118 bytes each; salts has 16 bytes per row. */
void og_row_leaves(const og_row_view *rows, uint32_t count, const uint8_t *salts, uint8_t *leaves);

/* Fills the tree over count leaves; returns where its root is. */
const uint8_t *og_row_tree(const uint8_t *leaves, uint32_t count, uint8_t *tree);

/* Refuses what these functions would read out of bounds, and rows outside the batch. */
og_status og_rows_check(const og_row_view *rows, uint32_t count, uint32_t batch_rows, og_error *error);

#endif
