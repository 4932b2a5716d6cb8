/* Answers a challenge: proof that the attestation key lives in the TPM of the endorsement key that the challenge was made for. */
#include "tpm_challenge.h"

#include <string.h>

#include "error.h"

enum { tag_size = 16, credential_max = 132, seed_rsa = 256, seed_curve = 2 + 32 + 2 + 32 };

bool og_tpm_challenge_read(const uint8_t *bytes, size_t size, og_tpm_challenge *challenge)
{
    static const uint8_t tag[tag_size] = "OGE tpm cred v1";
    if (size < tag_size + 2 || memcmp(bytes, tag, tag_size) != 0) return false;
    size_t at = tag_size;
    challenge->credential_size = (size_t)bytes[at] * 256 + bytes[at + 1];
    challenge->credential = bytes + at + 2;
    at += 2 + challenge->credential_size;
    if (challenge->credential_size == 0 || challenge->credential_size > credential_max || size < at + 2) return false;
    challenge->seed_size = (size_t)bytes[at] * 256 + bytes[at + 1];
    challenge->seed = bytes + at + 2;
    challenge->is_for_curve = challenge->seed_size == seed_curve;
    return (challenge->is_for_curve || challenge->seed_size == seed_rsa) && size == at + 2 + challenge->seed_size;
}

#if __has_include(<tss2/tss2_esys.h>) && __has_include(<tss2/tss2_tctildr.h>)
#include <stdlib.h>

#include "tpm.h"
#include "tpm_calls.h"

/* Templates L-1, RSA of 2048 bits, and L-2, NIST P-256 (TCG EK Credential Profile, B.3.3 and B.3.4), whose certificates makers store. */
static void describe(TPMT_PUBLIC *area, bool is_curve)
{
    static const uint8_t policy[32] = {0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
                                       0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};
    const TPMT_SYM_DEF_OBJECT aes = {.algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB};
    area->type = is_curve ? TPM2_ALG_ECC : TPM2_ALG_RSA;
    area->nameAlg = TPM2_ALG_SHA256;
    area->objectAttributes = 0x000300b2; /* fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted, decrypt */
    area->authPolicy.size = sizeof policy;
    memcpy(area->authPolicy.buffer, policy, sizeof policy);
    if (is_curve) {
        area->parameters.eccDetail.symmetric = aes;
        area->parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
        area->parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
        area->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
        area->unique.ecc.x.size = area->unique.ecc.y.size = 32;
    } else {
        area->parameters.rsaDetail.symmetric = aes;
        area->parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
        area->parameters.rsaDetail.keyBits = 2048;
        area->unique.rsa.size = 256;
    }
}

static og_status endorsement_key(og_tpm *tpm, bool is_curve, ESYS_TR *key, og_error *error)
{
    TPM2B_SENSITIVE_CREATE none = {0};
    TPM2B_DATA outside = {0};
    TPML_PCR_SELECTION creation = {0};
    TPM2B_PUBLIC template = {0};
    describe(&template.publicArea, is_curve);
    TSS2_RC code = ESYS(Esys_CreatePrimary)(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &none, &template, &outside,
                                            &creation, key, NULL, NULL, NULL, NULL);
    return code == TSS2_RC_SUCCESS ? OG_OK : og_fail(error, OG_SYSTEM, 0, "the TPM made no endorsement key: %08x", code);
}

/* The endorsement key is used under the policy that its template names: knowledge of the hierarchy's authorization, empty by default. */
static og_status begin_session(og_tpm *tpm, ESYS_TR *session, og_error *error)
{
    const TPMT_SYM_DEF plain = {.algorithm = TPM2_ALG_NULL};
    TSS2_RC code = ESYS(Esys_StartAuthSession)(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_POLICY,
                                               &plain, TPM2_ALG_SHA256, session);
    if (code == TSS2_RC_SUCCESS)
        code = ESYS(Esys_PolicySecret)(tpm->esys, ESYS_TR_RH_ENDORSEMENT, *session, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL,
                                       NULL);
    return code == TSS2_RC_SUCCESS ? OG_OK : og_fail(error, OG_SYSTEM, 0, "the endorsement key cannot be used: %08x", code);
}

