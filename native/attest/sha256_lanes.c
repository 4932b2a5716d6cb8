#include "sha256.h"

#include <string.h>

void og_sha256_lanes_init(og_sha256_lanes *hash, size_t count)
{
    for (int i = 0; i < 8; i++)
        for (int lane = 0; lane < OG_SHA256_LANES; lane++) hash->state[i][lane] = og_sha256_initial[i];
    hash->total = 0;
    hash->count = count;
}

/* Lanes without a message of their own go through the first one's, and nobody reads what comes out. */
static void compress(og_sha256_lanes *hash, const uint8_t *const from[], size_t offset, size_t blocks)
{
    const uint8_t *at[OG_SHA256_LANES];
    for (size_t i = 0; i < OG_SHA256_LANES; i++) at[i] = from[i < hash->count ? i : 0] + offset;
    og_sha256_active->sixteen(hash->state, at, blocks);
}

static void compress_held(og_sha256_lanes *hash, size_t blocks)
{
    const uint8_t *at[OG_SHA256_LANES];
    for (size_t i = 0; i < OG_SHA256_LANES; i++) at[i] = hash->block[i < hash->count ? i : 0];
    og_sha256_active->sixteen(hash->state, at, blocks);
}

void og_sha256_lanes_update(og_sha256_lanes *hash, const uint8_t *const from[], size_t size)
{
    if (size == 0) return;
    size_t held = hash->total % 64, offset = 0;
    hash->total += size;
    if (held != 0) {
        offset = size < 64 - held ? size : 64 - held;
        for (size_t i = 0; i < hash->count; i++) memcpy(hash->block[i] + held, from[i], offset);
        if (held + offset < 64) return;
        compress_held(hash, 1);
    }
    size_t whole = (size - offset) & ~(size_t)63, rest = size - offset - whole;
    if (whole != 0) compress(hash, from, offset, whole / 64);
    if (rest != 0)
        for (size_t i = 0; i < hash->count; i++) memcpy(hash->block[i], from[i] + offset + whole, rest);
}

void og_sha256_lanes_final(og_sha256_lanes *hash, uint8_t *digests, size_t stride)
{
    size_t held = hash->total % 64, length = held < 56 ? 64 : 128;
    uint64_t bits = __builtin_bswap64(hash->total * 8);
    for (size_t i = 0; i < hash->count; i++) {
        uint8_t *block = hash->block[i];
        memset(block + held, 0, length - held);
        block[held] = 0x80;
        memcpy(block + length - 8, &bits, 8);
    }
    compress_held(hash, length / 64);
    og_sha256_lanes_digests(hash->state, hash->count, digests, stride, 32);
}

void og_sha256_lanes_digests(uint32_t state[8][OG_SHA256_LANES], size_t count, uint8_t *digests, size_t stride, size_t size)
{
    for (size_t lane = 0; lane < count; lane++, digests += stride) {
        uint32_t words[8];
        for (int i = 0; i < 8; i++) words[i] = __builtin_bswap32(state[i][lane]);
        memcpy(digests, words, size);
    }
}
