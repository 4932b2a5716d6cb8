/* Memory for secrets. */
#ifndef OG_ATTEST_MEMORY_H
#define OG_ATTEST_MEMORY_H

#include "og_attest.h"

/* What one epoch keeps secret; lies in a page of its own. */
typedef struct og_secrets {
    uint8_t signing[OG_SECRET_SIZE];
    uint8_t root[OG_SECRET_SIZE]; /* of the software attester, otherwise zeros */
} og_secrets;

/*
 * A page between two unreadable ones, locked into memory, left out of core dumps, read as zeros after fork.
 * Null on failure, with error written.
 */
og_secrets *og_secrets_new(og_error *error);

void og_secrets_wipe(og_secrets *secrets);

/* Wipes and unmaps. Null is allowed. */
void og_secrets_free(og_secrets *secrets);

/*
 * Overwrites the stack below the caller, where a signing function may have left its key or nonce: libsecp256k1 0.2
 * clears them with plain stores, which a compiler may drop.
 */
void og_scrub_stack(void);

#endif
