#ifndef OG_ATTEST_KECCAK256_H
#define OG_ATTEST_KECCAK256_H

#include <stddef.h>
#include <stdint.h>

/* Keccak-256 with the original padding, as the EVM uses it. */
void og_keccak256(const void *data, size_t size, uint8_t digest[32]);

#endif
