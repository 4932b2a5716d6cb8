/*
 * TPM 2.0: a quote over registers 0 to 7 by a restricted key. Format: docs/attestation/tpm.md, "Evidence". The ESAPI libraries are loaded
 * when they are needed, so that hosts without a TPM need none of them; a build without their headers says that it has no such attester.
 */
#include <stdio.h>
#include <unistd.h>

#include "attesters.h"
#include "error.h"

#define DEVICE "/dev/tpmrm0"
#define EVENT_LOG "/sys/kernel/security/tpm0/binary_bios_measurements" /* readable for root, or whom root lets */

void og_tpm_put_log(og_bytes *out, const char *path)
{
    const size_t head = 4;
    size_t size = 0;
    if (path != NULL && out->size + head < out->capacity &&
        og_platform_read(&og_linux, path, "the event log", out->at + out->size + head, out->capacity - out->size - head, &size, NULL) != OG_OK)
        size = 0;
    og_put_u32(out, (uint32_t)size);
    out->size += size; /* in its place already */
}

#if __has_include(<tss2/tss2_esys.h>) && __has_include(<tss2/tss2_tctildr.h>)
#include "tpm.h"

enum { attempts = 3, coordinate = 32 };

/* Every field of TPMT_PUBLIC but the point is the template's. */
static void put_key(og_bytes *out, const TPM2B_ECC_PARAMETER *x, const TPM2B_ECC_PARAMETER *y)
{
    uint8_t bytes[128];
    og_bytes key = {bytes, sizeof bytes, 0};
    og_put_u16(&key, TPM2_ALG_ECC);
    og_put_u16(&key, TPM2_ALG_SHA256);
    og_put_u32(&key, OG_TPM_KEY_ATTRIBUTES);
    og_put_u16(&key, 0);
    og_put_u16(&key, TPM2_ALG_NULL);
    og_put_u16(&key, TPM2_ALG_ECDSA);
    og_put_u16(&key, TPM2_ALG_SHA256);
    og_put_u16(&key, TPM2_ECC_NIST_P256);
    og_put_u16(&key, TPM2_ALG_NULL);
    og_put_u16(&key, x->size);
    og_put(&key, x->buffer, x->size);
    og_put_u16(&key, y->size);
    og_put(&key, y->buffer, y->size);
    og_put_u8(out, 1);
    og_put_u16(out, (uint16_t)key.size);
    og_put(out, bytes, key.size);
}

static void put_signature(og_bytes *out, const TPMS_SIGNATURE_ECC *signature)
{
    og_put_u16(out, (uint16_t)(8 + signature->signatureR.size + signature->signatureS.size));
    og_put_u16(out, TPM2_ALG_ECDSA);
    og_put_u16(out, signature->hash);
    og_put_u16(out, signature->signatureR.size);
    og_put(out, signature->signatureR.buffer, signature->signatureR.size);
    og_put_u16(out, signature->signatureS.size);
    og_put(out, signature->signatureS.buffer, signature->signatureS.size);
}

static og_status put_quote(og_tpm *tpm, ESYS_TR key, const TPM2B_ECC_PARAMETER *x, const TPM2B_ECC_PARAMETER *y, const uint8_t *report_data,
                           og_bytes *out, og_error *error)
{
    for (int attempt = 0; attempt < attempts; attempt++) {
        uint8_t before[OG_TPM_REGISTERS_SIZE], after[OG_TPM_REGISTERS_SIZE];
        TPM2B_ATTEST *quote = NULL;
        TPMT_SIGNATURE *signature = NULL;
        og_status status = og_tpm_registers(tpm, before, error);
        if (status == OG_OK) status = og_tpm_quote(tpm, key, report_data, 32, &quote, &signature, error);
        if (status == OG_OK) status = og_tpm_registers(tpm, after, error);
        bool steady = status == OG_OK && memcmp(before, after, sizeof before) == 0;
        if (steady && signature->sigAlg != TPM2_ALG_ECDSA) status = og_fail(error, OG_SYSTEM, 0, "the TPM signed by algorithm %04x", signature->sigAlg);
        if (steady && status == OG_OK) {
            og_put_tag(out, "OGE tpm v1");
            put_key(out, x, y);
            og_put_u16(out, quote->size);
            og_put(out, quote->attestationData, quote->size);
            put_signature(out, &signature->signature.ecdsa);
            og_put_u16(out, sizeof before);
            og_put(out, before, sizeof before);
        }
        og_tpm_free(tpm, quote);
        og_tpm_free(tpm, signature);
        if (steady || status != OG_OK) return status;
    }
    return og_fail(error, OG_SYSTEM, 0, "the TPM's registers change faster than they can be quoted");
}

