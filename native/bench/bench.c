/*
 * How fast the shim seals, beside the libraries it stands on, in one run. The cases take turns, so that a busy moment of
 * the machine meets all of them, and each one's median is taken; the last line is one JSON object.
 */
#include <inttypes.h>
#include <openssl/sha.h>
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "og_attest.h"
#include "rows.h"
#include "sha256.h"

enum { batch = 64, small_batch = 32, input_size = 256, output_size = 40, header_size = 40, repeats = 101 };

static uint8_t inputs[batch][input_size], outputs[batch][output_size], header[header_size], parameters[32];
static og_tensor_view input_views[batch], output_views[batch];
static og_row_view rows[batch];
static uint8_t leaves[batch * OG_LEAF_SIZE], tree[32 * 2 * batch + 320], receipt_ids[batch * OG_RECEIPT_ID_SIZE], statement[OG_STATEMENT_MAX], context[260];
static uint8_t secret[32], digest[32], signature[65];
static og_epoch *epoch;
static secp256k1_context *plain;

static uint64_t now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static int ascending(const void *left, const void *right)
{
    double l = *(const double *)left, r = *(const double *)right;
    return (l > r) - (l < r);
}

typedef struct timing {
    void (*call)(void);
    int calls;
    double samples[repeats], median; /* nanoseconds of one call */
} timing;

static void measure(timing *timings, size_t count)
{
    for (int i = 0; i < repeats; i++)
        for (size_t turn = 0; turn < count; turn++) {
            timing *of = timings + (i % 2 == 0 ? turn : count - 1 - turn); /* so that none always follows the same neighbour */
            of->call(); /* brings code and data back into the caches that the others used */
            uint64_t from = now_ns();
            for (int j = 0; j < of->calls; j++) of->call();
            of->samples[i] = (double)(now_ns() - from) / of->calls;
        }
    for (timing *of = timings; of < timings + count; of++) {
        double sorted[repeats];
        memcpy(sorted, of->samples, sizeof sorted);
        qsort(sorted, repeats, sizeof sorted[0], ascending);
        of->median = sorted[repeats / 2];
    }
}

/* How many times as fast the first is: the median of the rounds' ratios, which a busy moment of the machine meets on both sides. */
static double ratio(const timing *ours, const timing *theirs)
{
    double ratios[repeats];
    for (int i = 0; i < repeats; i++) ratios[i] = theirs->samples[i] / ours->samples[i];
    qsort(ratios, repeats, sizeof ratios[0], ascending);
    return ratios[repeats / 2];
}

static void must(og_status status, const char *what)
{
    if (status == OG_OK) return;
    fprintf(stderr, "%s: status %d\n", what, status);
    exit(1);
}

static void hash_rows(void)
{
    must(og_random(tree, 16 * batch, NULL), "random");
    og_row_leaves(rows, batch, tree, leaves);
    og_row_tree(leaves, batch, tree);
}

/* The same bytes with OpenSSL's low-level calls, one SHA256_* sequence per digest. */
static void openssl_digest(const uint8_t *data, size_t size, uint8_t out[32])
{
    SHA256_CTX hash;
    uint8_t head[20] = "OGE tensors v1";
    head[19] = 1;
    SHA256_Init(&hash);
    SHA256_Update(&hash, head, sizeof head);
    SHA256_Update(&hash, header, sizeof header);
    SHA256_Update(&hash, data, size);
    SHA256_Final(out, &hash);
}

static void openssl_prefixed(uint8_t prefix, const uint8_t *data, size_t size, uint8_t out[32])
{
    SHA256_CTX hash;
    SHA256_Init(&hash);
    SHA256_Update(&hash, &prefix, 1);
    SHA256_Update(&hash, data, size);
    SHA256_Final(out, &hash);
}

static void openssl_hash_salted_rows(void)
{
    for (size_t i = 0; i < batch; i++) {
        uint8_t *leaf = leaves + OG_LEAF_SIZE * i;
        memcpy(leaf, tree + 16 * i, 16);
        openssl_digest(inputs[i], input_size, leaf + 16);
        openssl_digest(outputs[i], output_size, leaf + 48);
    }
    for (size_t i = 0; i < batch; i++) openssl_prefixed(0, leaves + OG_LEAF_SIZE * i, OG_LEAF_SIZE, tree + 32 * i);
    uint8_t *level = tree;
    for (size_t size = batch; size > 1; level += 32 * size, size /= 2)
        for (size_t i = 0; i < size / 2; i++) openssl_prefixed(1, level + 64 * i, 64, level + 32 * size + 32 * i);
}

