/* Sealing: bad arguments, signatures, sequence numbers, threads. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "epoch.h"
#include "fixture.h"
#include "rows.h"
#include "sha256.h"

static fixture_sealed sealed;

static uint64_t sequence_of(const uint8_t *statement)
{
    uint64_t sequence;
    memcpy(&sequence, statement + 80, 8);
    return __builtin_bswap64(sequence);
}

static void check_signature(const og_epoch *epoch, const uint8_t *statement)
{
    uint8_t id[32], key[65], digest[32];
    CHECK_STATUS(OG_OK, og_epoch_describe(epoch, id, key));
    CHECK_BYTES(id, statement + 48, 32);
    og_sha256_of(statement, 120, digest);
    CHECK_STATUS(OG_OK, og_secp256k1_verify(key, 65, digest, statement + 120));
}

TEST(seal_fills_buffers_and_signs_what_they_say)
{
    og_epoch *epoch = fixture_epoch();
    static uint8_t tree[sizeof sealed.tree];
    for (uint32_t count = 1; count <= 70; count++) {
        og_batch batch = fixture_batch(count);
        fixture_buffers(&sealed);
        CHECK_STATUS(OG_OK, og_epoch_seal(epoch, &batch, &sealed.out, NULL));
        CHECK(sealed.out.sequence == count && sequence_of(sealed.statement) == count);
        check_signature(epoch, sealed.statement);
        uint8_t digest[32];
        og_sha256_of(sealed.statement + 185, sealed.out.statement_size - 185, digest);
        CHECK_BYTES(digest, sealed.statement + 88, 32);
        const uint8_t *root = og_row_tree(sealed.leaves, count, tree);
        CHECK_BYTES(tree, sealed.tree, 32 * og_tree_nodes(count));
        CHECK(memmem(sealed.statement + 185, sealed.out.statement_size - 185, root, 32) != NULL);
    }
    og_epoch_close(epoch);
}

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

TEST(seal_reports_the_times_of_hashing_and_signing_as_parts_of_the_call)
{
    og_epoch *epoch = fixture_epoch();
    og_batch batch = fixture_batch(64);
    fixture_buffers(&sealed);
    sealed.out.hash_ns = sealed.out.sign_ns = 0;
    const uint64_t start = monotonic_ns();
    CHECK_STATUS(OG_OK, og_epoch_seal(epoch, &batch, &sealed.out, NULL));
    const uint64_t whole = monotonic_ns() - start;
    CHECK(sealed.out.hash_ns > 0);
    CHECK(sealed.out.sign_ns > 0);
    CHECK(sealed.out.hash_ns + sealed.out.sign_ns <= whole);
    og_epoch_close(epoch);
}

TEST(seal_salts_every_row_anew)
{
    og_epoch *epoch = fixture_epoch();
    og_batch batch = fixture_batch(64);
    uint8_t salts[128][16];
    for (int round = 0; round < 2; round++) {
        fixture_buffers(&sealed);
        CHECK_STATUS(OG_OK, og_epoch_seal(epoch, &batch, &sealed.out, NULL));
        for (int i = 0; i < 64; i++) memcpy(salts[64 * round + i], sealed.leaves + OG_LEAF_SIZE * (size_t)i, 16);
    }
    for (int i = 0; i < 128; i++)
        for (int j = 0; j < i; j++) CHECK(memcmp(salts[i], salts[j], 16) != 0);
    og_epoch_close(epoch);
}

TEST(seal_names_statement_and_receipts_as_the_formats_say)
{
    og_epoch *epoch = fixture_epoch();
    for (uint32_t count = 1; count <= 5; count++) {
        og_batch batch = fixture_batch(count);
        fixture_buffers(&sealed);
        CHECK_STATUS(OG_OK, og_epoch_seal(epoch, &batch, &sealed.out, NULL));
        uint8_t digest[32], message[1 + OG_STATEMENT_MAX] = {0};
        memcpy(message + 1, sealed.statement, sealed.out.statement_size);
        og_sha256_of(message, 1 + sealed.out.statement_size, digest);
        CHECK_BYTES(digest, sealed.out.statement_id, 32);
        for (uint32_t i = 0; i < count; i++) {
            memcpy(message, "OGE receipt id 1", 16);
            memcpy(message + 16, sealed.leaves + OG_LEAF_SIZE * i, OG_LEAF_SIZE);
            og_sha256_of(message, 16 + OG_LEAF_SIZE, digest);
            CHECK_BYTES(digest, sealed.receipt_ids + OG_RECEIPT_ID_SIZE * i, OG_RECEIPT_ID_SIZE);
        }
    }
    og_epoch_close(epoch);
}

static og_epoch *shared;

static void rejected(og_status expected, const og_batch *batch)
{
    og_error error = {-1, ""};
    uint64_t before = shared->sequence;
    CHECK_STATUS(expected, og_epoch_seal(shared, batch, &sealed.out, &error));
    CHECK(error.text[0] != 0);
    CHECK(shared->sequence == before);
}

TEST(seal_with_bad_batches_gives_the_status_and_signs_nothing)
{
    shared = fixture_epoch();
    og_batch good = fixture_batch(3), bad = good;
    og_row_view rows[3];
    og_tensor_view tensor;
    fixture_buffers(&sealed);
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_seal(NULL, &good, &sealed.out, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_seal(shared, NULL, &sealed.out, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_seal(shared, &good, NULL, NULL));
    rejected(OG_NULL_ARGUMENT, (bad = good, bad.context = NULL, &bad));
    rejected(OG_NULL_ARGUMENT, (bad = good, bad.rows = NULL, &bad));
    rejected(OG_OUT_OF_RANGE, (bad = good, bad.row_count = 0, &bad));
    rejected(OG_OUT_OF_RANGE, (bad = good, bad.row_count = OG_ROWS_MAX + 1, &bad));
    rejected(OG_OUT_OF_RANGE, (bad = good, bad.context_size = 0, &bad));
    rejected(OG_OUT_OF_RANGE, (bad = good, bad.context_size = OG_CONTEXT_MAX + 1, &bad));
    rejected(OG_OUT_OF_RANGE, (bad = good, bad.batch_rows = 2, &bad));

    bad = good;
    bad.rows = rows;
    memcpy(rows, good.rows, sizeof rows);
    rejected(OG_NULL_ARGUMENT, (rows[1].parameter_digest = NULL, &bad));
    memcpy(rows, good.rows, sizeof rows);
    rejected(OG_OUT_OF_RANGE, (rows[1].row_count = 0, &bad));
    rejected(OG_OUT_OF_RANGE, (rows[1].row_count = 65536, &bad));
    rejected(OG_OUT_OF_RANGE, (rows[1].row_count = 1, rows[1].first_slot = UINT32_MAX, &bad));
    memcpy(rows, good.rows, sizeof rows);
    rejected(OG_NULL_ARGUMENT, (rows[2].inputs = NULL, &bad));
    memcpy(rows, good.rows, sizeof rows);
    rejected(OG_NULL_ARGUMENT, (rows[2].outputs = NULL, &bad));
    rows[2].outputs = &tensor;
    tensor = *good.rows[2].outputs;
    rejected(OG_NULL_ARGUMENT, (tensor.header = NULL, &bad));
    tensor = *good.rows[2].outputs;
    rejected(OG_NULL_ARGUMENT, (tensor.data = NULL, &bad));
    tensor = *good.rows[2].outputs;
    rejected(OG_OUT_OF_RANGE, (tensor.header_size = 0, &bad));
    og_epoch_close(shared);
}

TEST(seal_into_small_or_missing_buffers_gives_the_status)
{
    shared = fixture_epoch();
    og_batch batch = fixture_batch(3);
    fixture_buffers(&sealed);
    sealed.out.statement_capacity = 185;
    rejected(OG_BUFFER_TOO_SMALL, &batch);
    size_t needed = sealed.out.statement_size;
    fixture_buffers(&sealed);
    sealed.out.statement_capacity = needed;
    CHECK_STATUS(OG_OK, og_epoch_seal(shared, &batch, &sealed.out, NULL));
    sealed.out.leaves_capacity = 3 * OG_LEAF_SIZE - 1;
    rejected(OG_BUFFER_TOO_SMALL, &batch);
    fixture_buffers(&sealed);
    sealed.out.tree_capacity = 32 * og_tree_nodes(3) - 1;
    rejected(OG_BUFFER_TOO_SMALL, &batch);
    fixture_buffers(&sealed);
    sealed.out.receipt_ids_capacity = 3 * OG_RECEIPT_ID_SIZE - 1;
    rejected(OG_BUFFER_TOO_SMALL, &batch);
    fixture_buffers(&sealed);
    rejected(OG_NULL_ARGUMENT, (sealed.out.receipt_ids = NULL, &batch));
    fixture_buffers(&sealed);
    rejected(OG_NULL_ARGUMENT, (sealed.out.statement = NULL, &batch));
    fixture_buffers(&sealed);
    rejected(OG_NULL_ARGUMENT, (sealed.out.leaves = NULL, &batch));
    fixture_buffers(&sealed);
    rejected(OG_NULL_ARGUMENT, (sealed.out.tree = NULL, &batch));
    og_epoch_close(shared);
}

TEST(seal_at_the_end_of_the_sequence_is_refused)
{
    og_epoch *epoch = fixture_epoch();
    og_batch batch = fixture_batch(1);
    epoch->sequence = UINT64_MAX - 1;
    fixture_buffers(&sealed);
    CHECK_STATUS(OG_OK, og_epoch_seal(epoch, &batch, &sealed.out, NULL));
    CHECK(sealed.out.sequence == UINT64_MAX);
    for (int i = 0; i < 3; i++) CHECK_STATUS(OG_EPOCH_ENDED, og_epoch_seal(epoch, &batch, &sealed.out, NULL));
    og_epoch_close(epoch);
}

enum { threads = 4, seals = 300 };
static uint64_t given[threads][seals];

static void *seal_many(void *argument)
{
    uint64_t *numbers = argument;
    fixture_sealed *mine = malloc(sizeof *mine);
    fixture_buffers(mine);
    og_batch batch = fixture_batch(2);
    for (int i = 0; i < seals; i++) {
        CHECK_STATUS(OG_OK, og_epoch_seal(shared, &batch, &mine->out, NULL));
        numbers[i] = sequence_of(mine->statement);
        CHECK(numbers[i] == mine->out.sequence);
        CHECK(i == 0 || numbers[i] > numbers[i - 1]);
        check_signature(shared, mine->statement);
    }
    free(mine);
    return NULL;
}

TEST(seal_from_several_threads_gives_every_number_once)
{
    shared = fixture_epoch();
    fixture_batch(2); /* fills what the threads then only read */
    pthread_t running[threads];
    for (int i = 0; i < threads; i++) CHECK(pthread_create(&running[i], NULL, seal_many, given[i]) == 0);
    for (int i = 0; i < threads; i++) CHECK(pthread_join(running[i], NULL) == 0);
    static uint8_t seen[threads * seals + 1];
    for (int i = 0; i < threads; i++)
        for (int j = 0; j < seals; j++) {
            CHECK(given[i][j] >= 1 && given[i][j] <= threads * seals);
            CHECK(seen[given[i][j]]++ == 0);
        }
    og_epoch_close(shared);
}
