/* A test is TEST(name) { CHECK(...); }; ctest runs each by name in a process of its own. A failed check ends the process. */
#ifndef OG_TESTS_CHECK_H
#define OG_TESTS_CHECK_H

#include <stddef.h>
#include <stdint.h>

typedef void check_test(void);

void check_register(const char *name, check_test *test);
void check_failed(const char *file, int line, const char *format, ...) __attribute__((noreturn, format(printf, 3, 4)));
void check_bytes(const char *file, int line, const char *what, const void *expected, const void *actual, size_t size);

#define TEST(name)                                                                                                     \
    static void name(void);                                                                                            \
    __attribute__((constructor)) static void register_##name(void)                                                     \
    {                                                                                                                  \
        check_register(#name, name);                                                                                   \
    }                                                                                                                  \
    static void name(void)

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) check_failed(__FILE__, __LINE__, "%s", #condition);                                          \
    } while (0)

#define CHECK_STATUS(expected, call)                                                                                   \
    do {                                                                                                               \
        int32_t check_status = (call);                                                                                 \
        if (check_status != (expected)) check_failed(__FILE__, __LINE__, "%s gave %d, not %s", #call, check_status, #expected); \
    } while (0)

#define CHECK_BYTES(expected, actual, size) check_bytes(__FILE__, __LINE__, #actual, expected, actual, size)

#endif
