/* docs/formats.md, "Epoch binding and evidence": the envelope. */
#include "epoch.h"
#include "error.h"
#include "sha256.h"

enum { document_max = OG_EVIDENCE_MAX - OG_BINDING_MAX - 64 };

og_status og_put_evidence(og_bytes *out, const og_epoch *epoch, const uint8_t *nonce, size_t nonce_size, uint64_t host_seconds, uint8_t id[32],
                          og_error *error)
{
    uint8_t bytes[OG_BINDING_MAX];
    og_bytes binding = {bytes, sizeof bytes, 0};
    og_put(&binding, epoch->binding, epoch->binding_size);
    og_put_u16(&binding, (uint16_t)nonce_size);
    og_put(&binding, nonce, nonce_size);
    og_sha256_of(bytes, binding.size, id);

    uint8_t report_data[64] = {0};
    memcpy(report_data, id, 32);
    og_attester_input input = {report_data, epoch->build_digest, host_seconds, epoch->secrets->root, epoch->curve, nonce, nonce_size, epoch->device, NULL};
    uint8_t document_bytes[document_max];
    og_bytes document = {document_bytes, sizeof document_bytes, 0};
    og_status status = epoch->attester->document(&input, &document, error);
    if (status != OG_OK) return status;
    if (!og_bytes_fit(&document)) return og_fail(error, OG_OUT_OF_RANGE, 0, "the attester's document is longer than %d bytes", document_max);

    og_put_tag(out, "OGE evidence v1");
    og_put_u16(out, epoch->attester->kind);
    og_put_u32(out, (uint32_t)binding.size);
    og_put(out, bytes, binding.size);
    og_put_u32(out, (uint32_t)document.size);
    og_put(out, document_bytes, document.size);
    return OG_OK;
}

static og_status deliver(const og_bytes *out, size_t *written, og_error *error)
{
    *written = out->size;
    return og_bytes_fit(out) ? OG_OK : og_fail(error, OG_BUFFER_TOO_SMALL, 0, "evidence takes %zu bytes", out->size);
}

og_status og_epoch_evidence(const og_epoch *epoch, uint8_t *evidence, size_t capacity, size_t *written, og_error *error)
{
    OG_REQUIRE(epoch);
    OG_REQUIRE(evidence);
    OG_REQUIRE(written);
    og_bytes out = {evidence, capacity, 0};
    og_put(&out, epoch->evidence, epoch->evidence_size);
    return deliver(&out, written, error);
}

og_status og_epoch_challenge(const og_epoch *epoch, const uint8_t *nonce, size_t nonce_size, uint64_t host_seconds, uint8_t *evidence,
                             size_t capacity, size_t *written, og_error *error)
{
    OG_REQUIRE(epoch);
    OG_REQUIRE(nonce);
    OG_REQUIRE(evidence);
    OG_REQUIRE(written);
    if (nonce_size == 0 || nonce_size > OG_NONCE_MAX) return og_fail(error, OG_OUT_OF_RANGE, 0, "a challenge is 1 to %u bytes", OG_NONCE_MAX);

    uint8_t id[32];
    og_bytes out = {evidence, capacity, 0};
    og_status status = og_put_evidence(&out, epoch, nonce, nonce_size, host_seconds, id, error);
    return status == OG_OK ? deliver(&out, written, error) : status;
}
