/* secp256k1 signatures as docs/formats.md wants them, over libsecp256k1. */
#ifndef OG_ATTEST_CURVE_H
#define OG_ATTEST_CURVE_H

#include <secp256k1.h>

#include "og_attest.h"

/* A context of its own for one key, blinded with fresh randomness. Null on failure, with error written. */
secp256k1_context *og_curve_new(og_error *error);

/* OG_BAD_KEY when the secret is not a key. */
og_status og_curve_sign(const secp256k1_context *context, const uint8_t secret[32], const uint8_t digest[32], uint8_t signature[65]);

/* size is 33 (compressed) or 65. */
og_status og_curve_public_key(const secp256k1_context *context, const uint8_t secret[32], uint8_t *public_key, size_t size);

#endif
