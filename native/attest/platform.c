#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <linux/vm_sockets.h> /* after sys/socket.h, whose types it uses */

#include "error.h"

static int linux_open(const char *path, int flags)
{
    return open(path, flags | O_CLOEXEC);
}

static int linux_ioctl(int file, unsigned long request, void *argument)
{
    return ioctl(file, request, argument);
}

static ssize_t linux_send(int stream, const void *bytes, size_t size)
{
    return send(stream, bytes, size, MSG_NOSIGNAL);
}

static int connect_host_once(unsigned port)
{
    int file = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file < 0) return -1;
    /* a host that does not answer must not hold up the epoch for ever */
    struct timeval limit = {.tv_sec = 30};
    struct sockaddr_vm host = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = port};
    if (setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 && setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
        connect(file, (const struct sockaddr *)&host, sizeof host) == 0)
        return file;
    int failed = errno;
    close(file);
    errno = failed;
    return -1;
}

/* A signal calls a vsock connection off; another socket has another port, whatever the host still believes of this one. */
static int linux_connect_host(unsigned port)
{
    int file;
    do file = connect_host_once(port);
    while (file < 0 && errno == EINTR);
    return file;
}

static int linux_make_folder(const char *path)
{
    return mkdir(path, 0700);
}

static bool linux_reachable(const char *path)
{
    return access(path, R_OK | W_OK) == 0;
}

static void linux_wait(unsigned milliseconds)
{
    struct timespec time = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
    nanosleep(&time, NULL);
}

const og_platform og_linux = {
    .reports = "/sys/kernel/config/tsm/report",
    .tables = "/sys/firmware/acpi/tables",
    .open = linux_open,
    .close = close,
    .read = read,
    .write = write,
    .send = linux_send,
    .ioctl = linux_ioctl,
    .connect_host = linux_connect_host,
    .make_folder = linux_make_folder,
    .remove_folder = rmdir,
    .reachable = linux_reachable,
    .wait = linux_wait,
};

int og_platform_device(const og_platform *platform, const char *path, og_error *error)
{
    int file = platform->open(path, O_RDWR);
    if (file < 0) og_fail(error, OG_SYSTEM, errno, "%s could not be opened", path);
    return file;
}

og_status og_platform_read(const og_platform *platform, const char *path, const char *name, uint8_t *bytes, size_t capacity, size_t *written,
                           og_error *error)
{
    *written = 0;
    int file = platform->open(path, O_RDONLY);
    if (file < 0) return og_fail(error, OG_SYSTEM, errno, "%s could not be opened", name);
    og_status status = OG_OK;
    for (;;) {
        uint8_t extra;
        size_t room = capacity - *written;
        ssize_t got = room > 0 ? platform->read(file, bytes + *written, room) : platform->read(file, &extra, 1);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) status = og_fail(error, OG_SYSTEM, errno, "%s could not be read", name);
        else if (room == 0) status = og_fail(error, OG_OUT_OF_RANGE, 0, "%s is longer than %zu bytes", name, capacity);
        if (status != OG_OK) break;
        *written += (size_t)got;
    }
    platform->close(file);
    return status;
}

og_status og_platform_write(const og_platform *platform, const char *path, const char *name, const void *bytes, size_t size, og_error *error)
{
    int file = platform->open(path, O_WRONLY);
    if (file < 0) return og_fail(error, OG_SYSTEM, errno, "%s could not be opened", name);
    ssize_t put = platform->write(file, bytes, size);
    int failed = put < 0 ? errno : (size_t)put == size ? 0 : EIO;
    /* configfs takes a binary attribute's bytes when the file is closed */
    if (platform->close(file) != 0 && failed == 0) failed = errno;
    return failed == 0 ? OG_OK : og_fail(error, OG_SYSTEM, failed, "%s could not be written", name);
}
