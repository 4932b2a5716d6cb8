#include "sha256.h"

#include <string.h>

#include "og_attest.h"

const uint32_t og_sha256_initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

const og_sha256_engine *og_sha256_active = &og_sha256_portable;

__attribute__((constructor)) static void choose_engine(void)
{
    const og_sha256_engine *fast = og_sha256_ni_avx512();
    if (fast == NULL) fast = og_sha256_ni();
    if (fast != NULL) og_sha256_active = fast;
}

const char *og_sha256_provider(void)
{
    return og_sha256_active->name;
}

static void put_state(const uint32_t state[8], uint8_t digest[32])
{
    for (int i = 0; i < 8; i++) {
        uint32_t word = __builtin_bswap32(state[i]);
        memcpy(digest + 4 * i, &word, 4);
    }
}

static void put_bit_length(uint8_t *block_end, uint64_t bytes)
{
    uint64_t bits = __builtin_bswap64(bytes * 8);
    memcpy(block_end - 8, &bits, 8);
}

void og_sha256_init(og_sha256 *hash)
{
    memcpy(hash->state, og_sha256_initial, sizeof og_sha256_initial);
    hash->total = 0;
}

void og_sha256_update(og_sha256 *hash, const void *data, size_t size)
{
    if (size == 0) return;
    const uint8_t *from = data;
    size_t held = hash->total % 64;
    hash->total += size;
    if (held != 0) {
        size_t take = size < 64 - held ? size : 64 - held;
        memcpy(hash->block + held, from, take);
        if (held + take < 64) return;
        og_sha256_active->blocks(hash->state, hash->block, 1);
        from += take;
        size -= take;
    }
    if (size >= 64) {
        og_sha256_active->blocks(hash->state, from, size / 64);
        from += size & ~(size_t)63;
        size %= 64;
    }
    if (size != 0) memcpy(hash->block, from, size);
}

/* What waits, with its padding; returns 1 or 2 blocks. */
static size_t lay_out_tail(const og_sha256 *hash, uint8_t tail[128])
{
    size_t held = hash->total % 64;
    size_t length = held < 56 ? 64 : 128;
    memcpy(tail, hash->block, held);
    tail[held] = 0x80;
    memset(tail + held + 1, 0, length - held - 1);
    put_bit_length(tail + length, hash->total);
    return length / 64;
}

void og_sha256_final(og_sha256 *hash, uint8_t digest[32])
{
    uint8_t tail[128];
    size_t blocks = lay_out_tail(hash, tail);
    og_sha256_active->blocks(hash->state, tail, blocks);
    put_state(hash->state, digest);
}

void og_sha256_update_two(og_sha256 *a, const void *data_a, og_sha256 *b, const void *data_b, size_t size)
{
    if (size == 0) return;
    const uint8_t *from_a = data_a, *from_b = data_b;
    size_t held = a->total % 64;
    a->total += size;
    b->total += size;
    if (held != 0) {
        size_t take = size < 64 - held ? size : 64 - held;
        memcpy(a->block + held, from_a, take);
        memcpy(b->block + held, from_b, take);
        if (held + take < 64) return;
        og_sha256_active->two(a->state, a->block, b->state, b->block, 1);
        from_a += take;
        from_b += take;
        size -= take;
    }
    size_t whole = size & ~(size_t)63;
    if (whole != 0) og_sha256_active->two(a->state, from_a, b->state, from_b, whole / 64);
    if (size != whole) {
        memcpy(a->block, from_a + whole, size - whole);
        memcpy(b->block, from_b + whole, size - whole);
    }
}

void og_sha256_final_two(og_sha256 *a, uint8_t digest_a[32], og_sha256 *b, uint8_t digest_b[32])
{
    uint8_t tail_a[128], tail_b[128];
    size_t blocks = lay_out_tail(a, tail_a);
    lay_out_tail(b, tail_b);
    og_sha256_active->two(a->state, tail_a, b->state, tail_b, blocks);
    put_state(a->state, digest_a);
    put_state(b->state, digest_b);
}

void og_sha256_of(const void *data, size_t size, uint8_t digest[32])
{
    og_sha256 hash;
    og_sha256_init(&hash);
    og_sha256_update(&hash, data, size);
    og_sha256_final(&hash, digest);
}
