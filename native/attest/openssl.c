/* What the shim takes from OpenSSL: Ed25519 (RFC 8032), scrypt (RFC 7914), constant-time comparison. */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "memory.h"

og_status og_ed25519_public_key(const uint8_t seed[32], uint8_t public_key[32])
{
    if (seed == NULL || public_key == NULL) return OG_NULL_ARGUMENT;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    size_t size = 32;
    int got = key != NULL && EVP_PKEY_get_raw_public_key(key, public_key, &size) == 1 && size == 32;
    EVP_PKEY_free(key);
    og_scrub_stack();
    return got ? OG_OK : OG_CRYPTO;
}

og_status og_ed25519_sign(const uint8_t seed[32], const uint8_t *message, size_t message_size, uint8_t signature[64])
{
    if (seed == NULL || (message == NULL && message_size != 0) || signature == NULL) return OG_NULL_ARGUMENT;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t size = OG_ED25519_SIGNATURE_SIZE;
    int made = key != NULL && context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
               EVP_DigestSign(context, signature, &size, message, message_size) == 1 && size == OG_ED25519_SIGNATURE_SIZE;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    og_scrub_stack();
    return made ? OG_OK : OG_CRYPTO;
}

og_status og_ed25519_verify(const uint8_t public_key[32], const uint8_t *message, size_t message_size, const uint8_t signature[64])
{
    if (public_key == NULL || (message == NULL && message_size != 0) || signature == NULL) return OG_NULL_ARGUMENT;
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    og_status status = OG_CRYPTO;
    if (key != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1)
        status = EVP_DigestVerify(context, signature, OG_ED25519_SIGNATURE_SIZE, message, message_size) == 1 ? OG_OK : OG_BAD_SIGNATURE;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return status;
}

int32_t og_equal(const uint8_t *left, const uint8_t *right, size_t size)
{
    if (left == NULL || right == NULL) return 0;
    return CRYPTO_memcmp(left, right, size) == 0;
}

og_status og_scrypt(const uint8_t *password, size_t password_size, const uint8_t *salt, size_t salt_size, uint64_t n, uint64_t r, uint64_t p,
                    uint8_t *key, size_t key_size)
{
    /* twice what the usual keystore (n 2^18, r 8) takes: a hostile file cannot ask for more */
    const uint64_t memory_limit = (uint64_t)512 << 20;
    if ((password == NULL && password_size != 0) || (salt == NULL && salt_size != 0) || key == NULL) return OG_NULL_ARGUMENT;
    if (key_size == 0 || n < 2 || (n & (n - 1)) != 0 || r == 0 || r > 64 || p == 0 || p > 64 || n > memory_limit / 128 / r) return OG_OUT_OF_RANGE;
    int made = EVP_PBE_scrypt(password != NULL ? (const char *)password : "", password_size, salt, salt_size, n, r, p, memory_limit + (1 << 20), key, key_size);
    og_scrub_stack();
    return made == 1 ? OG_OK : OG_OUT_OF_RANGE;
}
