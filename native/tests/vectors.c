#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

vector vector_read(const char *name)
{
    vector found = {.size = SIZE_MAX};
    FILE *file = fopen(FORMATS_JSON, "re");
    if (file == NULL) check_failed(__FILE__, __LINE__, "%s could not be opened", FORMATS_JSON);
    char quoted[128];
    snprintf(quoted, sizeof quoted, "\"%s\": \"", name);
    static char line[32768];
    while (found.size == SIZE_MAX && fgets(line, sizeof line, file) != NULL) {
        const char *at = strstr(line, quoted);
        if (at == NULL) continue;
        at += strlen(quoted);
        size_t digits = strspn(at, "0123456789abcdef");
        CHECK(digits % 2 == 0 && digits / 2 <= sizeof found.bytes);
        for (size_t i = 0; i < digits / 2; i++) found.bytes[i] = (uint8_t)(digit(at[2 * i]) << 4 | digit(at[2 * i + 1]));
        found.size = digits / 2;
    }
    fclose(file);
    if (found.size == SIZE_MAX) check_failed(__FILE__, __LINE__, "there is no vector %s", name);
    return found;
}
