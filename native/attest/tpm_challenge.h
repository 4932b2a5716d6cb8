/* A credential that only one key of one TPM can open (TPM 2.0 Library, Part 1, 24). Format: docs/attestation/tpm.md, "Enrolment". */
#ifndef OG_ATTEST_TPM_CHALLENGE_H
#define OG_ATTEST_TPM_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Points into the challenge. */
typedef struct og_tpm_challenge {
    const uint8_t *credential; /* TPMS_ID_OBJECT */
    size_t credential_size;
    const uint8_t *seed; /* what the endorsement key finds the seed from: a ciphertext of RSA, or a point */
    size_t seed_size;
    bool is_for_curve; /* the endorsement key is one on P-256, not one of RSA */
} og_tpm_challenge;

/* False where the bytes are not exactly a challenge, or a part is larger than a TPM takes. */
bool og_tpm_challenge_read(const uint8_t *bytes, size_t size, og_tpm_challenge *challenge);

#endif
