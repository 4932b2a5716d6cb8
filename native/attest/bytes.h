/* Writes the fixed layouts and the CBOR subset of docs/formats.md into a buffer of known capacity. */
#ifndef OG_ATTEST_BYTES_H
#define OG_ATTEST_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the shim is written for little-endian processors"
#endif

/* size counts on past capacity, so that the caller learns how much would have been enough; nothing is written there. */
typedef struct og_bytes {
    uint8_t *at;
    size_t capacity;
    size_t size;
} og_bytes;

static inline bool og_bytes_fit(const og_bytes *out)
{
    return out->size <= out->capacity;
}

static inline void og_put(og_bytes *out, const void *bytes, size_t size)
{
    if (size != 0 && out->size <= out->capacity && size <= out->capacity - out->size) memcpy(out->at + out->size, bytes, size);
    out->size += size;
}

static inline void og_put_u8(og_bytes *out, uint8_t value)
{
    og_put(out, &value, 1);
}

static inline void og_put_u16(og_bytes *out, uint16_t value)
{
    value = __builtin_bswap16(value);
    og_put(out, &value, 2);
}

static inline void og_put_u32(og_bytes *out, uint32_t value)
{
    value = __builtin_bswap32(value);
    og_put(out, &value, 4);
}

static inline void og_put_u64(og_bytes *out, uint64_t value)
{
    value = __builtin_bswap64(value);
    og_put(out, &value, 8);
}

/* ASCII text of at most 16 bytes, padded with zeros to 16. */
static inline void og_put_tag(og_bytes *out, const char *text)
{
    char padded[16] = {0};
    for (size_t i = 0; i < sizeof padded && text[i] != 0; i++) padded[i] = text[i];
    og_put(out, padded, sizeof padded);
}

enum { OG_CBOR_UINT = 0, OG_CBOR_BYTES = 2, OG_CBOR_TEXT = 3, OG_CBOR_ARRAY = 4, OG_CBOR_MAP = 5 };

/* RFC 8949 §3: major type and argument in the shortest form. */
static inline void og_put_cbor(og_bytes *out, int major, uint64_t value)
{
    uint8_t type = (uint8_t)(major << 5);
    if (value < 24) {
        og_put_u8(out, (uint8_t)(type | value));
    } else if (value <= UINT8_MAX) {
        og_put_u8(out, type | 24);
        og_put_u8(out, (uint8_t)value);
    } else if (value <= UINT16_MAX) {
        og_put_u8(out, type | 25);
        og_put_u16(out, (uint16_t)value);
    } else if (value <= UINT32_MAX) {
        og_put_u8(out, type | 26);
        og_put_u32(out, (uint32_t)value);
    } else {
        og_put_u8(out, type | 27);
        og_put_u64(out, value);
    }
}

static inline void og_put_cbor_bytes(og_bytes *out, const void *bytes, size_t size)
{
    og_put_cbor(out, OG_CBOR_BYTES, size);
    og_put(out, bytes, size);
}

#endif
