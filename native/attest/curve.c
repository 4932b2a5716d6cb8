#include "curve.h"

#include <pthread.h>
#include <secp256k1_recovery.h>
#include <string.h>

#include "error.h"
#include "memory.h"
#include "nonce.h"

secp256k1_context *og_curve_new(og_error *error)
{
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    if (context == NULL) {
        og_fail(error, OG_CRYPTO, 0, "libsecp256k1 gave no context");
        return NULL;
    }
    uint8_t seed[32];
    if (og_random(seed, sizeof seed, error) != OG_OK || secp256k1_context_randomize(context, seed) != 1) {
        secp256k1_context_destroy(context);
        context = NULL;
    }
    explicit_bzero(seed, sizeof seed);
    return context;
}

og_status og_curve_sign(const secp256k1_context *context, const uint8_t secret[32], const uint8_t digest[32], uint8_t signature[65])
{
    secp256k1_ecdsa_recoverable_signature recoverable;
    int made = secp256k1_ecdsa_sign_recoverable(context, &recoverable, digest, secret, og_nonce, NULL);
    og_scrub_stack();
    if (made != 1) return OG_BAD_KEY;

    int recovery = 0;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context, signature, &recovery, &recoverable);
    /* 2 and 3 mean an r above the group's order: odds of 2^-127, and no v for it */
    if (recovery > 1) return OG_CRYPTO;
    signature[64] = (uint8_t)recovery;
    return OG_OK;
}

og_status og_curve_public_key(const secp256k1_context *context, const uint8_t secret[32], uint8_t *public_key, size_t size)
{
    secp256k1_pubkey point;
    int made = secp256k1_ec_pubkey_create(context, &point, secret);
    og_scrub_stack();
    if (made != 1) return OG_BAD_KEY;
    secp256k1_ec_pubkey_serialize(context, public_key, &size, &point, size == 33 ? SECP256K1_EC_COMPRESSED : SECP256K1_EC_UNCOMPRESSED);
    return OG_OK;
}

/* Blinded once per process; written under the once-flag alone. */
static secp256k1_context *shared;
static pthread_once_t shared_once = PTHREAD_ONCE_INIT;

static void make_shared(void)
{
    secp256k1_selftest();
    shared = og_curve_new(NULL);
}

static const secp256k1_context *shared_context(void)
{
    pthread_once(&shared_once, make_shared);
    return shared;
}

__attribute__((destructor)) static void free_shared(void)
{
    if (shared != NULL) secp256k1_context_destroy(shared);
}

og_status og_secp256k1_public_key(const uint8_t secret[32], uint8_t public_key[65])
{
    if (secret == NULL || public_key == NULL) return OG_NULL_ARGUMENT;
    const secp256k1_context *context = shared_context();
    return context != NULL ? og_curve_public_key(context, secret, public_key, OG_PUBLIC_KEY_SIZE) : OG_CRYPTO;
}

og_status og_secp256k1_sign(const uint8_t secret[32], const uint8_t digest[32], uint8_t signature[65])
{
    if (secret == NULL || digest == NULL || signature == NULL) return OG_NULL_ARGUMENT;
    const secp256k1_context *context = shared_context();
    return context != NULL ? og_curve_sign(context, secret, digest, signature) : OG_CRYPTO;
}

static og_status recover(const uint8_t digest[32], const uint8_t signature[65], secp256k1_pubkey *key)
{
    const secp256k1_context *context = secp256k1_context_static;
    secp256k1_ecdsa_recoverable_signature recoverable;
    secp256k1_ecdsa_signature plain;
    if (signature[64] > 1) return OG_BAD_SIGNATURE;
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(context, &recoverable, signature, signature[64]) != 1) return OG_BAD_SIGNATURE;
    secp256k1_ecdsa_recoverable_signature_convert(context, &plain, &recoverable);
    if (secp256k1_ecdsa_signature_normalize(context, NULL, &plain) != 0) return OG_BAD_SIGNATURE; /* 1: s was high */
    return secp256k1_ecdsa_recover(context, key, &recoverable, digest) == 1 ? OG_OK : OG_BAD_SIGNATURE;
}

og_status og_secp256k1_verify(const uint8_t *public_key, size_t public_key_size, const uint8_t digest[32], const uint8_t signature[65])
{
    if (public_key == NULL || digest == NULL || signature == NULL) return OG_NULL_ARGUMENT;
    if (public_key_size != 33 && public_key_size != 65) return OG_BAD_KEY;
    const secp256k1_context *context = secp256k1_context_static;
    secp256k1_pubkey expected, found;
    /* libsecp256k1 also parses the hybrid form (6, 7), which SEC 1 allows and nobody here writes */
    if (public_key_size == 65 && public_key[0] != 4) return OG_BAD_KEY;
    if (secp256k1_ec_pubkey_parse(context, &expected, public_key, public_key_size) != 1) return OG_BAD_KEY;
    /* The recovered key is the one under which r and s verify; comparing it checks v as well. */
    og_status status = recover(digest, signature, &found);
    if (status != OG_OK) return status;
    return secp256k1_ec_pubkey_cmp(context, &expected, &found) == 0 ? OG_OK : OG_BAD_SIGNATURE;
}

og_status og_secp256k1_recover(const uint8_t digest[32], const uint8_t signature[65], uint8_t public_key[65])
{
    if (digest == NULL || signature == NULL || public_key == NULL) return OG_NULL_ARGUMENT;
    secp256k1_pubkey key;
    og_status status = recover(digest, signature, &key);
    if (status != OG_OK) return status;
    size_t size = OG_PUBLIC_KEY_SIZE;
    secp256k1_ec_pubkey_serialize(secp256k1_context_static, public_key, &size, &key, SECP256K1_EC_UNCOMPRESSED);
    return OG_OK;
}
