/* Golden vectors: tests/vectors/formats.json, one "name": "hex" per line. */
#ifndef OG_TESTS_VECTORS_H
#define OG_TESTS_VECTORS_H

#include <stddef.h>
#include <stdint.h>

typedef struct vector {
    uint8_t bytes[8192];
    size_t size;
} vector;

/* Ends the process when there is no such vector. */
vector vector_read(const char *name);

#endif
