/* Public keys and signatures from outside: 33 or 65 bytes of key, 32 of digest, 65 of signature, the rest a message. */
#include <string.h>

#include "fuzz.h"
#include "og_attest.h"

enum { key_at = 1, digest_at = 66, signature_at = 98, message_at = 163 };

static const uint8_t secret[32] = {[31] = 9};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < message_at) return 0;
    const uint8_t *key = bytes + key_at, *digest = bytes + digest_at, *signature = bytes + signature_at;
    uint8_t found[65];
    og_status verified = og_secp256k1_verify(key, bytes[0] % 2 == 0 ? 65 : 33, digest, signature);
    og_status recovered = og_secp256k1_recover(digest, signature, found);
    FUZZ_CHECK(verified == OG_OK || verified == OG_BAD_KEY || verified == OG_BAD_SIGNATURE);
    FUZZ_CHECK(recovered == OG_OK || recovered == OG_BAD_SIGNATURE);
    /* a key that verifies is the key that is recovered */
    if (verified == OG_OK) FUZZ_CHECK(recovered == OG_OK && memcmp(found + 1, key + 1, 32) == 0);
    og_ed25519_verify(key, bytes + message_at, size - message_at, signature);
    return 0;
}

size_t fuzz_example(uint32_t which, uint8_t *bytes)
{
    memset(bytes, 0, message_at + 40);
    bytes[0] = 0;
    og_secp256k1_public_key(secret, bytes + key_at);
    bytes[digest_at] = (uint8_t)which;
    og_secp256k1_sign(secret, bytes + digest_at, bytes + signature_at);
    return message_at + which % 40;
}
