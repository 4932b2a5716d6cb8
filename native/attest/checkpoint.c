/* docs/formats.md, "Log and checkpoint": the EIP-712 face. */
#include "checkpoint.h"

#include "bytes.h"
#include "curve.h"
#include "epoch.h"
#include "error.h"
#include "keccak256.h"

static void put_text_hash(og_bytes *out, const char *text)
{
    uint8_t hash[32];
    og_keccak256(text, strlen(text), hash);
    og_put(out, hash, sizeof hash);
}

/* An EVM word: the value right-aligned in 32 bytes. */
static void put_word(og_bytes *out, const void *value, size_t size)
{
    static const uint8_t zeros[32];
    og_put(out, zeros, 32 - size);
    og_put(out, value, size);
}

static void put_word_u64(og_bytes *out, uint64_t value)
{
    value = __builtin_bswap64(value);
    put_word(out, &value, sizeof value);
}

void og_checkpoint_digest(const uint8_t log_id[32], uint64_t chain_id, const uint8_t contract[20], const og_checkpoint *checkpoint, uint8_t digest[32])
{
    uint8_t words[160], signed_bytes[66] = {0x19, 0x01};
    og_bytes domain = {words, sizeof words, 0};
    put_text_hash(&domain, "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    put_text_hash(&domain, "OpenGradient.Engine");
    put_text_hash(&domain, "1");
    put_word_u64(&domain, chain_id);
    put_word(&domain, contract, OG_ADDRESS_SIZE);
    og_keccak256(words, domain.size, signed_bytes + 2);

    og_bytes message = {words, sizeof words, 0};
    put_text_hash(&message, "Checkpoint(bytes32 logId,uint64 size,bytes32 root,bytes32 previousHead)");
    og_put(&message, log_id, 32);
    put_word_u64(&message, checkpoint->size);
    og_put(&message, checkpoint->root, 32);
    og_put(&message, checkpoint->previous_head, 32);
    og_keccak256(words, message.size, signed_bytes + 34);
    og_keccak256(signed_bytes, sizeof signed_bytes, digest);
}

/* False for a second root at one size; remembers the checkpoint otherwise. */
static bool admit(og_epoch *epoch, const og_checkpoint *checkpoint)
{
    pthread_mutex_lock(&epoch->checkpoint_lock);
    bool conflict = epoch->checkpoint_signed && epoch->checkpoint_size == checkpoint->size && memcmp(epoch->checkpoint_root, checkpoint->root, 32) != 0;
    if (!conflict) {
        epoch->checkpoint_signed = true;
        epoch->checkpoint_size = checkpoint->size;
        memcpy(epoch->checkpoint_root, checkpoint->root, 32);
    }
    pthread_mutex_unlock(&epoch->checkpoint_lock);
    return !conflict;
}

og_status og_epoch_sign_checkpoint(og_epoch *epoch, const og_checkpoint *checkpoint, uint8_t signature[65], og_error *error)
{
    OG_REQUIRE(epoch);
    OG_REQUIRE(checkpoint);
    OG_REQUIRE(signature);
    if (!admit(epoch, checkpoint))
        return og_fail(error, OG_REFUSED, 0, "another root was signed at size %llu: signing this one would be equivocation",
                       (unsigned long long)checkpoint->size);

    uint8_t digest[32];
    og_checkpoint_digest(epoch->log_id, epoch->chain_id, epoch->contract, checkpoint, digest);
    og_status status = og_curve_sign(epoch->curve, epoch->secrets->signing, digest, signature);
    if (status == OG_BAD_KEY) return og_fail(error, OG_EPOCH_ENDED, 0, "the epoch's key is gone: this process was forked from the one that opened it");
    return status == OG_OK ? OG_OK : og_fail(error, status, 0, "libsecp256k1 did not sign");
}
