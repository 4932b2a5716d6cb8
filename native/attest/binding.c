/* docs/formats.md, "Epoch binding and evidence": the binding. */
#include "epoch.h"
#include "error.h"

enum { key_kind_secp256k1 = 1, library_name_max = 255 };

/* AlgorithmIdentifier of id-ecPublicKey on secp256k1 and the BIT STRING head of an uncompressed point (RFC 5480). */
static const uint8_t spki_head[] = {0x30, 0x56, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                                    0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a, 0x03, 0x42, 0x00};

/* Well-formed UTF-8 by RFC 3629's table: no overlong form, no surrogate, nothing above U+10FFFF. */
static bool is_utf8(const uint8_t *at, size_t size)
{
    for (const uint8_t *end = at + size; at < end;) {
        uint8_t first = *at++;
        if (first < 0x80) continue;
        int more = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
        if (more == 0 || end - at < more) return false;
        uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (*at < low || *at > high) return false;
        for (at++; --more > 0; at++)
            if ((*at & 0xc0) != 0x80) return false;
    }
    return true;
}

og_status og_put_binding(og_bytes *out, const og_epoch_config *config, const uint8_t public_key[65], const uint8_t build_digest[32], og_error *error)
{
    if (config->library_count > UINT16_MAX) return og_fail(error, OG_OUT_OF_RANGE, 0, "more libraries than the binding can hold");
    og_put_tag(out, "OGE binding v1");
    og_put_u16(out, 1);
    og_put_u16(out, key_kind_secp256k1);
    og_put_u16(out, sizeof spki_head + OG_PUBLIC_KEY_SIZE);
    og_put(out, spki_head, sizeof spki_head);
    og_put(out, public_key, OG_PUBLIC_KEY_SIZE);
    og_put(out, build_digest, 32);
    og_put_u16(out, (uint16_t)config->library_count);
    for (size_t i = 0; i < config->library_count; i++) {
        const og_library *library = &config->libraries[i];
        OG_REQUIRE(library->name);
        if (library->name_size == 0 || library->name_size > library_name_max || !is_utf8((const uint8_t *)library->name, library->name_size))
            return og_fail(error, OG_OUT_OF_RANGE, 0, "the name of library %zu is not UTF-8 of 1 to %d bytes", i, library_name_max);
        og_put_u16(out, (uint16_t)library->name_size);
        og_put(out, library->name, library->name_size);
        og_put(out, library->digest, 32);
    }
    og_put(out, config->log_id, 32);
    og_put_u64(out, config->chain_id);
    og_put(out, config->contract, OG_ADDRESS_SIZE);
    if (out->size + 2 + OG_NONCE_MAX > out->capacity)
        return og_fail(error, OG_OUT_OF_RANGE, 0, "the binding would be longer than %u bytes: name fewer libraries", OG_BINDING_MAX);
    return OG_OK;
}
