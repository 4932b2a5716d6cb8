#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { tests_max = 128 };

static struct {
    const char *name;
    check_test *run;
} tests[tests_max];
static size_t test_count;

void check_register(const char *name, check_test *test)
{
    if (test_count == tests_max) abort();
    tests[test_count].name = name;
    tests[test_count++].run = test;
}

void check_failed(const char *file, int line, const char *format, ...)
{
    fprintf(stderr, "%s:%d: ", file, line);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static void print_hex(const char *label, const uint8_t *bytes, size_t size)
{
    fprintf(stderr, "  %s ", label);
    for (size_t i = 0; i < size; i++) fprintf(stderr, "%02x", bytes[i]);
    fputc('\n', stderr);
}

void check_bytes(const char *file, int line, const char *what, const void *expected, const void *actual, size_t size)
{
    if (memcmp(expected, actual, size) == 0) return;
    print_hex("expected", expected, size);
    print_hex("actual  ", actual, size);
    check_failed(file, line, "%s differs", what);
}

static int is_named(const char *name, int count, char **arguments)
{
    for (int i = 1; i < count; i++)
        if (strcmp(arguments[i], name) == 0) return 1;
    return 0;
}

/* Arguments are the names of tests; without any, all of them run. */
int main(int count, char **arguments)
{
    size_t ran = 0;
    for (size_t i = 0; i < test_count; i++) {
        if (count > 1 && !is_named(tests[i].name, count, arguments)) continue;
        tests[i].run();
        ran++;
    }
    const size_t wanted = count > 1 ? (size_t)count - 1 : 1;
    if (ran < wanted) fprintf(stderr, "%zu tests of these names, not %zu\n", ran, wanted);
    return ran < wanted;
}
