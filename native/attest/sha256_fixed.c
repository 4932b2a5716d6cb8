/* Messages of a few fixed lengths, many of each: laid out with their padding, only the middle changes. */
#include <string.h>

#include "og_attest.h"
#include "sha256.h"

enum { blocks_max = 3 };

typedef uint8_t laid_out[64 * blocks_max];

static inline __attribute__((always_inline)) void lay_out(laid_out message, const void *prefix, size_t prefix_size, size_t size, size_t blocks)
{
    uint64_t bits = __builtin_bswap64(8 * (prefix_size + size));
    memset(message + prefix_size + size, 0, 64 * blocks - prefix_size - size);
    memcpy(message, prefix, prefix_size);
    message[prefix_size + size] = 0x80;
    memcpy(message + 64 * blocks - 8, &bits, 8);
}

static void compress(laid_out messages[], size_t count, size_t blocks, uint32_t state[8][OG_SHA256_LANES])
{
    const uint8_t *at[OG_SHA256_LANES];
    for (size_t i = 0; i < OG_SHA256_LANES; i++) at[i] = messages[i < count ? i : 0];
    for (int i = 0; i < 8; i++)
        for (int lane = 0; lane < OG_SHA256_LANES; lane++) state[i][lane] = og_sha256_initial[i];
    og_sha256_active->sixteen(state, at, blocks);
}

static void put_digest(const uint32_t state[8], uint8_t *digest, size_t size)
{
    uint32_t words[8];
    for (int i = 0; i < 8; i++) words[i] = __builtin_bswap32(state[i]);
    memcpy(digest, words, size);
}

/* One message, or two. */
static void compress_pair(laid_out messages[2], size_t count, size_t blocks, uint8_t *digests, size_t digest_size)
{
    uint32_t states[2][8];
    memcpy(states[0], og_sha256_initial, sizeof states[0]);
    memcpy(states[1], og_sha256_initial, sizeof states[1]);
    if (count == 2) og_sha256_active->two(states[0], messages[0], states[1], messages[1], blocks);
    else og_sha256_active->blocks(states[0], messages[0], blocks);
    for (size_t i = 0; i < count; i++) put_digest(states[i], digests + digest_size * i, digest_size);
}

/* Inlined, so that every size is a constant and every copy a few moves. */
static inline __attribute__((always_inline)) void hash_many(const void *prefix, size_t prefix_size, const uint8_t *middles, size_t size, size_t blocks,
                                                            size_t count, uint8_t *digests, size_t digest_size)
{
    laid_out messages[OG_SHA256_LANES];
    uint32_t state[8][OG_SHA256_LANES];
    size_t most = og_sha256_active->sixteen != NULL && count >= OG_SHA256_LANES_WORTH ? OG_SHA256_LANES : 2;
    for (size_t i = 0; i < most; i++) lay_out(messages[i], prefix, prefix_size, size, blocks);
    while (count > 0) {
        if (count < OG_SHA256_LANES_WORTH) most = 2;
        size_t taken = count < most ? count : most;
        for (size_t i = 0; i < taken; i++) memcpy(messages[i] + prefix_size, middles + size * i, size);
        if (most == 2) {
            compress_pair(messages, taken, blocks, digests, digest_size);
        } else {
            compress(messages, taken, blocks, state);
            og_sha256_lanes_digests(state, taken, digests, digest_size, digest_size);
        }
        count -= taken;
        middles += size * taken;
        digests += digest_size * taken;
    }
}

void og_sha256_leaves(const uint8_t *preimages, size_t count, uint8_t *digests)
{
    hash_many("", 1, preimages, OG_LEAF_SIZE, 2, count, digests, 32); /* the terminator is the prefix 0x00 */
}

void og_sha256_nodes(const uint8_t *pairs, size_t count, uint8_t *digests)
{
    hash_many("\x01", 1, pairs, 64, 2, count, digests, 32);
}

void og_sha256_receipt_ids(const uint8_t *preimages, size_t count, uint8_t *ids)
{
    hash_many("OGE receipt id 1", 16, preimages, OG_LEAF_SIZE, 3, count, ids, OG_RECEIPT_ID_SIZE);
}