static void openssl_hash_rows(void)
{
    must(og_random(tree, 16 * batch, NULL), "random");
    openssl_hash_salted_rows();
}

static void seal_rows(uint32_t count)
{
    og_batch sealing = {context, sizeof context, rows, count, count, 1, NULL};
    og_sealed sealed = {.statement = statement, .statement_capacity = sizeof statement, .leaves = leaves, .leaves_capacity = sizeof leaves,
                        .tree = tree, .tree_capacity = sizeof tree, .receipt_ids = receipt_ids, .receipt_ids_capacity = sizeof receipt_ids};
    must(og_epoch_seal(epoch, &sealing, &sealed, NULL), "seal");
}

static void seal(void)
{
    seal_rows(batch);
}

static void seal_small(void)
{
    seal_rows(small_batch);
}

/* What sealing does to rows: salts, leaves, tree, receipt ids. */
static void hash_small(void)
{
    must(og_random(tree, 16 * small_batch, NULL), "random");
    og_row_leaves(rows, small_batch, tree, leaves);
    og_row_tree(leaves, small_batch, tree);
    og_sha256_receipt_ids(leaves, small_batch, receipt_ids);
}

static void sign(void)
{
    must(og_secp256k1_sign(secret, digest, signature), "sign");
}

static void plain_sign(void)
{
    secp256k1_ecdsa_recoverable_signature made;
    if (secp256k1_ecdsa_sign_recoverable(plain, &made, digest, secret, NULL, NULL) != 1) exit(1);
}

static void verify(void)
{
    uint8_t key[65];
    must(og_secp256k1_recover(digest, signature, key), "recover");
}

static uint8_t megabyte[1 << 20];

static void hash_megabyte(void)
{
    og_sha256_of(megabyte, sizeof megabyte, digest);
}

static void openssl_hash_megabyte(void)
{
    SHA256(megabyte, sizeof megabyte, digest);
}

/* What is compared must give the same: otherwise the ratio says nothing. */
static void check(void)
{
    uint8_t ours[65], theirs[65], tree_of_ours[32];
    int v;
    secp256k1_ecdsa_recoverable_signature made;
    must(og_secp256k1_sign(secret, digest, ours), "sign");
    if (secp256k1_ecdsa_sign_recoverable(plain, &made, digest, secret, NULL, NULL) != 1) exit(1);
    secp256k1_ecdsa_recoverable_signature_serialize_compact(plain, theirs, &v, &made);
    theirs[64] = (uint8_t)v;
    if (memcmp(ours, theirs, sizeof ours) != 0) must(OG_BAD_SIGNATURE, "the signatures differ");

    og_sha256_of(megabyte, sizeof megabyte, ours);
    SHA256(megabyte, sizeof megabyte, theirs);
    if (memcmp(ours, theirs, 32) != 0) must(OG_CRYPTO, "the hashes differ");

    /* the same salts twice: the trees' roots */
    uint8_t salts[16 * batch];
    must(og_random(salts, sizeof salts, NULL), "random");
    memcpy(tree, salts, sizeof salts);
    og_row_leaves(rows, batch, tree, leaves);
    og_row_tree(leaves, batch, tree);
    memcpy(tree_of_ours, tree + 32 * (2 * batch - 2), 32);
    memcpy(tree, salts, sizeof salts);
    openssl_hash_salted_rows();
    if (memcmp(tree_of_ours, tree + 32 * (2 * batch - 2), 32) != 0) must(OG_CRYPTO, "the trees differ");
}

static void prepare(void)
{
    memset(secret, 7, sizeof secret);
    memset(context, 0x40, sizeof context);
    for (int i = 0; i < batch; i++) {
        memset(inputs[i], i, input_size);
        memset(outputs[i], 255 - i, output_size);
        input_views[i] = (og_tensor_view){header, header_size, inputs[i], input_size};
        output_views[i] = (og_tensor_view){header, header_size, outputs[i], output_size};
        rows[i] = (og_row_view){&input_views[i], &output_views[i], parameters, 1, 1, (uint32_t)i, 1};
    }
    og_error error = {0, ""};
    og_epoch_config config = {.attester = OG_ATTESTER_SOFTWARE, .root_secret = secret};
    og_status status = og_epoch_open(&config, &epoch, &error);
    if (status != OG_OK) fprintf(stderr, "%s\n", error.text);
    must(status, "open");
    plain = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
}

