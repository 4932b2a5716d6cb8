/* One batch, one signature: docs/formats.md, "Batch statement". */
#include <time.h>

#include "curve.h"
#include "epoch.h"
#include "error.h"
#include "rows.h"
#include "sha256.h"
#include "statement.h"

enum { body_at = OG_HEADER_SIZE + OG_SIGNATURE_SIZE, salt_size = 16 };

static og_status check(const og_epoch *epoch, const og_batch *batch, const og_sealed *sealed, og_error *error)
{
    OG_REQUIRE(epoch);
    OG_REQUIRE(batch);
    OG_REQUIRE(sealed);
    OG_REQUIRE(batch->context);
    OG_REQUIRE(batch->rows);
    OG_REQUIRE(sealed->statement);
    OG_REQUIRE(sealed->leaves);
    OG_REQUIRE(sealed->tree);
    OG_REQUIRE(sealed->receipt_ids);
    if (batch->row_count == 0 || batch->row_count > OG_ROWS_MAX)
        return og_fail(error, OG_OUT_OF_RANGE, 0, "a batch has 1 to %u rows, not %u", OG_ROWS_MAX, batch->row_count);
    if (batch->context_size == 0 || batch->context_size > OG_CONTEXT_MAX)
        return og_fail(error, OG_OUT_OF_RANGE, 0, "a context has 1 to %u bytes, not %zu", OG_CONTEXT_MAX, batch->context_size);
    if (sealed->leaves_capacity < (size_t)OG_LEAF_SIZE * batch->row_count || sealed->tree_capacity < 32 * og_tree_nodes(batch->row_count) ||
        sealed->receipt_ids_capacity < (size_t)OG_RECEIPT_ID_SIZE * batch->row_count)
        return og_fail(error, OG_BUFFER_TOO_SMALL, 0, "leaves, tree or receipt ids have too little room for %u rows", batch->row_count);
    return og_rows_check(batch->rows, batch->row_count, batch->batch_rows, error);
}

/* Runs on while the host's clock is set. Costs some 20 ns where the kernel maps it, and a seal takes four. */
static uint64_t now_ns(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* 0 when there is none left. A loop, because an addition would wrap around to numbers already used. */
static uint64_t next_sequence(og_epoch *epoch)
{
    uint64_t last = atomic_load_explicit(&epoch->sequence, memory_order_relaxed);
    do {
        if (last == UINT64_MAX) return 0;
    } while (!atomic_compare_exchange_weak_explicit(&epoch->sequence, &last, last + 1, memory_order_relaxed, memory_order_relaxed));
    return last + 1;
}

/* The salts are drawn in one call, into room that the tree needs later: a level of 32-byte hashes. */
static og_status hash_rows(const og_batch *batch, og_sealed *sealed, const uint8_t **root, og_error *error)
{
    uint8_t *salts = sealed->tree;
    og_status status = og_random(salts, (size_t)salt_size * batch->row_count, error);
    if (status != OG_OK) return status;
    og_row_leaves(batch->rows, batch->row_count, salts, sealed->leaves);
    *root = og_row_tree(sealed->leaves, batch->row_count, sealed->tree);
    og_sha256_receipt_ids(sealed->leaves, batch->row_count, sealed->receipt_ids);
    return OG_OK;
}

/* RFC 6962 leaf hash. */
static void identify(const uint8_t *statement, size_t size, uint8_t id[32])
{
    og_sha256 hash;
    og_sha256_init(&hash);
    og_sha256_update(&hash, "", 1); /* the terminator is the prefix 0x00 */
    og_sha256_update(&hash, statement, size);
    og_sha256_final(&hash, id);
}

og_status og_epoch_seal(og_epoch *epoch, const og_batch *batch, og_sealed *sealed, og_error *error)
{
    og_status status = check(epoch, batch, sealed, error);
    const uint8_t *root = NULL;
    const uint64_t begun = now_ns();
    if (status == OG_OK) status = hash_rows(batch, sealed, &root, error);
    if (status != OG_OK) return status;
    const uint64_t hashed = now_ns();

    uint8_t statement[OG_STATEMENT_MAX];
    og_bytes body = {statement + body_at, sizeof statement - body_at, 0};
    og_put_body(&body, batch, root);
    sealed->statement_size = body_at + body.size;
    if (sealed->statement_size > sealed->statement_capacity)
        return og_fail(error, OG_BUFFER_TOO_SMALL, 0, "the statement takes %zu bytes", sealed->statement_size);

    uint64_t sequence = next_sequence(epoch);
    if (sequence == 0) return og_fail(error, OG_EPOCH_ENDED, 0, "the epoch's last sequence number was used; open a new epoch");
    og_put_header(statement, epoch->log_id, epoch->id, sequence, statement + body_at, body.size);
    uint8_t digest[32];
    const uint64_t signing = now_ns();
    og_sha256_of(statement, OG_HEADER_SIZE, digest);
    status = og_curve_sign(epoch->curve, epoch->secrets->signing, digest, statement + OG_HEADER_SIZE);
    if (status == OG_BAD_KEY) return og_fail(error, OG_EPOCH_ENDED, 0, "the epoch's key is gone: this process was forked from the one that opened it");
    if (status != OG_OK) return og_fail(error, status, 0, "libsecp256k1 did not sign");
    sealed->hash_ns = hashed - begun;
    sealed->sign_ns = now_ns() - signing;

    memcpy(sealed->statement, statement, sealed->statement_size);
    identify(statement, sealed->statement_size, sealed->statement_id);
    sealed->sequence = sequence;
    return OG_OK;
}
