/* How functions of the shim fail: one status, one sentence. */
#ifndef OG_ATTEST_ERROR_H
#define OG_ATTEST_ERROR_H

#include "og_attest.h"

/* Writes the sentence (error may be null) and returns status. os_error is 0 or an errno, whose text is appended. */
og_status og_fail(og_error *error, og_status status, int os_error, const char *format, ...) __attribute__((format(printf, 4, 5)));

#define OG_REQUIRE(pointer)                                                                                            \
    do {                                                                                                               \
        if ((pointer) == NULL) return og_fail(error, OG_NULL_ARGUMENT, 0, "%s: %s is null", __func__, #pointer);       \
    } while (0)

#endif
