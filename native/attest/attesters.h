/* The table of attesters. One file per attester; each turns report data into a platform's document. */
#ifndef OG_ATTEST_ATTESTERS_H
#define OG_ATTEST_ATTESTERS_H

#include <secp256k1.h>
#include <stdbool.h>

#include "bytes.h"
#include "og_attest.h"
#include "platform.h"

typedef struct og_attester_input {
    const uint8_t *report_data;  /* 64 bytes: epoch, then 32 zero bytes */
    const uint8_t *build_digest; /* 32 bytes */
    uint64_t host_seconds;
    const uint8_t *root_secret; /* 32 bytes in locked memory; for the software attester */
    const secp256k1_context *curve;
    const uint8_t *nonce; /* of the binding, for documents that have a place for it; may be null when nonce_size is 0 */
    size_t nonce_size;
    const char *device; /* a TCTI's name, zero-terminated; null: the attester's own device */
    const char *event_log; /* of a TPM's firmware, a file's path; null: none */
} og_attester_input;

typedef struct og_attester {
    uint16_t kind;
    const char *name;
    const char *about; /* what to know about it where it is available */

    /* Appends the document. Null: this build has no attester of that kind. */
    og_status (*document)(const og_attester_input *input, og_bytes *out, og_error *error);

    /* The device it talks to; null when it needs none. */
    const char *device;

    /* Whether it works here, with the reason either way; null: it does where the device is accessible. */
    bool (*present)(const og_platform *platform, char *reason, size_t capacity);
} og_attester;

/* Null, with error written, when the kind is unknown or cannot be used here. A named device is looked for only when it is opened. */
const og_attester *og_attester_find(uint16_t kind, bool names_device, og_error *error);

og_status og_software_document(const og_attester_input *input, og_bytes *out, og_error *error);
og_status og_nitro_document(const og_attester_input *input, og_bytes *out, og_error *error);
og_status og_sev_snp_document(const og_attester_input *input, og_bytes *out, og_error *error);
og_status og_tdx_document(const og_attester_input *input, og_bytes *out, og_error *error);
og_status og_tpm_document(const og_attester_input *input, og_bytes *out, og_error *error);

bool og_sev_snp_present(const og_platform *platform, char *reason, size_t capacity);
bool og_tdx_present(const og_platform *platform, char *reason, size_t capacity);
bool og_tpm_present(const og_platform *platform, char *reason, size_t capacity);

/* Whether a TPM that is not the system's own could be talked to. */
bool og_tpm_reachable(char *reason, size_t capacity);

/* The same over another platform; the functions above use the running kernel. */
og_status og_nitro_document_by(const og_platform *platform, const og_attester_input *input, og_bytes *out, og_error *error);
og_status og_sev_snp_document_by(const og_platform *platform, const og_attester_input *input, og_bytes *out, og_error *error);
og_status og_tdx_document_by(const og_platform *platform, const og_attester_input *input, og_bytes *out, og_error *error);

/* Appends a length and the log, nothing but a length of 0 where it cannot be read or out has no room for it. */
void og_tpm_put_log(og_bytes *out, const char *path);

/* path as TCTI names it. */
og_status og_tpm_document_by(const char *path, const og_attester_input *input, og_bytes *out, og_error *error);

#endif
