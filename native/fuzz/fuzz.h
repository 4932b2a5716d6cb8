/* What a fuzz target is: libFuzzer's entry, and examples of good input to start from. */
#ifndef OG_FUZZ_H
#define OG_FUZZ_H

#include <stddef.h>
#include <stdint.h>

enum { fuzz_input_max = 4096 };

/* Aborts when what the parser says of the bytes cannot be true. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Writes one of the target's examples, at most fuzz_input_max bytes, and returns its size; any number names one. */
size_t fuzz_example(uint32_t which, uint8_t *bytes);

#define FUZZ_CHECK(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) __builtin_trap();                                                                            \
    } while (0)

#endif
