#include "ccel.h"

#include <stdio.h>
#include <stdlib.h>

size_t og_ccel_area_size(const uint8_t *table, size_t size)
{
    enum { least = 56, length_at = 4, type_at = 36, area_at = 40, type_tdx = 2 };
    uint32_t length;
    uint64_t area;
    if (size < least || memcmp(table, "CCEL", 4) != 0 || table[type_at] != type_tdx) return 0;
    memcpy(&length, table + length_at, sizeof length);
    memcpy(&area, table + area_at, sizeof area);
    return length == size && area <= OG_CCEL_AREA_MAX ? (size_t)area : 0;
}

static size_t read_file(const og_platform *platform, const char *name, uint8_t *bytes, size_t capacity)
{
    char path[256];
    size_t size;
    int length = snprintf(path, sizeof path, "%s/%s", platform->tables, name);
    if (length < 0 || (size_t)length >= sizeof path) return 0;
    return og_platform_read(platform, path, "the event log", bytes, capacity, &size, NULL) == OG_OK ? size : 0;
}

/* What is left of an area of at least one byte without the zeros, or bytes of 0xff, that it ends in. */
static size_t without_filling(const uint8_t *area, size_t size)
{
    uint8_t fill = area[size - 1];
    while (size > 0 && (fill == 0 || fill == 0xff) && area[size - 1] == fill) size--;
    return size;
}

/* A log's last event may end in bytes that look like filling; the area's size and what fills it bring them back. */
static void put_area(og_bytes *out, const uint8_t *area, size_t size)
{
    enum { head = 16 + 4 + 1 + 4 };
    size_t kept = without_filling(area, size);
    if (kept == 0 || !og_bytes_fit(out) || out->capacity - out->size < head + kept) return;
    og_put_tag(out, "OGE ccel v1");
    og_put_u32(out, (uint32_t)size);
    og_put_u8(out, kept == size ? 0 : area[size - 1]);
    og_put_u32(out, (uint32_t)kept);
    og_put(out, area, kept);
}

void og_ccel_put(og_bytes *out, const og_platform *platform)
{
    uint8_t table[256];
    size_t size = og_ccel_area_size(table, read_file(platform, "CCEL", table, sizeof table));
    uint8_t *area = size != 0 ? malloc(size) : NULL;
    if (area == NULL) return;
    if (read_file(platform, "data/CCEL", area, size) == size) put_area(out, area, size);
    free(area);
}
