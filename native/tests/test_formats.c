/* Every format that the shim writes, recomputed from the inputs in the golden vectors. */
#include <secp256k1.h>
#include <stdio.h>
#include <string.h>

#include "attesters.h"
#include "bytes.h"
#include "check.h"
#include "checkpoint.h"
#include "curve.h"
#include "epoch.h"
#include "keccak256.h"
#include "og_attest.h"
#include "rows.h"
#include "sha256.h"
#include "statement.h"
#include "vectors.h"

#define CHECK_VECTOR(name, actual, length)                                                                             \
    do {                                                                                                               \
        vector golden = vector_read(name);                                                                             \
        CHECK(golden.size == (length));                                                                                \
        CHECK_BYTES(golden.bytes, actual, golden.size);                                                                \
    } while (0)

TEST(tensor_sets_digest_as_in_the_vectors)
{
    vector header_a = vector_read("tensor.a.header"), data = vector_read("tensor.a.data"), header_b = vector_read("tensor.b.header");
    og_tensor_view tensors[] = {{header_a.bytes, header_a.size, data.bytes, data.size}, {header_b.bytes, header_b.size, NULL, 0}};
    uint8_t digest[32];
    og_tensor_set_digest(NULL, 0, digest);
    CHECK_VECTOR("tensors.none.digest", digest, 32);
    og_tensor_set_digest(tensors, 1, digest);
    CHECK_VECTOR("tensors.a.digest", digest, 32);
    og_tensor_set_digest(tensors, 2, digest);
    CHECK_VECTOR("tensors.ab.digest", digest, 32);
}

TEST(row_leaves_are_as_in_the_vectors_alone_and_beside_others)
{
    vector header_a = vector_read("tensor.a.header"), data = vector_read("tensor.a.data"), header_b = vector_read("tensor.b.header");
    vector parameters = vector_read("params.none.digest"), salt = vector_read("leaf.salt");
    og_tensor_view tensors[] = {{header_a.bytes, header_a.size, data.bytes, data.size}, {header_b.bytes, header_b.size, NULL, 0}};
    og_row_view row = {tensors, tensors, parameters.bytes, 2, 1, 7, 3}, other = {tensors, NULL, parameters.bytes, 1, 0, 7, 3};
    og_row_view rows[5] = {row, row, row, other, row};
    uint8_t salts[5 * 16], leaves[5 * OG_LEAF_SIZE], hash[32], named[16 + OG_LEAF_SIZE] = "OGE receipt id 1";
    for (size_t i = 0; i < 5; i++) memcpy(salts + 16 * i, salt.bytes, 16);
    og_row_leaves(rows, 5, salts, leaves);
    for (size_t i = 0; i < 5; i++)
        if (i != 3) CHECK_VECTOR("leaf.preimage", leaves + OG_LEAF_SIZE * i, OG_LEAF_SIZE);
    CHECK(memcmp(leaves, leaves + OG_LEAF_SIZE * 3, OG_LEAF_SIZE) != 0);

    og_sha256_leaves(leaves, 1, hash);
    CHECK_VECTOR("leaf.hash", hash, 32);
    memcpy(named + 16, leaves, OG_LEAF_SIZE);
    og_sha256_of(named, sizeof named, hash);
    CHECK_VECTOR("leaf.receipt_id", hash, 16);
    og_sha256_receipt_ids(leaves, 1, hash);
    CHECK_VECTOR("leaf.receipt_id", hash, 16);
}

TEST(trees_have_the_roots_of_the_vectors)
{
    static const uint32_t counts[] = {1, 2, 3, 5, 8, 13};
    static uint8_t leaves[13 * OG_LEAF_SIZE], tree[32 * 64];
    for (uint8_t i = 0; i < 13; i++) memset(leaves + OG_LEAF_SIZE * i, i, OG_LEAF_SIZE);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "tree.%u.root", counts[i]);
        const uint8_t *root = og_row_tree(leaves, counts[i], tree);
        CHECK_VECTOR(name, root, 32);
        CHECK(root == tree + 32 * (og_tree_nodes(counts[i]) - 1));
    }
}

static og_epoch_config config_of_vectors(og_library libraries[2])
{
    static vector nonce;
    nonce = vector_read("epoch.nonce");
    libraries[0] = (og_library){.name = "libonnxruntime.so.1", .name_size = 19};
    libraries[1] = (og_library){.name = "lib\xc3\xbc.so", .name_size = 8};
    memcpy(libraries[0].digest, vector_read("epoch.library.0.digest").bytes, 32);
    memcpy(libraries[1].digest, vector_read("epoch.library.1.digest").bytes, 32);
    og_epoch_config config = {.chain_id = 31337, .libraries = libraries, .library_count = 2, .nonce = nonce.bytes, .nonce_size = nonce.size};
    memcpy(config.log_id, vector_read("log.id").bytes, 32);
    memcpy(config.contract, vector_read("epoch.contract").bytes, 20);
    return config;
}

