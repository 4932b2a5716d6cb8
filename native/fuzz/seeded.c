/*
 * Runs a target where there is no libFuzzer: examples, spoiled by a seeded generator, so that a failure can be run again.
 * Usage: fuzz_NAME [inputs [seed]]     OG_LONG=1 in the environment: a hundred times as many inputs
 *        fuzz_NAME --examples FOLDER   writes examples for libFuzzer to start from
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static uint64_t state;

/* xorshift64*, by Vigna */
static uint32_t random_below(uint32_t limit)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545f4914f6cdd1du) >> 32) % limit;
}

static size_t insert(uint8_t *bytes, size_t size, size_t at, size_t count)
{
    if (count > fuzz_input_max - size) count = fuzz_input_max - size;
    memmove(bytes + at + count, bytes + at, size - at);
    for (size_t i = 0; i < count; i++) bytes[at + i] = (uint8_t)random_below(256);
    return size + count;
}

static size_t spoil(uint8_t *bytes, size_t size)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x1f, 0x5f, 0xbf, 0x9f, 0x1b, 0x5b};
    if (size == 0) return insert(bytes, size, 0, 1 + random_below(64));
    size_t at = random_below((uint32_t)size), count = 1 + random_below(16);
    switch (random_below(6)) {
    case 0: bytes[at] ^= (uint8_t)(1u << random_below(8)); return size;
    case 1: bytes[at] = edges[random_below(sizeof edges)]; return size;
    case 2: bytes[at] = (uint8_t)random_below(256); return size;
    case 3: return at; /* cut off */
    case 4: return insert(bytes, size, at, count);
    default:
        if (count > size - at) count = size - at;
        memmove(bytes + at, bytes + at + count, size - at - count);
        return size - count;
    }
}

static int write_examples(const char *folder)
{
    for (uint32_t i = 0; i < 16; i++) {
        uint8_t bytes[fuzz_input_max];
        char path[4096];
        size_t size = fuzz_example(i, bytes);
        snprintf(path, sizeof path, "%s/example-%" PRIu32, folder, i);
        FILE *file = fopen(path, "we");
        if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
            fprintf(stderr, "%s could not be written\n", path);
            return 1;
        }
    }
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "--examples") == 0) return write_examples(arguments[2]);
    uint64_t inputs = count > 1 ? strtoull(arguments[1], NULL, 10) : 20000;
    uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    const char *many = getenv("OG_LONG");
    if (many != NULL && strcmp(many, "1") == 0) inputs *= 100;
    state = seed * 0x9e3779b97f4a7c15u + 1;
    for (uint64_t i = 0; i < inputs; i++) {
        uint8_t bytes[fuzz_input_max];
        size_t size = fuzz_example(random_below(UINT32_MAX), bytes);
        for (uint32_t changes = random_below(5); changes > 0; changes--) size = spoil(bytes, size);
        /* on the heap at its own size, so that the sanitizer sees one byte too many */
        uint8_t *input = malloc(size != 0 ? size : 1);
        if (input == NULL) return 1;
        memcpy(input, bytes, size);
        LLVMFuzzerTestOneInput(input, size);
        free(input);
    }
    printf("%" PRIu64 " inputs, seed %" PRIu64 "\n", inputs, seed);
    return 0;
}
