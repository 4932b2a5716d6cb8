#include "nonce.h"

#include <string.h>

#include "sha256.h"

enum {
    HASH = 32,
    BLOCK = 64,
    MAX_MESSAGE = HASH + 1 + HASH + HASH /* V, a byte, secret, digest */
};

/* The states after the key's block (RFC 2104 §4): a key is used for several messages. */
typedef struct hmac {
    uint32_t inner[8];
    uint32_t outer[8];
} hmac;

typedef struct generator {
    hmac key;
    uint8_t v[HASH];
    uint8_t message[MAX_MESSAGE];
    uint8_t padded[2 * BLOCK];
    uint8_t digest[HASH];
} generator;

static void put_words(const uint32_t state[8], uint8_t bytes[HASH])
{
    for (int i = 0; i < 8; i++) {
        uint32_t word = __builtin_bswap32(state[i]);
        memcpy(bytes + 4 * i, &word, 4);
    }
}

/* Compresses the last blocks of a message whose first block the state holds already. */
static void finish(uint32_t state[8], uint8_t padded[2 * BLOCK], const uint8_t *message, size_t size, uint8_t digest[HASH])
{
    size_t length = size + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
    memcpy(padded, message, size);
    padded[size] = 0x80;
    memset(padded + size + 1, 0, length - size - 1);
    uint64_t bits = __builtin_bswap64((uint64_t)(BLOCK + size) * 8);
    memcpy(padded + length - 8, &bits, 8);
    og_sha256_active->blocks(state, padded, length / BLOCK);
    put_words(state, digest);
}

static void set_key(generator *g, const uint8_t key[HASH])
{
    uint8_t *inner = g->padded, *outer = g->padded + BLOCK;
    memset(inner, 0x36, BLOCK);
    memset(outer, 0x5c, BLOCK);
    for (int i = 0; i < HASH; i++) {
        inner[i] ^= key[i];
        outer[i] ^= key[i];
    }
    memcpy(g->key.inner, og_sha256_initial, sizeof og_sha256_initial);
    memcpy(g->key.outer, og_sha256_initial, sizeof og_sha256_initial);
    og_sha256_active->two(g->key.inner, inner, g->key.outer, outer, 1);
}

/* out may be part of message: it is written last. */
static void mac(generator *g, const uint8_t *message, size_t size, uint8_t out[HASH])
{
    uint32_t state[8];
    memcpy(state, g->key.inner, sizeof state);
    finish(state, g->padded, message, size, g->digest);
    memcpy(state, g->key.outer, sizeof state);
    finish(state, g->padded, g->digest, HASH, out);
    explicit_bzero(state, sizeof state);
}

/* RFC 6979 §3.2 d to g: K = HMAC_K(V || step || seed), V = HMAC_K(V). */
static void rekey(generator *g, uint8_t step, size_t seed)
{
    uint8_t key[HASH];
    memcpy(g->message, g->v, HASH);
    g->message[HASH] = step;
    mac(g, g->message, HASH + 1 + seed, key);
    set_key(g, key);
    mac(g, g->v, HASH, g->v);
    explicit_bzero(key, sizeof key);
}

int og_nonce(unsigned char *nonce32, const unsigned char *digest32, const unsigned char *secret32,
             const unsigned char *algo16, void *data, unsigned int attempt)
{
    if (algo16 != NULL || data != NULL) return 0;
    static const uint8_t zeros[HASH];
    generator g;
    memset(g.v, 1, HASH);
    set_key(&g, zeros);
    memcpy(g.message + HASH + 1, secret32, HASH);
    memcpy(g.message + HASH + 1 + HASH, digest32, HASH);
    rekey(&g, 0, 2 * HASH);
    rekey(&g, 1, 2 * HASH);
    for (unsigned int i = 0; i < attempt; i++) {
        mac(&g, g.v, HASH, g.v);
        rekey(&g, 0, 0);
    }
    mac(&g, g.v, HASH, nonce32);
    explicit_bzero(&g, sizeof g);
    return 1;
}