/* The registers can change between reading and quoting; whoever verifies would refuse that. */
og_status og_tpm_document_by(const char *path, const og_attester_input *input, og_bytes *out, og_error *error)
{
    og_tpm tpm;
    og_status status = og_tpm_open(&tpm, path, error);
    if (status != OG_OK) return status;
    ESYS_TR key = ESYS_TR_NONE;
    TPM2B_ECC_PARAMETER x, y;
    status = og_tpm_key(&tpm, &key, &x, &y, error);
    if (status == OG_OK && (x.size > coordinate || y.size > coordinate)) status = og_fail(error, OG_SYSTEM, 0, "the TPM made a key of another curve");
    if (status == OG_OK) status = put_quote(&tpm, key, &x, &y, input->report_data, out, error);
    if (status == OG_OK) {
        uint8_t certificate[OG_TPM_CERTIFICATE_MAX];
        size_t size = og_tpm_certificate(&tpm, certificate, sizeof certificate);
        og_put_u8(out, size != 0);
        if (size != 0) {
            og_put_u16(out, (uint16_t)size);
            og_put(out, certificate, size);
        }
        og_tpm_put_log(out, input->event_log);
    }
    if (key != ESYS_TR_NONE) og_tpm_flush(&tpm, key);
    og_tpm_close(&tpm);
    return status;
}

bool og_tpm_reachable(char *reason, size_t capacity)
{
    snprintf(reason, capacity, "libtss2-esys.so.0 or libtss2-tctildr.so.0 cannot be loaded");
    return og_tpm_libraries();
}

bool og_tpm_present(const og_platform *platform, char *reason, size_t capacity)
{
    (void)platform;
    bool device = access(DEVICE, R_OK | W_OK) == 0, libraries = og_tpm_libraries();
    bool available = device && libraries;
    snprintf(reason, capacity, "%s", available ? "quotes of the TPM's registers 0 to 7"
                                     : !device ? DEVICE " is absent or not accessible"
                                               : "libtss2-esys.so.0 or libtss2-tctildr.so.0 cannot be loaded");
    return available;
}

#else

og_status og_tpm_document_by(const char *path, const og_attester_input *input, og_bytes *out, og_error *error)
{
    (void)path, (void)input, (void)out;
    return og_fail(error, OG_UNAVAILABLE, 0, "this build has no attester of this kind: it was made without the TSS2 headers");
}

bool og_tpm_reachable(char *reason, size_t capacity)
{
    snprintf(reason, capacity, "this build has no attester of this kind: it was made without the TSS2 headers");
    return false;
}

bool og_tpm_present(const og_platform *platform, char *reason, size_t capacity)
{
    (void)platform;
    snprintf(reason, capacity, "this build has no attester of this kind (made without the TSS2 headers); " DEVICE " is %s",
             access(DEVICE, R_OK | W_OK) == 0 ? "present" : "absent");
    return false;
}

#endif

og_status og_tpm_document(const og_attester_input *input, og_bytes *out, og_error *error)
{
    if (input->device != NULL) return og_tpm_document_by(input->device, input, out, error);
    /* the kernel's log is that of the system's own TPM */
    og_attester_input with_log = *input;
    with_log.event_log = EVENT_LOG;
    return og_tpm_document_by("device:" DEVICE, &with_log, out, error);
}