int main(void)
{
    prepare();
    enum { rows_alone, openssl_rows, seals, small_seals, small_rows, signs, plain_signs, recovers, megabytes, openssl_megabytes, cases };
    static timing all[cases] = {
        [rows_alone] = {.call = hash_rows, .calls = 100},     [openssl_rows] = {.call = openssl_hash_rows, .calls = 100},
        [seals] = {.call = seal, .calls = 20},                [small_seals] = {.call = seal_small, .calls = 40},
        [small_rows] = {.call = hash_small, .calls = 200},    [signs] = {.call = sign, .calls = 40},
        [plain_signs] = {.call = plain_sign, .calls = 40},    [recovers] = {.call = verify, .calls = 20},
        [megabytes] = {.call = hash_megabyte, .calls = 1},    [openssl_megabytes] = {.call = openssl_hash_megabyte, .calls = 1},
    };
    check();
    measure(all, cases);
    double sign_ratio = ratio(&all[signs], &all[plain_signs]), hash_ratio = ratio(&all[megabytes], &all[openssl_megabytes]);
    double row_ratio = ratio(&all[rows_alone], &all[openssl_rows]);
    double rows_ns = all[rows_alone].median / batch, openssl_rows_ns = all[openssl_rows].median / batch;
    double seal_ns = all[seals].median, small_ns = all[small_seals].median, small_rows_ns = all[small_rows].median;
    double sign_ns = all[signs].median, plain_sign_ns = all[plain_signs].median, recover_ns = all[recovers].median;
    double megabyte_ns = all[megabytes].median, openssl_megabyte_ns = all[openssl_megabytes].median;
    og_epoch_close(epoch);
    secp256k1_context_destroy(plain);

    printf("sha-256 by                    %s\n", og_sha256_provider());
    printf("rows, hashing alone           %8.0f ns per row (OpenSSL's calls: %.0f)\n", rows_ns, openssl_rows_ns);
    printf("batch of %d sealed            %8.0f ns, %.0f rows per second\n", batch, seal_ns, batch * 1e9 / seal_ns);
    printf("batch of %d sealed            %8.1f us, %.2f us per row: signature %.1f us, hashing rows %.1f us\n", small_batch, small_ns / 1e3,
           small_ns / 1e3 / small_batch, sign_ns / 1e3, small_rows_ns / 1e3);
    printf("signature                     %8.0f ns (libsecp256k1 alone: %.0f)\n", sign_ns, plain_sign_ns);
    printf("recovery                      %8.0f ns\n", recover_ns);
    printf("1 MiB                         %8.0f MB/s (OpenSSL: %.0f)\n", 1048576e3 / megabyte_ns, 1048576e3 / openssl_megabyte_ns);
    printf("as fast as plain libraries    signatures %.3f, hashes of 1 MiB %.3f, rows of a batch %.3f times\n", sign_ratio, hash_ratio, row_ratio);
    printf("{\"sign_ratio\":%.3f,\"hash_ratio\":%.3f,\"receipts_per_second_batch_64\":%.0f,\"row_hash_ratio\":%.3f,", sign_ratio, hash_ratio,
           batch * 1e9 / seal_ns, row_ratio);
    printf("\"row_hash_ns\":%.0f,\"openssl_row_hash_ns\":%.0f,\"seal_batch64_ns\":%.0f,\"sealed_rows_per_second\":%.0f,"
           "\"seal_batch32_us\":%.2f,\"seal_batch32_us_per_row\":%.3f,\"seal_batch32_sign_us\":%.2f,\"seal_batch32_hash_us\":%.2f,"
           "\"sha256_sixteen_lanes\":%s,\"signatures_per_second\":%.0f,\"libsecp256k1_signatures_per_second\":%.0f,\"recoveries_per_second\":%.0f,"
           "\"sha256_mb_per_second\":%.0f,\"openssl_sha256_mb_per_second\":%.0f}\n",
           rows_ns, openssl_rows_ns, seal_ns, batch * 1e9 / seal_ns, small_ns / 1e3, small_ns / 1e3 / small_batch, sign_ns / 1e3,
           small_rows_ns / 1e3, og_sha256_active->sixteen != NULL ? "true" : "false", 1e9 / sign_ns, 1e9 / plain_sign_ns, 1e9 / recover_ns, 1048576e3 / megabyte_ns,
           1048576e3 / openssl_megabyte_ns);
    return 0;
}
