/* A TPM through ESAPI, its libraries loaded at run time. Include only where the TSS2 headers are. Not thread-safe; one at a time. */
#ifndef OG_ATTEST_TPM_H
#define OG_ATTEST_TPM_H

#include <stdbool.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include "og_attest.h"

/* fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, sign. */
#define OG_TPM_KEY_ATTRIBUTES 0x00050472u

enum { OG_TPM_REGISTERS = 8, OG_TPM_REGISTERS_SIZE = 8 * 32, OG_TPM_CERTIFICATE_MAX = 2048 };

typedef struct og_tpm {
    void *esys_library, *tcti_library;
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
} og_tpm;

/* Whether the libraries can be loaded. */
bool og_tpm_libraries(void);

/* path as TCTI names it: "device:/dev/tpmrm0", "swtpm:path=…". After OG_OK the caller closes. */
og_status og_tpm_open(og_tpm *tpm, const char *path, og_error *error);
void og_tpm_close(og_tpm *tpm);

/* The restricted ECDSA P-256 key of the endorsement hierarchy; the same one on every call, until the hierarchy is cleared. */
og_status og_tpm_key(og_tpm *tpm, ESYS_TR *key, TPM2B_ECC_PARAMETER *x, TPM2B_ECC_PARAMETER *y, og_error *error);

/* The caller frees what was written. */
og_status og_tpm_quote(og_tpm *tpm, ESYS_TR key, const uint8_t *data, size_t size, TPM2B_ATTEST **quote, TPMT_SIGNATURE **signature, og_error *error);

/* SHA-256 bank, registers 0 to 7. */
og_status og_tpm_registers(og_tpm *tpm, uint8_t values[OG_TPM_REGISTERS_SIZE], og_error *error);

/* DER of the RSA endorsement key's certificate, or of that on P-256; 0 where the TPM stores neither, or none that fits. */
size_t og_tpm_certificate(og_tpm *tpm, uint8_t *out, size_t capacity);

void og_tpm_flush(og_tpm *tpm, ESYS_TR key);
void og_tpm_free(og_tpm *tpm, void *answer);

#endif
