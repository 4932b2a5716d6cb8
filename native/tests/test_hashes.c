/* SHA-256 against OpenSSL for every length that changes its padding, each engine; Keccak-256 against the vectors. */
#include <openssl/evp.h>
#include <string.h>

#include "check.h"
#include "keccak256.h"
#include "og_attest.h"
#include "rows.h"
#include "sha256.h"
#include "vectors.h"

static uint8_t data[40 * 118];

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

static void lanes_of_every_length(void)
{
    static uint8_t got[OG_SHA256_LANES][32];
    uint8_t right[32];
    const uint8_t *from[OG_SHA256_LANES], *rest[OG_SHA256_LANES];
    for (size_t size = 0; size <= 300; size++)
        for (size_t cut = 0; cut <= size; cut += 1 + size / 5) {
            size_t count = 1 + (size + cut) % OG_SHA256_LANES;
            for (size_t i = 0; i < count; i++) {
                from[i] = data + 7 * i;
                rest[i] = data + 7 * i + cut;
            }
            og_sha256_lanes hash;
            og_sha256_lanes_init(&hash, count);
            og_sha256_lanes_update(&hash, from, cut);
            og_sha256_lanes_update(&hash, rest, size - cut);
            og_sha256_lanes_final(&hash, got[0], 32);
            for (size_t i = 0; i < count; i++) {
                expected(from[i], size, right);
                CHECK_BYTES(right, got[i], 32);
            }
        }
}

static void leaves_and_nodes(void)
{
    static uint8_t got[40 * 32];
    uint8_t right[32], message[134];
    for (size_t count = 0; count <= 40; count++) {
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
        og_sha256_receipt_ids(data, count, got);
        for (size_t i = 0; i < count; i++) {
            memcpy(message, "OGE receipt id 1", 16);
            memcpy(message + 16, data + 118 * i, 118);
            expected(message, 134, right);
            CHECK_BYTES(right, got + 16 * i, 16);
        }
    }
}

/* Rows of mixed sizes, so that runs of every length come up. */
static void digests_of_rows(void)
{
    enum { count = 60 };
    static og_tensor_view tensors[count];
    static og_row_view rows[count];
    static uint8_t salts[16 * count], leaves[118 * count], message[400], right[32];
    for (size_t i = 0; i < count; i++) {
        size_t size = i < 37 ? 256 : i < 48 ? 0 : 60 + i / 3;
        tensors[i] = (og_tensor_view){data, 40, data + i, size};
        rows[i] = (og_row_view){&tensors[i], &tensors[i], data, 1, 1, (uint32_t)i, 1};
    }
    og_row_leaves(rows, count, salts, leaves);
    for (size_t i = 0; i < count; i++) {
        memcpy(message, "OGE tensors v1\0\0\0\0\0\1", 20);
        memcpy(message + 20, data, 40);
        memcpy(message + 60, data + i, tensors[i].data_size);
        expected(message, 60 + tensors[i].data_size, right);
        CHECK_BYTES(right, leaves + 118 * i + 16, 32);
        CHECK_BYTES(right, leaves + 118 * i + 48, 32);
    }
}

static void everything(void)
{
    fill();
    every_length();
    leaves_and_nodes();
    digests_of_rows();
}

TEST(sha256_this_machines_engine_equals_openssl)
{
    everything();
}

TEST(sha256_portable_engine_equals_openssl)
{
    og_sha256_active = &og_sha256_portable;
    CHECK(strcmp(og_sha256_provider(), "portable") == 0);
    everything();
}

/* What a processor without the extension cannot run, it cannot get wrong. */
TEST(sha256_sha_extensions_alone_equal_openssl)
{
    if (og_sha256_ni() == NULL) return;
    og_sha256_active = og_sha256_ni();
    everything();
}

TEST(sha256_sixteen_lanes_equal_openssl)
{
    if (og_sha256_ni_avx512() == NULL) return;
    og_sha256_active = og_sha256_ni_avx512();
    everything();
    lanes_of_every_length();
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
