/* The check that a TDX quote carries our report data. */
#include <string.h>

#include "fuzz.h"
#include "tdx_guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint8_t report_data[64] = {1, 2, 3};
    bool carries = og_tdx_quote_carries(bytes, size, report_data);
    if (carries) FUZZ_CHECK(size >= 632 && (bytes[0] == 4 || bytes[0] == 5) && bytes[4] == 0x81);
    return 0;
}

size_t fuzz_example(uint32_t which, uint8_t *bytes)
{
    size_t size = 632 + which % 64, at = which % 2 == 0 ? 568 : 574;
    memset(bytes, 0, size);
    bytes[0] = which % 2 == 0 ? 4 : 5;
    bytes[4] = 0x81;
    bytes[at] = 1;
    bytes[at + 1] = 2;
    bytes[at + 2] = 3;
    return size;
}
