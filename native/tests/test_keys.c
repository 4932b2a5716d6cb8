/* Signatures without an epoch: what is accepted, and everything that must not be. */
#include <secp256k1.h>
#include <string.h>

#include "check.h"
#include "nonce.h"
#include "og_attest.h"
#include "sha256.h"
#include "vectors.h"

static const uint8_t secret[32] = {[31] = 1}, digest[32] = {1, 2, 3};

/* Order of the group, and n - s for a signature's s (SEC 2 §2.4.1). */
static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                                  0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};

static void negate(uint8_t s[32])
{
    int borrow = 0;
    for (int i = 31; i >= 0; i--) {
        int value = order[i] - s[i] - borrow;
        borrow = value < 0;
        s[i] = (uint8_t)(value + (borrow ? 256 : 0));
    }
}

TEST(secp256k1_signature_verifies_and_recovers)
{
    uint8_t key[65], found[65], signature[65], again[65], compressed[33];
    CHECK_STATUS(OG_OK, og_secp256k1_public_key(secret, key));
    CHECK_STATUS(OG_OK, og_secp256k1_sign(secret, digest, signature));
    CHECK_STATUS(OG_OK, og_secp256k1_sign(secret, digest, again));
    CHECK_BYTES(signature, again, 65);
    CHECK_STATUS(OG_OK, og_secp256k1_verify(key, 65, digest, signature));
    compressed[0] = (uint8_t)(2 | (key[64] & 1));
    memcpy(compressed + 1, key + 1, 32);
    CHECK_STATUS(OG_OK, og_secp256k1_verify(compressed, 33, digest, signature));
    CHECK_STATUS(OG_OK, og_secp256k1_recover(digest, signature, found));
    CHECK_BYTES(key, found, 65);
}

TEST(nonces_equal_the_curve_librarys_own)
{
    const og_sha256_engine *chosen = og_sha256_active;
    uint8_t key[32] = {1}, message[32] = {2};
    for (unsigned int round = 0; round < 4000; round++) {
        uint8_t ours[32], theirs[32];
        og_sha256_of(key, 32, key);
        og_sha256_of(message, 32, message);
        og_sha256_active = round % 2 != 0 ? &og_sha256_portable : chosen;
        unsigned int attempt = round % 8 == 0 ? 1 + round % 3 : 0; /* after a nonce that gave no signature */
        CHECK(og_nonce(ours, message, key, NULL, NULL, attempt) == 1);
        CHECK(secp256k1_nonce_function_rfc6979(theirs, message, key, NULL, NULL, attempt) == 1);
        CHECK_BYTES(theirs, ours, 32);
    }
    og_sha256_active = chosen;
}

TEST(nonces_for_other_schemes_are_refused)
{
    uint8_t nonce[32], algorithm[16] = {0};
    CHECK(og_nonce(nonce, digest, secret, algorithm, NULL, 0) == 0);
    CHECK(og_nonce(nonce, digest, secret, NULL, algorithm, 0) == 0);
}

TEST(secp256k1_high_s_is_refused)
{
    uint8_t key[65], signature[65];
    CHECK_STATUS(OG_OK, og_secp256k1_public_key(secret, key));
    CHECK_STATUS(OG_OK, og_secp256k1_sign(secret, digest, signature));
    negate(signature + 32);
    signature[64] ^= 1; /* the same point, as far as mathematics is concerned */
    CHECK_STATUS(OG_BAD_SIGNATURE, og_secp256k1_verify(key, 65, digest, signature));
    CHECK_STATUS(OG_BAD_SIGNATURE, og_secp256k1_recover(digest, signature, key));
}

TEST(secp256k1_any_flipped_byte_is_refused)
{
    uint8_t key[65], signature[65], message[32];
    CHECK_STATUS(OG_OK, og_secp256k1_public_key(secret, key));
    CHECK_STATUS(OG_OK, og_secp256k1_sign(secret, digest, signature));
    for (int i = 0; i < 65; i++) {
        signature[i] ^= 1;
        CHECK_STATUS(OG_BAD_SIGNATURE, og_secp256k1_verify(key, 65, digest, signature));
        signature[i] ^= 1;
        key[i] ^= 1;
        CHECK(og_secp256k1_verify(key, 65, digest, signature) != OG_OK);
        key[i] ^= 1;
    }
    memcpy(message, digest, 32);
    for (int i = 0; i < 32; i++) {
        message[i] ^= 0x80;
        CHECK_STATUS(OG_BAD_SIGNATURE, og_secp256k1_verify(key, 65, message, signature));
        message[i] ^= 0x80;
    }
    for (int v = 2; v < 256; v++) {
        signature[64] = (uint8_t)v;
        CHECK_STATUS(OG_BAD_SIGNATURE, og_secp256k1_recover(digest, signature, key));
    }
}

