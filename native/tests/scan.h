/* Looks for copies of a secret. */
#ifndef OG_TESTS_SCAN_H
#define OG_TESTS_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* How often 32 bytes occur in a region, as they are or in reverse, which is how libsecp256k1 holds a scalar. */
int scan_count(const uint8_t *region, size_t size, const uint8_t *secret);

/* Copies of 32 bytes in this process's readable memory outside the mapping that they lie in. */
int scan_process(const uint8_t *secret);

#endif
