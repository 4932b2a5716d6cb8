/* configfs-tsm whose every attribute is the input's: each read takes a length byte, then that many bytes. */
#include <errno.h>
#include <string.h>

#include "attesters.h"
#include "fuzz.h"

static const uint8_t *at, *end;
static size_t chunk;
static int folders, files;

static int fuzz_open(const char *path, int flags)
{
    (void)path, (void)flags;
    if (at == end) {
        errno = ENOENT;
        return -1;
    }
    uint8_t length = *at++; /* 255: cannot be opened; 254: an SNP report's length */
    if (length == 255) {
        errno = EBUSY;
        return -1;
    }
    chunk = length == 254 ? 1184 : length;
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
    size_t left = (size_t)(end - at), count = chunk < left ? chunk : left;
    if (count > size) count = size;
    memcpy(bytes, at, count);
    at += count;
    chunk -= count;
    return (ssize_t)count;
}

static ssize_t fuzz_write(int file, const void *bytes, size_t size)
{
    (void)file, (void)bytes;
    return (ssize_t)size;
}

static int fuzz_ioctl(int file, unsigned long request, void *argument)
{
    (void)file, (void)request, (void)argument;
    errno = EIO;
    return -1;
}

static int fuzz_connect_host(unsigned port)
{
    (void)port;
    errno = ENODEV;
    return -1;
}

static int fuzz_make_folder(const char *path)
{
    (void)path;
    folders++;
    return 0;
}

static int fuzz_remove_folder(const char *path)
{
    (void)path;
    folders--;
    return 0;
}

static bool fuzz_reachable(const char *path)
{
    return path != NULL;
}

static void fuzz_wait(unsigned milliseconds)
{
    (void)milliseconds;
}

static const og_platform platform = {
    "/reports", "/tables", fuzz_open, fuzz_close, fuzz_read, fuzz_write, fuzz_write, fuzz_ioctl, fuzz_connect_host, fuzz_make_folder, fuzz_remove_folder, fuzz_reachable, fuzz_wait,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint8_t report_data[64] = {7};
    static uint8_t made[OG_EVIDENCE_MAX];
    og_attester_input input = {.report_data = report_data};
    for (int kind = 0; kind < 2; kind++) {
        at = bytes;
        end = bytes + size;
        og_bytes out = {made, sizeof made, 0};
        og_error error = {0, ""};
        og_status status = kind == 0 ? og_sev_snp_document_by(&platform, &input, &out, &error) : og_tdx_document_by(&platform, &input, &out, &error);
        FUZZ_CHECK(folders == 0 && files == 0);
        FUZZ_CHECK(status == OG_OK ? out.size > 0 && memmem(made, out.size, report_data, 64) != NULL : out.size == 0 && error.text[0] != 0);
    }
    return 0;
}

static size_t put_chunk(uint8_t *bytes, size_t size, const char *text)
{
    bytes[size] = (uint8_t)strlen(text);
    memcpy(bytes + size + 1, text, strlen(text));
    return size + 1 + strlen(text);
}

/* provider, privlevel_floor, [privlevel], inblob, generation, outblob, auxblob, generation: the written ones take an empty chunk */
size_t fuzz_example(uint32_t which, uint8_t *bytes)
{
    bool level = which % 2 == 0;
    size_t size = put_chunk(bytes, 0, "sev_guest\n");
    size = put_chunk(bytes, size, level ? "1\n" : "0\n");
    if (level) size = put_chunk(bytes, size, "");
    size = put_chunk(bytes, size, "");
    size = put_chunk(bytes, size, level ? "2\n" : "1\n");
    bytes[size++] = 254;
    memset(bytes + size, 0, 1184);
    bytes[size + 0x50] = 7;
    size += 1184;
    static const uint8_t table[] = {60, 0x63, [17] = 48, [21] = 12, [60] = 0xce};
    memcpy(bytes + size, table, sizeof table);
    size += sizeof table;
    return put_chunk(bytes, size, level ? "2\n" : "1\n");
}
