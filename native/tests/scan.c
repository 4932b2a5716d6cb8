#include "scan.h"

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
