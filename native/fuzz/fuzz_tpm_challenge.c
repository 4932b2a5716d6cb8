/* Challenges to a TPM, which whoever enrols a key sends to a machine. */
#include <string.h>

#include "fuzz.h"
#include "tpm_challenge.h"

enum { before = 16 + 2, credential = 68 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    og_tpm_challenge read;
    if (!og_tpm_challenge_read(bytes, size, &read)) return 0;
    FUZZ_CHECK(read.credential == bytes + before && read.credential_size > 0 && read.credential_size <= 132);
    FUZZ_CHECK(read.seed == read.credential + read.credential_size + 2 && read.seed + read.seed_size == bytes + size);
    FUZZ_CHECK(read.seed_size == (read.is_for_curve ? 68 : 256));
    return 0;
}

size_t fuzz_example(uint32_t which, uint8_t *bytes)
{
    size_t seed = which % 2 == 0 ? 256 : 68, size = before + credential + 2 + seed;
    memset(bytes, (int)(which % 251), size);
    memcpy(bytes, "OGE tpm cred v1", 16);
    bytes[16] = 0;
    bytes[17] = credential;
    bytes[before + credential] = (uint8_t)(seed >> 8);
    bytes[before + credential + 1] = (uint8_t)seed;
    return size;
}
