#include "region.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* From here on a piece is mapped by itself: weights and caches are read front to back, and a table of 4 KiB pages costs
 * a walk every 64 lines. */
enum { huge_page = 2 << 20 };

static uint64_t rounded(uint64_t bytes, uint64_t to)
{
    return (bytes + to - 1) / to * to;
}

void *ogk_region_reserve(uint64_t bytes)
{
    if (bytes > (uint64_t)1 << 46) return NULL;
    if (bytes < huge_page) {
        size_t size = (size_t)rounded(bytes == 0 ? 1 : bytes, 64);
        void *region = aligned_alloc(64, size);
        if (region != NULL) memset(region, 0, size);
        return region;
    }
    /* One huge page more than needed, so that the piece can begin on a boundary; the ends are given back. */
    size_t size = (size_t)rounded(bytes, huge_page);
    uint8_t *mapped = mmap(NULL, size + huge_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return NULL;
    size_t before = (huge_page - (uintptr_t)mapped % huge_page) % huge_page, after = huge_page - before;
    if (before != 0) (void)munmap(mapped, before);
    if (after != 0) (void)munmap(mapped + before + size, after);
    (void)madvise(mapped + before, size, MADV_HUGEPAGE); /* a system without them serves small pages */
    return mapped + before;
}

void ogk_region_release(void *region, uint64_t bytes)
{
    if (region == NULL) return;
    if (bytes < huge_page)
        free(region);
    else
        (void)munmap(region, (size_t)rounded(bytes, huge_page));
}
