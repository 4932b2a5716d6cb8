/* SHA-256 of the file that this library was loaded from, found through the process's own memory map. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "sha256.h"

/* The file mapped at an address; path has PATH_MAX + 16 bytes. */
static og_status mapped_file(const void *address, char *path, og_error *error)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL) return og_fail(error, OG_SYSTEM, errno, "/proc/self/maps could not be opened");

    char line[PATH_MAX + 128];
    og_status status = OG_SYSTEM;
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from, to;
        int name = 0;
        if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &from, &to, &name) < 2 || name == 0) continue;
        if ((unsigned long)address < from || (unsigned long)address >= to) continue;
        line[strcspn(line, "\n")] = 0;
        snprintf(path, PATH_MAX + 16, "%s", line + name);
        status = path[0] == '/' ? OG_OK : OG_SYSTEM;
        break;
    }
    fclose(maps);
    return status == OG_OK ? OG_OK : og_fail(error, OG_SYSTEM, 0, "the shim's own file is not in /proc/self/maps");
}

static og_status hash_file(const char *path, uint8_t digest[32], og_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return og_fail(error, OG_SYSTEM, errno, "the shim's own file could not be opened");

    og_sha256 hash;
    og_sha256_init(&hash);
    uint8_t chunk[65536];
    ssize_t got;
    while ((got = read(file, chunk, sizeof chunk)) > 0 || (got < 0 && errno == EINTR))
        if (got > 0) og_sha256_update(&hash, chunk, (size_t)got);
    int failed = got < 0 ? errno : 0;
    close(file);
    if (failed != 0) return og_fail(error, OG_SYSTEM, failed, "the shim's own file could not be read");
    og_sha256_final(&hash, digest);
    return OG_OK;
}

og_status og_build_digest(uint8_t digest[32], og_error *error)
{
    OG_REQUIRE(digest);
    char path[PATH_MAX + 16];
    og_status status = mapped_file((const void *)(uintptr_t)&og_build_digest, path, error);
    if (status != OG_OK) return status;

    /* The kernel's mark on a file whose name was removed or given to another file: what is on disk is not what runs. */
    static const char deleted[] = " (deleted)";
    size_t length = strlen(path);
    if (length > sizeof deleted - 1 && strcmp(path + length - (sizeof deleted - 1), deleted) == 0)
        return og_fail(error, OG_REFUSED, 0, "the shim's file was replaced after it was loaded; restart the process");
    return hash_file(path, digest, error);
}
