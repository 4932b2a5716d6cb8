/* SHA-256 against OpenSSL for every length that changes its padding, both engines; Keccak-256 against the vectors. */
#include <openssl/evp.h>
#include <string.h>

#include "check.h"
#include "keccak256.h"
#include "og_attest.h"
#include "sha256.h"
#include "vectors.h"

static uint8_t data[1024];

static void fill(void)
{
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 7 + i / 256);
}

static void expected(const void *bytes, size_t size, uint8_t digest[32])
{
    CHECK(EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL) == 1);
}

static void every_length(void)
{
    uint8_t right[32], got[32], second[32];
    for (size_t size = 0; size <= 520; size++) {
        expected(data, size, right);
        og_sha256_of(data, size, got);
        CHECK_BYTES(right, got, 32);
        for (size_t cut = 0; cut <= size; cut += 1 + size / 9) {
            og_sha256 a, b;
            og_sha256_init(&a);
            og_sha256_init(&b);
            og_sha256_update_two(&a, data, &b, data + 1, cut);
            og_sha256_update_two(&a, data + cut, &b, data + 1 + cut, size - cut);
            og_sha256_final_two(&a, got, &b, second);
            CHECK_BYTES(right, got, 32);
            expected(data + 1, size, right);
            CHECK_BYTES(right, second, 32);
            expected(data, size, right);
        }
    }
}

static void leaves_and_nodes(void)
{
    uint8_t right[32], got[5 * 32], message[119];
    for (size_t count = 0; count <= 5; count++) {
        og_sha256_leaves(data, count, got);
        for (size_t i = 0; i < count; i++) {
            message[0] = 0;
            memcpy(message + 1, data + 118 * i, 118);
            expected(message, 119, right);
            CHECK_BYTES(right, got + 32 * i, 32);
        }
        og_sha256_nodes(data, count, got);
        for (size_t i = 0; i < count; i++) {
            message[0] = 1;
            memcpy(message + 1, data + 64 * i, 64);
            expected(message, 65, right);
            CHECK_BYTES(right, got + 32 * i, 32);
        }
    }
}

TEST(sha256_this_machines_engine_equals_openssl)
{
    fill();
    every_length();
    leaves_and_nodes();
}

TEST(sha256_portable_engine_equals_openssl)
{
    fill();
    og_sha256_active = &og_sha256_portable;
    CHECK(strcmp(og_sha256_provider(), "portable") == 0);
    every_length();
    leaves_and_nodes();
}

TEST(hashes_of_vectors_are_right)
{
    vector input = vector_read("hash.input");
    uint8_t digest[32];
    og_sha256_of(input.bytes, input.size, digest);
    CHECK_BYTES(vector_read("hash.sha256").bytes, digest, 32);
    og_keccak256(input.bytes, input.size, digest);
    CHECK_BYTES(vector_read("hash.keccak256").bytes, digest, 32);
    og_keccak256(NULL, 0, digest);
    CHECK_BYTES(vector_read("hash.keccak256_empty").bytes, digest, 32);
}
