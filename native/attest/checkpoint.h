#ifndef OG_ATTEST_CHECKPOINT_H
#define OG_ATTEST_CHECKPOINT_H

#include "og_attest.h"

/* What is signed: K(0x1901 || domain separator || struct hash). */
void og_checkpoint_digest(const uint8_t log_id[32], uint64_t chain_id, const uint8_t contract[20], const og_checkpoint *checkpoint, uint8_t digest[32]);

#endif
