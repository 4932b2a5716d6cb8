/* Files that hold secrets: who may read them, and how they come into being whole. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

static og_status check_access(int file, const char *path, og_error *error)
{
    struct stat info;
    if (fstat(file, &info) != 0) return og_fail(error, OG_SYSTEM, errno, "%.160s", path);
    if (!S_ISREG(info.st_mode)) return og_fail(error, OG_REFUSED, 0, "%.160s is not a regular file", path);
    if (info.st_uid != geteuid() && info.st_uid != 0) return og_fail(error, OG_REFUSED, 0, "%.160s belongs to another user", path);
    if ((info.st_mode & 077) != 0)
        return og_fail(error, OG_REFUSED, 0, "%.160s has mode %04o: group or others have access; it must be 0600 or less", path,
                       (unsigned)(info.st_mode & 07777));
    return OG_OK;
}

static og_status read_all(int file, const char *path, uint8_t *bytes, size_t capacity, size_t *written, og_error *error)
{
    uint8_t extra;
    for (*written = 0;;) {
        size_t room = capacity - *written;
        ssize_t got = room > 0 ? read(file, bytes + *written, room) : read(file, &extra, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return og_fail(error, OG_SYSTEM, errno, "%.160s", path);
        if (got == 0) return OG_OK;
        if (room == 0) return og_fail(error, OG_OUT_OF_RANGE, 0, "%.160s is longer than %zu bytes", path, capacity);
        *written += (size_t)got;
    }
}

og_status og_secret_file_read(const char *path, uint8_t *bytes, size_t capacity, size_t *written, og_error *error)
{
    OG_REQUIRE(path);
    OG_REQUIRE(bytes);
    OG_REQUIRE(written);
    /* a pipe in the file's place must not make the caller wait */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return og_fail(error, OG_SYSTEM, errno, "%.160s", path);
    og_status status = check_access(file, path, error);
    if (status == OG_OK) status = read_all(file, path, bytes, capacity, written, error);
    close(file);
    if (status != OG_OK) explicit_bzero(bytes, capacity);
    return status;
}

static og_status write_all(int file, const uint8_t *bytes, size_t size, const char *path, og_error *error)
{
    while (size > 0) {
        ssize_t put = write(file, bytes, size);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return og_fail(error, OG_SYSTEM, errno, "%.160s could not be written", path);
        bytes += put;
        size -= (size_t)put;
    }
    return fsync(file) == 0 ? OG_OK : og_fail(error, OG_SYSTEM, errno, "%.160s could not be synced", path);
}

static og_status sync_folder_of(const char *path, og_error *error)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path), slash == NULL ? "." : path);
    int handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) return og_fail(error, OG_SYSTEM, errno, "the folder of %.160s could not be opened", path);
    int failed = fsync(handle) == 0 ? 0 : errno;
    close(handle);
    return failed == 0 ? OG_OK : og_fail(error, OG_SYSTEM, failed, "the folder of %.160s could not be synced", path);
}

og_status og_secret_file_create(const char *path, const uint8_t *bytes, size_t size, og_error *error)
{
    OG_REQUIRE(path);
    if (size != 0) OG_REQUIRE(bytes);
    uint64_t unique;
    og_status status = og_random((uint8_t *)&unique, sizeof unique, error);
    if (status != OG_OK) return status;
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.%016llx.new", path, (unsigned long long)unique) >= (int)sizeof temporary)
        return og_fail(error, OG_OUT_OF_RANGE, 0, "the path is too long");

    int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return og_fail(error, OG_SYSTEM, errno, "%.160s could not be created", path);
    status = write_all(file, bytes, size, path, error);
    close(file);
    /* link, unlike rename, leaves a file that is already there alone */
    if (status == OG_OK && link(temporary, path) != 0) status = og_fail(error, OG_SYSTEM, errno, "%.160s could not be created", path);
    unlink(temporary);
    return status == OG_OK ? sync_folder_of(path, error) : status;
}