TEST(binding_and_evidence_are_as_in_the_vectors)
{
    og_library libraries[2];
    og_epoch_config config = config_of_vectors(libraries);
    uint8_t key[65], binding[OG_BINDING_MAX], envelope[4096], id[32];
    CHECK_STATUS(OG_OK, og_secp256k1_public_key(vector_read("epoch.secret").bytes, key));
    CHECK_VECTOR("epoch.public_key", key, 65);
    vector build = vector_read("epoch.build_digest");
    og_bytes prefix = {binding, sizeof binding, 0};
    CHECK_STATUS(OG_OK, og_put_binding(&prefix, &config, key, build.bytes, NULL));

    og_epoch epoch = {.curve = og_curve_new(NULL), .secrets = og_secrets_new(NULL), .attester = og_attester_find(OG_ATTESTER_SOFTWARE, false, NULL),
                      .binding = binding, .binding_size = prefix.size};
    memcpy(epoch.secrets->root, vector_read("evidence.root_secret").bytes, 32);
    memcpy(epoch.build_digest, build.bytes, 32);
    og_bytes evidence = {envelope, sizeof envelope, 0};
    CHECK_STATUS(OG_OK, og_put_evidence(&evidence, &epoch, config.nonce, config.nonce_size, 1800000000, id, NULL));
    CHECK_VECTOR("epoch.id", id, 32);
    CHECK_VECTOR("evidence.envelope", envelope, evidence.size);
    og_secrets_free(epoch.secrets);
    secp256k1_context_destroy(epoch.curve);
}

TEST(statement_is_as_in_the_vectors)
{
    vector context = vector_read("statement.context"), root = vector_read("leaf.hash");
    og_chain_view chain = {31337, 1000000, {0}};
    memcpy(chain.block_hash, vector_read("statement.block_hash").bytes, 32);
    og_batch batch = {context.bytes, context.size, NULL, 1, 12, 1800000000123456700, NULL};
    uint8_t statement[OG_STATEMENT_MAX], digest[32];
    og_bytes body = {statement + 185, sizeof statement - 185, 0};
    og_put_body(&body, &batch, root.bytes);
    CHECK_VECTOR("statement.body_without_chain", body.at, body.size);

    batch.chain = &chain;
    body.size = 0;
    og_put_body(&body, &batch, root.bytes);
    CHECK_VECTOR("statement.body", body.at, body.size);
    og_put_header(statement, vector_read("log.id").bytes, vector_read("epoch.id").bytes, 0x0102030405060708, body.at, body.size);
    CHECK_VECTOR("statement.header", statement, 120);
    og_sha256_of(statement, 120, digest);
    CHECK_STATUS(OG_OK, og_secp256k1_sign(vector_read("epoch.secret").bytes, digest, statement + 120));
    CHECK_VECTOR("statement.bytes", statement, 185 + body.size);
}

TEST(checkpoint_digest_and_signatures_are_as_in_the_vectors)
{
    og_checkpoint checkpoint = {.size = 1};
    memcpy(checkpoint.root, vector_read("checkpoint.root").bytes, 32);
    memcpy(checkpoint.previous_head, vector_read("checkpoint.previous_head").bytes, 32);
    uint8_t digest[32], signature[65], note_signature[64], key[32];
    og_checkpoint_digest(vector_read("log.id").bytes, 31337, vector_read("epoch.contract").bytes, &checkpoint, digest);
    CHECK_VECTOR("checkpoint.digest", digest, 32);
    CHECK_STATUS(OG_OK, og_secp256k1_sign(vector_read("epoch.secret").bytes, digest, signature));
    CHECK_VECTOR("checkpoint.signature", signature, 65);

    vector seed = vector_read("log.seed"), text = vector_read("checkpoint.note_text");
    CHECK_STATUS(OG_OK, og_ed25519_public_key(seed.bytes, key));
    CHECK_VECTOR("log.public_key", key, 32);
    CHECK_STATUS(OG_OK, og_ed25519_sign(seed.bytes, text.bytes, text.size, note_signature));
    CHECK_VECTOR("checkpoint.note_signature", note_signature, 64);
    uint8_t named[48] = "OGE log v1";
    memcpy(named + 16, key, 32);
    og_sha256_of(named, sizeof named, digest);
    CHECK_VECTOR("log.id", digest, 32);
}

/* The spellings of RFC 8949 appendix A at each boundary of the head. */
TEST(cbor_heads_are_the_shortest)
{
    static const struct {
        uint64_t value;
        size_t size;
        uint8_t bytes[9];
    } cases[] = {
        {0, 1, {0x00}}, {23, 1, {0x17}}, {24, 2, {0x18, 24}}, {255, 2, {0x18, 255}}, {256, 3, {0x19, 1, 0}}, {65535, 3, {0x19, 255, 255}},
        {65536, 5, {0x1a, 0, 1, 0, 0}}, {4294967295, 5, {0x1a, 255, 255, 255, 255}}, {4294967296, 9, {0x1b, 0, 0, 0, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t head[9] = {0};
        og_bytes out = {head, sizeof head, 0};
        og_put_cbor(&out, OG_CBOR_UINT, cases[i].value);
        CHECK(out.size == cases[i].size);
        CHECK_BYTES(cases[i].bytes, head, sizeof head);
    }
}

TEST(binding_with_a_bad_library_name_is_refused)
{
    static const char *const names[] = {"", "\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"};
    uint8_t bytes[OG_BINDING_MAX], key[65] = {4}, build[32] = {0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        og_library library = {.name = names[i], .name_size = strlen(names[i])};
        og_epoch_config config = {.libraries = &library, .library_count = 1};
        og_bytes out = {bytes, sizeof bytes, 0};
        CHECK_STATUS(OG_OUT_OF_RANGE, og_put_binding(&out, &config, key, build, NULL));
    }
}
