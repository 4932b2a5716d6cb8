#if __has_include(<tss2/tss2_esys.h>) && __has_include(<tss2/tss2_tctildr.h>)
#include "tpm.h"

#include <string.h>

#include "error.h"
#include "tpm_calls.h"

enum { rsa_certificate = 0x01c00002, p256_certificate = 0x01c0000a, chunk = 512 };

/* All that is called; looked for once, so that no call meets a null. */
static const char *const esys_names[] = {"Esys_Initialize", "Esys_Finalize",    "Esys_CreatePrimary",   "Esys_Quote",        "Esys_PCR_Read",
                                         "Esys_Free",       "Esys_FlushContext", "Esys_TR_FromTPMPublic", "Esys_NV_ReadPublic", "Esys_NV_Read",
                                         "Esys_TR_Close",   "Esys_StartAuthSession", "Esys_PolicySecret", "Esys_ActivateCredential"};

static bool load(og_tpm *tpm)
{
    memset(tpm, 0, sizeof *tpm);
    tpm->esys_library = dlopen("libtss2-esys.so.0", RTLD_NOW | RTLD_LOCAL);
    tpm->tcti_library = dlopen("libtss2-tctildr.so.0", RTLD_NOW | RTLD_LOCAL);
    bool all = tpm->esys_library != NULL && tpm->tcti_library != NULL;
    for (size_t i = 0; all && i < sizeof esys_names / sizeof *esys_names; i++) all = dlsym(tpm->esys_library, esys_names[i]) != NULL;
    return all && dlsym(tpm->tcti_library, "Tss2_TctiLdr_Initialize") != NULL && dlsym(tpm->tcti_library, "Tss2_TctiLdr_Finalize") != NULL;
}

static void unload(og_tpm *tpm)
{
    if (tpm->esys_library != NULL) dlclose(tpm->esys_library);
    if (tpm->tcti_library != NULL) dlclose(tpm->tcti_library);
}

bool og_tpm_libraries(void)
{
    og_tpm tpm;
    bool loaded = load(&tpm);
    unload(&tpm);
    return loaded;
}

void og_tpm_close(og_tpm *tpm)
{
    if (tpm->esys != NULL) ESYS(Esys_Finalize)(&tpm->esys);
    if (tpm->tcti != NULL) CALL(tpm->tcti_library, Tss2_TctiLdr_Finalize)(&tpm->tcti);
    unload(tpm);
}

og_status og_tpm_open(og_tpm *tpm, const char *path, og_error *error)
{
    og_status status = OG_OK;
    if (!load(tpm)) {
        unload(tpm);
        return og_fail(error, OG_UNAVAILABLE, 0, "libtss2-esys.so.0 or libtss2-tctildr.so.0 cannot be loaded");
    }
    TSS2_RC code = CALL(tpm->tcti_library, Tss2_TctiLdr_Initialize)(path, &tpm->tcti);
    if (code == TSS2_RC_SUCCESS) code = ESYS(Esys_Initialize)(&tpm->esys, tpm->tcti, NULL);
    if (code != TSS2_RC_SUCCESS) {
        status = og_fail(error, OG_SYSTEM, 0, "the TPM at %s cannot be opened: %08x", path, code);
        og_tpm_close(tpm);
    }
    return status;
}

og_status og_tpm_key(og_tpm *tpm, ESYS_TR *key, TPM2B_ECC_PARAMETER *x, TPM2B_ECC_PARAMETER *y, og_error *error)
{
    TPM2B_SENSITIVE_CREATE none = {0};
    TPM2B_DATA outside = {0};
    TPML_PCR_SELECTION creation = {0};
    TPM2B_PUBLIC template = {0}, *made = NULL;
    template.publicArea.type = TPM2_ALG_ECC;
    template.publicArea.nameAlg = TPM2_ALG_SHA256;
    template.publicArea.objectAttributes = OG_TPM_KEY_ATTRIBUTES;
    TPMS_ECC_PARMS *parameters = &template.publicArea.parameters.eccDetail;
    parameters->symmetric.algorithm = TPM2_ALG_NULL;
    parameters->scheme.scheme = TPM2_ALG_ECDSA;
    parameters->scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
    parameters->curveID = TPM2_ECC_NIST_P256;
    parameters->kdf.scheme = TPM2_ALG_NULL;
    TSS2_RC code = ESYS(Esys_CreatePrimary)(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &none, &template, &outside,
                                            &creation, key, &made, NULL, NULL, NULL);
    if (code != TSS2_RC_SUCCESS) return og_fail(error, OG_SYSTEM, 0, "the TPM made no attestation key: %08x", code);
    *x = made->publicArea.unique.ecc.x;
    *y = made->publicArea.unique.ecc.y;
    og_tpm_free(tpm, made);
    return OG_OK;
}

