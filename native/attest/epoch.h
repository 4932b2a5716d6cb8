/* An epoch's state. Everything but sequence and the last checkpoint is written once, by og_epoch_open. */
#ifndef OG_ATTEST_EPOCH_H
#define OG_ATTEST_EPOCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "attesters.h"
#include "memory.h"

struct og_epoch {
    secp256k1_context *curve;
    og_secrets *secrets;
    const og_attester *attester;
    char *device; /* zero-terminated; null: the attester's own */
    uint8_t build_digest[32];
    uint8_t id[32];
    uint8_t public_key[65];
    uint8_t log_id[32];
    uint8_t contract[20];
    uint64_t chain_id;

    /* The binding up to its nonce, which a challenge replaces. */
    uint8_t *binding;
    size_t binding_size;

    uint8_t *evidence;
    size_t evidence_size;

    /* The number last given out. */
    _Atomic uint64_t sequence;

    pthread_mutex_t checkpoint_lock; /* guards the three below */
    bool checkpoint_signed;
    uint64_t checkpoint_size;
    uint8_t checkpoint_root[32];
};

/* binding.c: appends everything before the nonce. */
og_status og_put_binding(og_bytes *out, const og_epoch_config *config, const uint8_t public_key[65], const uint8_t build_digest[32], og_error *error);

/* evidence.c: appends the envelope for a nonce; id is H(binding). */
og_status og_put_evidence(og_bytes *out, const og_epoch *epoch, const uint8_t *nonce, size_t nonce_size, uint64_t host_seconds, uint8_t id[32],
                          og_error *error);

#endif
