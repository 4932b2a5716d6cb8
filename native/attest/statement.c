#include "statement.h"

#include "sha256.h"

void og_put_body(og_bytes *out, const og_batch *batch, const uint8_t root[32])
{
    og_put_cbor(out, OG_CBOR_MAP, batch->chain == NULL ? 5 : 6);
    og_put_cbor(out, OG_CBOR_UINT, 1);
    og_put_cbor_bytes(out, batch->context, batch->context_size);
    og_put_cbor(out, OG_CBOR_UINT, 2);
    og_put_cbor_bytes(out, root, 32);
    og_put_cbor(out, OG_CBOR_UINT, 3);
    og_put_cbor(out, OG_CBOR_UINT, batch->row_count);
    og_put_cbor(out, OG_CBOR_UINT, 4);
    og_put_cbor(out, OG_CBOR_UINT, batch->batch_rows);
    og_put_cbor(out, OG_CBOR_UINT, 5);
    og_put_cbor(out, OG_CBOR_UINT, batch->host_time_ns);
    if (batch->chain == NULL) return;
    og_put_cbor(out, OG_CBOR_UINT, 6);
    og_put_cbor(out, OG_CBOR_ARRAY, 3);
    og_put_cbor(out, OG_CBOR_UINT, batch->chain->chain_id);
    og_put_cbor(out, OG_CBOR_UINT, batch->chain->block_number);
    og_put_cbor_bytes(out, batch->chain->block_hash, 32);
}

void og_put_header(uint8_t header[OG_HEADER_SIZE], const uint8_t log_id[32], const uint8_t epoch_id[32], uint64_t sequence, const uint8_t *body,
                   size_t body_size)
{
    uint8_t digest[32];
    og_sha256_of(body, body_size, digest);
    og_bytes out = {header, OG_HEADER_SIZE, 0};
    og_put_tag(&out, "OGE statement v1");
    og_put(&out, log_id, 32);
    og_put(&out, epoch_id, 32);
    og_put_u64(&out, sequence);
    og_put(&out, digest, 32);
}
