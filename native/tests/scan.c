#include "scan.h"

#include <stdio.h>

#include "check.h"

int scan_count(const uint8_t *region, size_t size, const uint8_t *secret)
{
    int found = 0;
    for (size_t i = 0; i + 32 <= size; i++) {
        size_t forward = 0, backward = 0;
        while (forward < 32 && region[i + forward] == secret[forward]) forward++;
        while (backward < 32 && region[i + backward] == secret[31 - backward]) backward++;
        found += forward == 32 || backward == 32;
    }
    return found;
}

int scan_process(const uint8_t *secret)
{
    FILE *maps = fopen("/proc/self/maps", "re"), *memory = fopen("/proc/self/mem", "re");
    CHECK(maps != NULL && memory != NULL);
    static uint8_t chunk[1 << 20];
    char line[512];
    int found = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from, to;
        char access;
        if (sscanf(line, "%lx-%lx %c", &from, &to, &access) != 3 || access != 'r') continue;
        if ((unsigned long)secret >= from && (unsigned long)secret < to) continue;
        for (; from < to; from += sizeof chunk - 32) {
            size_t size = to - from < sizeof chunk ? to - from : sizeof chunk;
            if (fseek(memory, (long)from, SEEK_SET) != 0 || fread(chunk, 1, size, memory) != size) break;
            found += scan_count(chunk, size, secret);
            if (size < sizeof chunk) break;
        }
    }
    fclose(maps);
    fclose(memory);
    return found;
}
