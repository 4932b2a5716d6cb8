#include "nsm.h"

#include "error.h"

enum { cbor_null = 0xf6, error_max = 48 };

static void put_text(og_bytes *out, const char *text)
{
    og_put_cbor(out, OG_CBOR_TEXT, strlen(text));
    og_put(out, text, strlen(text));
}

void og_nsm_request(og_bytes *out, const uint8_t *user_data, size_t user_data_size, const uint8_t *nonce, size_t nonce_size)
{
    og_put_cbor(out, OG_CBOR_MAP, 1);
    put_text(out, "Attestation");
    og_put_cbor(out, OG_CBOR_MAP, 3);
    put_text(out, "user_data");
    og_put_cbor_bytes(out, user_data, user_data_size);
    put_text(out, "nonce");
    if (nonce_size != 0) og_put_cbor_bytes(out, nonce, nonce_size);
    else og_put_u8(out, cbor_null);
    put_text(out, "public_key");
    og_put_u8(out, cbor_null);
}

/* A response that is being read; ok turns false at the first thing that is not as expected, and stays false. */
typedef struct reader {
    const uint8_t *at;
    size_t left;
    bool ok;
} reader;

static uint64_t head(reader *in, int major)
{
    if (!in->ok || in->left == 0 || in->at[0] >> 5 != major) return in->ok = false;
    unsigned low = in->at[0] & 31u;
    size_t more = low < 24 ? 0 : low <= 27 ? (size_t)1 << (low - 24) : SIZE_MAX; /* 31: indefinite, which NSM does not send */
    if (more > in->left - 1) return in->ok = false;
    uint64_t value = low < 24 ? low : 0;
    for (size_t i = 0; i < more; i++) value = value << 8 | in->at[1 + i];
    in->at += 1 + more;
    in->left -= 1 + more;
    return value;
}

/* A byte or text string of any length that is there. */
static const uint8_t *string(reader *in, int major, size_t *size)
{
    uint64_t length = head(in, major);
    if (!in->ok || length > in->left) {
        in->ok = false;
        return NULL;
    }
    const uint8_t *start = in->at;
    in->at += length;
    in->left -= length;
    *size = length;
    return start;
}

static bool names(const uint8_t *text, size_t size, const char *name)
{
    return size == strlen(name) && memcmp(text, name, size) == 0;
}

/* The device's own word, letters only: what it sends is not text to print as it is. */
static og_status refusal(reader *in, og_error *error)
{
    size_t size = 0;
    const uint8_t *text = string(in, OG_CBOR_TEXT, &size);
    char word[error_max + 1] = "";
    for (size_t i = 0; in->ok && i < size && i < error_max; i++)
        word[i] = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ? (char)text[i] : '?';
    return og_fail(error, OG_SYSTEM, 0, "the Nitro security module refused: %s", in->ok ? word : "malformed error");
}

og_status og_nsm_response(const uint8_t *response, size_t size, const uint8_t **document, size_t *document_size, og_error *error)
{
    reader in = {response, size, true};
    size_t name_size = 0;
    if (head(&in, OG_CBOR_MAP) != 1) in.ok = false;
    const uint8_t *name = string(&in, OG_CBOR_TEXT, &name_size);
    if (in.ok && names(name, name_size, "Error")) return refusal(&in, error);
    if (in.ok && !names(name, name_size, "Attestation")) in.ok = false;
    if (head(&in, OG_CBOR_MAP) != 1) in.ok = false;
    name = string(&in, OG_CBOR_TEXT, &name_size);
    if (in.ok && !names(name, name_size, "document")) in.ok = false;
    *document = string(&in, OG_CBOR_BYTES, document_size);
    if (!in.ok || in.left != 0 || *document_size == 0)
        return og_fail(error, OG_SYSTEM, 0, "the Nitro security module's response is not an attestation");
    return OG_OK;
}
