/* The firmware's event log behind a quote: the first 56 bytes are the ACPI table, the others the area that it names. */
#include <errno.h>
#include <string.h>

#include "ccel.h"
#include "fuzz.h"

enum { table_size = 56, before = 10 };

static const uint8_t *parts[2], *ends[2];
static int which, files;

static int fuzz_open(const char *path, int flags)
{
    (void)flags;
    which = strcmp(path, "/tables/CCEL") == 0 ? 0 : 1;
    FUZZ_CHECK(which == 0 || strcmp(path, "/tables/data/CCEL") == 0);
    files++;
    return 3;
}

static int fuzz_close(int file)
{
    (void)file;
    files--;
    return 0;
}

static ssize_t fuzz_read(int file, void *bytes, size_t size)
{
    (void)file;
    size_t left = (size_t)(ends[which] - parts[which]), count = size < left ? size : left;
    if (count > 100) count = 100; /* in parts, as files of the kernel may come */
    memcpy(bytes, parts[which], count);
    parts[which] += count;
    return (ssize_t)count;
}

static const og_platform platform = {.tables = "/tables", .open = fuzz_open, .close = fuzz_close, .read = fuzz_read};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t made[before + fuzz_input_max];
    size_t table = size < table_size ? size : table_size;
    parts[0] = bytes;
    parts[1] = ends[0] = bytes + table;
    ends[1] = bytes + size;
    og_bytes out = {made, sizeof made, before};
    og_ccel_put(&out, &platform);
    FUZZ_CHECK(files == 0 && og_bytes_fit(&out));
    size_t area = size - table;
    if (out.size == before) return 0;
    const uint8_t *tail = made + before;
    size_t kept = out.size - before - 25;
    FUZZ_CHECK(kept > 0 && kept <= area && area == ((size_t)tail[16] << 24 | (size_t)tail[17] << 16 | (size_t)tail[18] << 8 | tail[19]));
    FUZZ_CHECK(memcmp(tail + 25, bytes + table, kept) == 0);
    for (size_t i = kept; i < area; i++) FUZZ_CHECK(bytes[table + i] == tail[20]);
    return 0;
}

size_t fuzz_example(uint32_t number, uint8_t *bytes)
{
    uint32_t length = table_size;
    uint64_t area = 1 + number % 2000, logged = area / 2;
    memset(bytes, 0, table_size + area);
    memcpy(bytes, "CCEL", 4);
    memcpy(bytes + 4, &length, sizeof length);
    bytes[36] = 2;
    memcpy(bytes + 40, &area, sizeof area);
    memset(bytes + table_size, number % 2 == 0 ? 0xff : 0, area);
    memset(bytes + table_size, 0x11, logged);
    return table_size + area;
}
