/* The software attester: a development root vouches for the key. Format: docs/formats.md, "Epoch binding and evidence". */
#include "attesters.h"
#include "curve.h"
#include "error.h"
#include "sha256.h"

enum { signed_size = 16 + 64 + 32 + 8 + 33 };

og_status og_software_document(const og_attester_input *input, og_bytes *out, og_error *error)
{
    uint8_t root[33];
    og_status status = og_curve_public_key(input->curve, input->root_secret, root, sizeof root);
    if (status != OG_OK) return og_fail(error, status, 0, "the development root's secret is not a secp256k1 key");

    uint8_t bytes[signed_size];
    og_bytes document = {bytes, sizeof bytes, 0};
    og_put_tag(&document, "OGE software v1");
    og_put(&document, input->report_data, 64);
    og_put(&document, input->build_digest, 32);
    og_put_u64(&document, input->host_seconds);
    og_put(&document, root, sizeof root);

    uint8_t digest[32], signature[65];
    og_sha256_of(bytes, sizeof bytes, digest);
    status = og_curve_sign(input->curve, input->root_secret, digest, signature);
    if (status != OG_OK) return og_fail(error, status, 0, "the development root could not sign");
    og_put(out, bytes, sizeof bytes);
    og_put(out, signature, 64);
    return OG_OK;
}