static og_status open_credential(og_tpm *tpm, ESYS_TR key, ESYS_TR endorsement, ESYS_TR session, const og_tpm_challenge *challenge, uint8_t answer[32],
                                 og_error *error)
{
    TPM2B_ID_OBJECT credential = {.size = (UINT16)challenge->credential_size};
    TPM2B_ENCRYPTED_SECRET seed = {.size = (UINT16)challenge->seed_size};
    TPM2B_DIGEST *opened = NULL;
    memcpy(credential.credential, challenge->credential, challenge->credential_size);
    memcpy(seed.secret, challenge->seed, challenge->seed_size);
    TSS2_RC code =
        ESYS(Esys_ActivateCredential)(tpm->esys, key, endorsement, ESYS_TR_PASSWORD, session, ESYS_TR_NONE, &credential, &seed, &opened);
    if (code != TSS2_RC_SUCCESS) return og_fail(error, OG_REFUSED, 0, "the TPM does not open this challenge: it is for another TPM or another key (%08x)", code);
    bool whole = opened->size == 32;
    if (whole) memcpy(answer, opened->buffer, 32);
    explicit_bzero(opened->buffer, sizeof opened->buffer);
    og_tpm_free(tpm, opened);
    return whole ? OG_OK : og_fail(error, OG_REFUSED, 0, "the challenge holds something else than 32 bytes");
}

static og_status activate(const char *path, const og_tpm_challenge *challenge, uint8_t answer[32], og_error *error)
{
    og_tpm tpm;
    og_status status = og_tpm_open(&tpm, path, error);
    if (status != OG_OK) return status;
    ESYS_TR key = ESYS_TR_NONE, endorsement = ESYS_TR_NONE, session = ESYS_TR_NONE;
    TPM2B_ECC_PARAMETER x, y;
    status = og_tpm_key(&tpm, &key, &x, &y, error);
    if (status == OG_OK) status = endorsement_key(&tpm, challenge->is_for_curve, &endorsement, error);
    if (status == OG_OK) status = begin_session(&tpm, &session, error);
    if (status == OG_OK) status = open_credential(&tpm, key, endorsement, session, challenge, answer, error);
    if (session != ESYS_TR_NONE) og_tpm_flush(&tpm, session);
    if (endorsement != ESYS_TR_NONE) og_tpm_flush(&tpm, endorsement);
    if (key != ESYS_TR_NONE) og_tpm_flush(&tpm, key);
    og_tpm_close(&tpm);
    return status;
}

#else

static og_status activate(const char *path, const og_tpm_challenge *challenge, uint8_t answer[32], og_error *error)
{
    (void)path, (void)challenge, (void)answer;
    return og_fail(error, OG_UNAVAILABLE, 0, "this build has no attester of this kind: it was made without the TSS2 headers");
}

#endif

og_status og_tpm_activate(const char *device, size_t device_size, const uint8_t *challenge, size_t challenge_size, uint8_t answer[32], og_error *error)
{
    OG_REQUIRE(challenge);
    OG_REQUIRE(answer);
    if (device_size != 0) OG_REQUIRE(device);
    og_tpm_challenge read;
    char path[OG_DEVICE_MAX + 1] = "device:/dev/tpmrm0";
    if (device_size > OG_DEVICE_MAX) return og_fail(error, OG_OUT_OF_RANGE, 0, "a device's name is at most %u bytes", OG_DEVICE_MAX);
    if (device_size != 0 && memchr(device, 0, device_size) != NULL) return og_fail(error, OG_OUT_OF_RANGE, 0, "a device's name holds a zero byte");
    if (!og_tpm_challenge_read(challenge, challenge_size, &read)) return og_fail(error, OG_OUT_OF_RANGE, 0, "this is no challenge to a TPM");
    if (device_size != 0) {
        memcpy(path, device, device_size);
        path[device_size] = 0;
    }
    return activate(path, &read, answer, error);
}