static TPML_PCR_SELECTION selection(void)
{
    TPML_PCR_SELECTION registers = {0};
    registers.count = 1;
    registers.pcrSelections[0].hash = TPM2_ALG_SHA256;
    registers.pcrSelections[0].sizeofSelect = 3;
    registers.pcrSelections[0].pcrSelect[0] = 0xff;
    return registers;
}

og_status og_tpm_quote(og_tpm *tpm, ESYS_TR key, const uint8_t *data, size_t size, TPM2B_ATTEST **quote, TPMT_SIGNATURE **signature, og_error *error)
{
    TPM2B_DATA qualifying = {0};
    if (size > sizeof qualifying.buffer) return og_fail(error, OG_OUT_OF_RANGE, 0, "qualifying data of %zu bytes", size);
    qualifying.size = (UINT16)size;
    memcpy(qualifying.buffer, data, size);
    TPMT_SIG_SCHEME scheme = {0};
    scheme.scheme = TPM2_ALG_NULL;
    TPML_PCR_SELECTION registers = selection();
    TSS2_RC code =
        ESYS(Esys_Quote)(tpm->esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &qualifying, &scheme, &registers, quote, signature);
    return code == TSS2_RC_SUCCESS ? OG_OK : og_fail(error, OG_SYSTEM, 0, "the TPM gave no quote: %08x", code);
}

og_status og_tpm_registers(og_tpm *tpm, uint8_t values[OG_TPM_REGISTERS_SIZE], og_error *error)
{
    TPML_PCR_SELECTION registers = selection(), *read = NULL;
    TPML_DIGEST *digests = NULL;
    UINT32 counter = 0;
    TSS2_RC code = ESYS(Esys_PCR_Read)(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &registers, &counter, &read, &digests);
    if (code != TSS2_RC_SUCCESS) return og_fail(error, OG_SYSTEM, 0, "the TPM's registers cannot be read: %08x", code);
    bool all = digests->count == OG_TPM_REGISTERS;
    for (size_t i = 0; all && i < OG_TPM_REGISTERS; i++) {
        all = digests->digests[i].size == 32;
        if (all) memcpy(values + 32 * i, digests->digests[i].buffer, 32);
    }
    og_tpm_free(tpm, read);
    og_tpm_free(tpm, digests);
    return all ? OG_OK : og_fail(error, OG_SYSTEM, 0, "the TPM has no SHA-256 bank of registers 0 to 7");
}

/* An index can be larger than the certificate in it: DER says where that ends. */
static size_t der_size(const uint8_t *bytes, size_t size)
{
    if (size < 4 || bytes[0] != 0x30 || bytes[1] != 0x82) return 0;
    size_t whole = 4 + (size_t)bytes[2] * 256 + bytes[3];
    return whole <= size ? whole : 0;
}

static bool read_index(og_tpm *tpm, ESYS_TR index, uint8_t *out, size_t size)
{
    for (size_t at = 0; at < size;) {
        TPM2B_MAX_NV_BUFFER *part = NULL;
        UINT16 asked = (UINT16)(size - at < chunk ? size - at : chunk);
        TSS2_RC code = ESYS(Esys_NV_Read)(tpm->esys, index, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, asked, (UINT16)at, &part);
        if (code != TSS2_RC_SUCCESS) return false;
        bool whole = part->size == asked;
        if (whole) memcpy(out + at, part->buffer, asked);
        og_tpm_free(tpm, part);
        if (!whole) return false;
        at += asked;
    }
    return true;
}

static size_t certificate_at(og_tpm *tpm, TPM2_HANDLE handle, uint8_t *out, size_t capacity)
{
    ESYS_TR index = ESYS_TR_NONE;
    if (ESYS(Esys_TR_FromTPMPublic)(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &index) != TSS2_RC_SUCCESS) return 0;
    TPM2B_NV_PUBLIC *description = NULL;
    TPM2B_NAME *name = NULL;
    size_t size = 0;
    if (ESYS(Esys_NV_ReadPublic)(tpm->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &description, &name) == TSS2_RC_SUCCESS)
        size = description->nvPublic.dataSize;
    og_tpm_free(tpm, description);
    og_tpm_free(tpm, name);
    bool read = size != 0 && size <= capacity && read_index(tpm, index, out, size);
    ESYS(Esys_TR_Close)(tpm->esys, &index);
    return read ? der_size(out, size) : 0;
}

size_t og_tpm_certificate(og_tpm *tpm, uint8_t *out, size_t capacity)
{
    size_t size = certificate_at(tpm, rsa_certificate, out, capacity);
    return size != 0 ? size : certificate_at(tpm, p256_certificate, out, capacity);
}

void og_tpm_flush(og_tpm *tpm, ESYS_TR key)
{
    ESYS(Esys_FlushContext)(tpm->esys, key);
}

void og_tpm_free(og_tpm *tpm, void *answer)
{
    if (answer != NULL) ESYS(Esys_Free)(answer);
}

#else
typedef int og_tpm_without_headers; /* a translation unit must not be empty */
#endif
