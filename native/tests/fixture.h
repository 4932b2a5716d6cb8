/* An open epoch and a batch to seal, shared by the tests of epoch and sealing. */
#ifndef OG_TESTS_FIXTURE_H
#define OG_TESTS_FIXTURE_H

#include "check.h"
#include "og_attest.h"

enum { fixture_rows_max = 1100 };

/* The development root's secret in every test. */
extern const uint8_t fixture_root[32];

og_epoch_config fixture_config(void);
og_epoch *fixture_epoch(void);

/* A batch of count rows with one input and one output each; it points into static memory. */
og_batch fixture_batch(uint32_t count);

typedef struct fixture_sealed {
    uint8_t statement[OG_STATEMENT_MAX];
    uint8_t leaves[fixture_rows_max * OG_LEAF_SIZE];
    uint8_t tree[32 * (2 * fixture_rows_max + 16)];
    uint8_t receipt_ids[fixture_rows_max * OG_RECEIPT_ID_SIZE];
    og_sealed out;
} fixture_sealed;

/* Points out at the buffers above. */
void fixture_buffers(fixture_sealed *sealed);

/* Twenty batches and a checkpoint: everything that the epoch's key is used for. */
void fixture_seal_and_sign(og_epoch *epoch);

#endif
