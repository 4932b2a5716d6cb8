/*
 * SHA-256 (FIPS 180-4) for many short messages: a row leaf and a tree node are two blocks each, where a general
 * library spends longer on its call than on the hash.
 */
#ifndef OG_ATTEST_SHA256_H
#define OG_ATTEST_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct og_sha256 {
    uint32_t state[8];
    uint64_t total; /* bytes taken so far; total % 64 of them wait in block */
    uint8_t block[64];
} og_sha256;

void og_sha256_init(og_sha256 *hash);
void og_sha256_update(og_sha256 *hash, const void *data, size_t size);
void og_sha256_final(og_sha256 *hash, uint8_t digest[32]);

/* The same for two messages of equal length that are fed in equal steps: both hashes take size bytes at a time. */
void og_sha256_update_two(og_sha256 *a, const void *data_a, og_sha256 *b, const void *data_b, size_t size);
void og_sha256_final_two(og_sha256 *a, uint8_t digest_a[32], og_sha256 *b, uint8_t digest_b[32]);

void og_sha256_of(const void *data, size_t size, uint8_t digest[32]);

/* RFC 6962 hashes of count row leaves (118 bytes each, one after the other). */
void og_sha256_leaves(const uint8_t *preimages, size_t count, uint8_t *digests);

/* Receipt ids (16 bytes each) of count row leaves: docs/formats.md, "Row leaf". */
void og_sha256_receipt_ids(const uint8_t *preimages, size_t count, uint8_t *ids);

/* RFC 6962 hashes of count pairs of nodes (64 bytes each, one after the other). digests may begin where pairs end. */
void og_sha256_nodes(const uint8_t *pairs, size_t count, uint8_t *digests);

enum {
    OG_SHA256_LANES = 16,
    OG_SHA256_LANES_WORTH = 10 /* messages from which sixteen lanes beat pairs on the SHA unit (200 ns a block against 43 for two) */
};

/* Up to sixteen messages of equal length that are fed in equal steps. Only where the active engine has sixteen lanes. */
typedef struct og_sha256_lanes {
    uint32_t state[8][OG_SHA256_LANES];
    uint64_t total;
    size_t count;
    uint8_t block[OG_SHA256_LANES][128]; /* what waits, later with its padding */
} og_sha256_lanes;

void og_sha256_lanes_init(og_sha256_lanes *hash, size_t count);
void og_sha256_lanes_update(og_sha256_lanes *hash, const uint8_t *const from[], size_t size); /* from: one pointer per message */
void og_sha256_lanes_final(og_sha256_lanes *hash, uint8_t *digests, size_t stride);

/* The first size bytes of each state's digest. */
void og_sha256_lanes_digests(uint32_t state[8][OG_SHA256_LANES], size_t count, uint8_t *digests, size_t stride, size_t size);

/* FIPS 180-4 §4.2.2 and §5.3.3. */
extern const uint32_t og_sha256_k[64];
extern const uint32_t og_sha256_initial[8];

/* Compression of whole blocks into one state, and of equally many blocks into two or sixteen states at once. */
typedef void og_sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks);
typedef void og_sha256_two(uint32_t a[8], const uint8_t *data_a, uint32_t b[8], const uint8_t *data_b, size_t blocks);
typedef void og_sha256_sixteen(uint32_t state[8][OG_SHA256_LANES], const uint8_t *const data[OG_SHA256_LANES], size_t blocks);

typedef struct og_sha256_engine {
    const char *name;
    og_sha256_blocks *blocks;
    og_sha256_two *two;
    og_sha256_sixteen *sixteen; /* null: none faster than pairs */
} og_sha256_engine;

extern const og_sha256_engine og_sha256_portable;

/* Null where this processor lacks the SHA extensions. */
const og_sha256_engine *og_sha256_ni(void);

/* Null where this processor or its operating system lacks AVX-512. */
og_sha256_sixteen *og_sha256_avx512(void);

/* The SHA extensions with AVX-512 for many messages at once; null where either is missing. */
const og_sha256_engine *og_sha256_ni_avx512(void);

/* The one in use; set before main, constant afterwards. */
extern const og_sha256_engine *og_sha256_active;

#endif
