/* The bytes of a statement: docs/formats.md, "Batch statement". */
#ifndef OG_ATTEST_STATEMENT_H
#define OG_ATTEST_STATEMENT_H

#include "bytes.h"
#include "og_attest.h"

enum { OG_HEADER_SIZE = 120 };

void og_put_body(og_bytes *out, const og_batch *batch, const uint8_t root[32]);

void og_put_header(uint8_t header[OG_HEADER_SIZE], const uint8_t log_id[32], const uint8_t epoch_id[32], uint64_t sequence, const uint8_t *body,
                   size_t body_size);

#endif
