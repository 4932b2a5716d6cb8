/* Responses of a TDX host's quote generation service. */
#include <string.h>

#include "fuzz.h"
#include "qgs.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const uint8_t *quote = NULL;
    size_t quote_size = 0;
    og_error error = {0, ""};
    og_status status = og_qgs_response(bytes, size, &quote, &quote_size, &error);
    FUZZ_CHECK(status == OG_OK || (status == OG_SYSTEM && error.text[0] != 0));
    if (status == OG_OK) FUZZ_CHECK(quote >= bytes + 24 && quote_size > 0 && quote + quote_size == bytes + size);
    return 0;
}

size_t fuzz_example(uint32_t which, uint8_t *bytes)
{
    uint32_t quote = 1 + which % 600, id = which % 3 == 0 ? 16 : 0, words[] = {1, 1, 24 + id + quote, which % 7 == 0, id, quote};
    memcpy(bytes, words, sizeof words);
    memset(bytes + sizeof words, 0x42, id + quote);
    return sizeof words + id + quote;
}
