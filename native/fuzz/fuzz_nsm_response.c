/* Responses of the Nitro security module. */
#include <string.h>

#include "fuzz.h"
#include "nsm.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const uint8_t *document = NULL;
    size_t document_size = 0;
    og_error error = {0, ""};
    og_status status = og_nsm_response(bytes, size, &document, &document_size, &error);
    FUZZ_CHECK(status == OG_OK || (status == OG_SYSTEM && error.text[0] != 0));
    if (status == OG_OK) FUZZ_CHECK(document > bytes && document_size > 0 && document + document_size == bytes + size);
    for (const char *at = error.text; *at != 0; at++) FUZZ_CHECK(*at >= ' ' && *at <= '~');
    return 0;
}

size_t fuzz_example(uint32_t which, uint8_t *bytes)
{
    static const char attestation[] = "\xa1\x6b" "Attestation\xa1\x68" "document\x59\x01\x00", refusal[] = "\xa1\x65" "Error\x6f" "InvalidArgument";
    if (which % 3 == 0) {
        memcpy(bytes, refusal, sizeof refusal - 1);
        return sizeof refusal - 1;
    }
    memcpy(bytes, attestation, sizeof attestation - 1);
    memset(bytes + sizeof attestation - 1, (int)(which & 0xff), 256);
    return sizeof attestation - 1 + 256;
}
