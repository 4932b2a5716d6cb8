/* An epoch's life: made, described, ended. */
#include "epoch.h"

#include <errno.h>
#include <stdlib.h>

#include "curve.h"
#include "error.h"

static og_status check_config(const og_epoch_config *config, og_error *error)
{
    OG_REQUIRE(config);
    if (config->library_count != 0) OG_REQUIRE(config->libraries);
    if (config->nonce_size != 0) OG_REQUIRE(config->nonce);
    if (config->reserved != 0) return og_fail(error, OG_OUT_OF_RANGE, 0, "og_epoch_config.reserved is not 0");
    if (config->device_size != 0) OG_REQUIRE(config->device);
    if (config->device_size > OG_DEVICE_MAX) return og_fail(error, OG_OUT_OF_RANGE, 0, "a device's name is at most %u bytes", OG_DEVICE_MAX);
    if (config->device_size != 0 && config->attester != OG_ATTESTER_TPM)
        return og_fail(error, OG_OUT_OF_RANGE, 0, "only the tpm attester takes a device's name");
    if (config->device_size != 0 && memchr(config->device, 0, config->device_size) != NULL)
        return og_fail(error, OG_OUT_OF_RANGE, 0, "a device's name holds a zero byte");
    if (config->nonce_size > OG_NONCE_MAX) return og_fail(error, OG_OUT_OF_RANGE, 0, "a nonce is at most %u bytes", OG_NONCE_MAX);
    if (config->attester == OG_ATTESTER_SOFTWARE) OG_REQUIRE(config->root_secret);
    return OG_OK;
}

static og_status make_key(og_epoch *epoch, og_error *error)
{
    epoch->curve = og_curve_new(error);
    epoch->secrets = epoch->curve != NULL ? og_secrets_new(error) : NULL;
    if (epoch->secrets == NULL) return epoch->curve != NULL ? OG_SYSTEM : OG_CRYPTO;
    do { /* a random number is a key but for odds of 2^-128 */
        og_status status = og_random(epoch->secrets->signing, OG_SECRET_SIZE, error);
        if (status != OG_OK) return status;
    } while (secp256k1_ec_seckey_verify(epoch->curve, epoch->secrets->signing) != 1);
    return og_curve_public_key(epoch->curve, epoch->secrets->signing, epoch->public_key, OG_PUBLIC_KEY_SIZE);
}

static og_status keep(const og_bytes *made, uint8_t **copy, size_t *size, og_error *error)
{
    *copy = malloc(made->size);
    if (*copy == NULL) return og_fail(error, OG_SYSTEM, ENOMEM, "no memory for an epoch");
    memcpy(*copy, made->at, made->size);
    *size = made->size;
    return OG_OK;
}

static og_status bind(og_epoch *epoch, const og_epoch_config *config, og_error *error)
{
    uint8_t bytes[OG_BINDING_MAX];
    og_bytes binding = {bytes, sizeof bytes, 0};
    og_status status = og_put_binding(&binding, config, epoch->public_key, epoch->build_digest, error);
    return status == OG_OK ? keep(&binding, &epoch->binding, &epoch->binding_size, error) : status;
}

static og_status attest(og_epoch *epoch, const og_epoch_config *config, og_error *error)
{
    uint8_t bytes[OG_EVIDENCE_MAX];
    og_bytes evidence = {bytes, sizeof bytes, 0};
    og_status status = og_put_evidence(&evidence, epoch, config->nonce, config->nonce_size, config->host_seconds, epoch->id, error);
    return status == OG_OK ? keep(&evidence, &epoch->evidence, &epoch->evidence_size, error) : status;
}

static og_status begin(og_epoch *epoch, const og_epoch_config *config, og_error *error)
{
    epoch->attester = og_attester_find(config->attester, config->device_size != 0, error);
    if (epoch->attester == NULL) return OG_UNAVAILABLE;
    if (config->device_size != 0) {
        epoch->device = strndup(config->device, config->device_size);
        if (epoch->device == NULL) return og_fail(error, OG_SYSTEM, ENOMEM, "no memory for an epoch");
    }
    memcpy(epoch->log_id, config->log_id, sizeof epoch->log_id);
    memcpy(epoch->contract, config->contract, sizeof epoch->contract);
    epoch->chain_id = config->chain_id;

    og_status status = og_build_digest(epoch->build_digest, error);
    if (status == OG_OK) status = make_key(epoch, error);
    if (status == OG_OK && config->root_secret != NULL) memcpy(epoch->secrets->root, config->root_secret, OG_SECRET_SIZE);
    if (status == OG_OK) status = bind(epoch, config, error);
    if (status == OG_OK) status = attest(epoch, config, error);
    return status;
}

og_status og_epoch_open(const og_epoch_config *config, og_epoch **epoch, og_error *error)
{
    OG_REQUIRE(epoch);
    *epoch = NULL;
    og_status status = check_config(config, error);
    if (status != OG_OK) return status;

    og_epoch *opened = calloc(1, sizeof *opened);
    if (opened == NULL) return og_fail(error, OG_SYSTEM, ENOMEM, "no memory for an epoch");
    pthread_mutex_init(&opened->checkpoint_lock, NULL);
    status = begin(opened, config, error);
    if (status == OG_OK)
        *epoch = opened;
    else
        og_epoch_close(opened);
    return status;
}

void og_epoch_close(og_epoch *epoch)
{
    if (epoch == NULL) return;
    og_secrets_free(epoch->secrets);
    if (epoch->curve != NULL) secp256k1_context_destroy(epoch->curve);
    pthread_mutex_destroy(&epoch->checkpoint_lock);
    free(epoch->device);
    free(epoch->binding);
    free(epoch->evidence);
    free(epoch);
}

og_status og_epoch_describe(const og_epoch *epoch, uint8_t id[32], uint8_t public_key[65])
{
    if (epoch == NULL || id == NULL || public_key == NULL) return OG_NULL_ARGUMENT;
    memcpy(id, epoch->id, 32);
    memcpy(public_key, epoch->public_key, OG_PUBLIC_KEY_SIZE);
    return OG_OK;
}