TEST(secp256k1_bad_keys_and_values_are_refused)
{
    uint8_t key[65], signature[65], zero[65] = {0};
    CHECK_STATUS(OG_BAD_KEY, og_secp256k1_public_key(zero, key));
    CHECK_STATUS(OG_BAD_KEY, og_secp256k1_public_key(order, key));
    CHECK_STATUS(OG_BAD_KEY, og_secp256k1_sign(order, digest, signature));
    CHECK_STATUS(OG_OK, og_secp256k1_public_key(secret, key));
    CHECK_STATUS(OG_OK, og_secp256k1_sign(secret, digest, signature));
    CHECK_STATUS(OG_BAD_KEY, og_secp256k1_verify(key, 64, digest, signature));
    CHECK_STATUS(OG_BAD_KEY, og_secp256k1_verify(key, 33, digest, signature));
    CHECK_STATUS(OG_BAD_KEY, og_secp256k1_verify(zero, 65, digest, signature));
    key[0] = (uint8_t)(6 | (key[64] & 1)); /* hybrid form */
    CHECK_STATUS(OG_BAD_KEY, og_secp256k1_verify(key, 65, digest, signature));
    CHECK_STATUS(OG_BAD_SIGNATURE, og_secp256k1_recover(digest, zero, key));
    memcpy(signature, order, 32);
    CHECK_STATUS(OG_BAD_SIGNATURE, og_secp256k1_recover(digest, signature, key));
}

TEST(secp256k1_nulls_are_statuses)
{
    uint8_t bytes[65] = {0};
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secp256k1_public_key(NULL, bytes));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secp256k1_public_key(secret, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secp256k1_sign(NULL, digest, bytes));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secp256k1_sign(secret, NULL, bytes));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secp256k1_sign(secret, digest, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secp256k1_verify(NULL, 65, digest, bytes));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secp256k1_verify(bytes, 65, NULL, bytes));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secp256k1_verify(bytes, 65, digest, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secp256k1_recover(NULL, bytes, bytes));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secp256k1_recover(digest, NULL, bytes));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secp256k1_recover(digest, bytes, NULL));
}

/* RFC 8032 §7.1, test 2. */
TEST(ed25519_follows_rfc_8032)
{
    static const uint8_t seed[32] = {0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f,
                                     0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb};
    static const uint8_t public_key[32] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc,
                                           0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
    static const uint8_t begins[4] = {0x92, 0xa0, 0x09, 0xa9};
    uint8_t key[32], signature[64], message = 0x72;
    CHECK_STATUS(OG_OK, og_ed25519_public_key(seed, key));
    CHECK_BYTES(public_key, key, 32);
    CHECK_STATUS(OG_OK, og_ed25519_sign(seed, &message, 1, signature));
    CHECK_BYTES(begins, signature, 4);
    CHECK_STATUS(OG_OK, og_ed25519_verify(key, &message, 1, signature));
    for (int i = 0; i < 64; i++) {
        signature[i] ^= 4;
        CHECK_STATUS(OG_BAD_SIGNATURE, og_ed25519_verify(key, &message, 1, signature));
        signature[i] ^= 4;
    }
    CHECK_STATUS(OG_BAD_SIGNATURE, og_ed25519_verify(key, NULL, 0, signature));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_ed25519_public_key(NULL, key));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_ed25519_sign(seed, NULL, 1, signature));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_ed25519_verify(key, NULL, 1, signature));
}

/* RFC 7914 §12, third vector. */
TEST(scrypt_follows_rfc_7914_and_refuses_excess)
{
    static const uint8_t begins[8] = {0x70, 0x23, 0xbd, 0xcb, 0x3a, 0xfd, 0x73, 0x48};
    const uint8_t *password = (const uint8_t *)"pleaseletmein", *salt = (const uint8_t *)"SodiumChloride";
    uint8_t key[64];
    CHECK_STATUS(OG_OK, og_scrypt(password, 13, salt, 14, 16384, 8, 1, key, sizeof key));
    CHECK_BYTES(begins, key, sizeof begins);
    CHECK_STATUS(OG_OUT_OF_RANGE, og_scrypt(password, 13, salt, 14, 16383, 8, 1, key, sizeof key));
    CHECK_STATUS(OG_OUT_OF_RANGE, og_scrypt(password, 13, salt, 14, (uint64_t)1 << 30, 8, 1, key, sizeof key));
    CHECK_STATUS(OG_OUT_OF_RANGE, og_scrypt(password, 13, salt, 14, 16384, 0, 1, key, sizeof key));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_scrypt(NULL, 13, salt, 14, 16384, 8, 1, key, sizeof key));
}

TEST(equal_compares_all_bytes)
{
    uint8_t a[4] = {1, 2, 3, 4}, b[4] = {1, 2, 3, 5};
    CHECK(og_equal(a, a, 4) == 1);
    CHECK(og_equal(a, b, 4) == 0);
    CHECK(og_equal(a, b, 3) == 1);
    CHECK(og_equal(NULL, b, 4) == 0);
}
