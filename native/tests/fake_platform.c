#include "fake_platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

fake faked;

static char reports[32], tables[32];
static _Thread_local char attribute[400]; /* the one that this thread has open */
static _Thread_local int host_end = -1;
static const char *const attributes[] = {"provider", "generation", "inblob", "outblob", "auxblob", "privlevel", "privlevel_floor"};

static void write_file(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0 && write(file, bytes, size) == (ssize_t)size && close(file) == 0);
}

static size_t read_file(const char *folder, const char *name, void *bytes, size_t capacity)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDONLY);
    ssize_t got = read(file, bytes, capacity);
    CHECK(file >= 0 && got >= 0 && close(file) == 0);
    return (size_t)got;
}

static int fake_make_folder(const char *path)
{
    if (faked.provider == NULL) {
        errno = faked.make_errno != 0 ? faked.make_errno : ENOENT;
        return -1;
    }
    if (mkdir(path, 0700) != 0) return -1;
    char text[80];
    int length = snprintf(text, sizeof text, "%s\n", faked.provider);
    write_file(path, "provider", text, (size_t)length);
    write_file(path, "generation", "0\n", 2);
    write_file(path, "inblob", "", 0);
    write_file(path, "outblob", "", 0);
    if (faked.floor >= 0) {
        length = snprintf(text, sizeof text, "%d\n", faked.floor);
        write_file(path, "privlevel_floor", text, (size_t)length);
        write_file(path, "privlevel", "", 0);
    }
    faked.folders++;
    return 0;
}

static int fake_remove_folder(const char *path)
{
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        char file[400];
        snprintf(file, sizeof file, "%s/%s", path, attributes[i]);
        unlink(file);
    }
    faked.removed++;
    return rmdir(path);
}

/* What the kernel does when outblob is read: the report over inblob as it is now. */
static bool fill_outblob(const char *folder)
{
    if (faked.busy > 0) {
        faked.busy--;
        errno = EBUSY;
        return false;
    }
    uint8_t data[65], *blob = calloc(1, fake_blob_max);
    size_t size = 0;
    CHECK(blob != NULL && read_file(folder, "inblob", data, sizeof data) == 64);
    faked.report(data, blob, &size);
    write_file(folder, "outblob", blob, size);
    if (faked.aux != NULL) {
        faked.aux(blob, &size);
        write_file(folder, "auxblob", blob, size);
    }
    free(blob);
    return true;
}

static int fake_open(const char *path, int flags)
{
    attribute[0] = 0;
    if (strncmp(path, "/dev/", 5) == 0) {
        if (!faked.device) {
            errno = ENOENT;
            return -1;
        }
        path = "/dev/null";
    } else {
        const char *slash = strrchr(path, '/');
        char folder[400];
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        if (strcmp(slash, "/outblob") == 0 && !fill_outblob(folder)) return -1;
        snprintf(attribute, sizeof attribute, "%s", path);
    }
    int file = open(path, flags | O_CLOEXEC);
    if (file >= 0) faked.opened++;
    return file;
}

static int fake_close(int file)
{
    faked.closed++;
    if (host_end >= 0) close(host_end);
    host_end = -1;
    return close(file);
}

/* The kernel counts writes; a stranger's write counts too. */
static void count_write(void)
{
    char folder[400], text[32];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(attribute, '/') - attribute), attribute);
    size_t size = read_file(folder, "generation", text, sizeof text - 1);
    text[size] = 0;
    int more = 1;
    if (strstr(attribute, "/inblob") != NULL && faked.strangers > 0) {
        faked.strangers--;
        more = 2;
    }
    if (strstr(attribute, "/privlevel") != NULL) faked.levels++;
    int length = snprintf(text, sizeof text, "%d\n", atoi(text) + more);
    write_file(folder, "generation", text, (size_t)length);
}

static ssize_t fake_write(int file, const void *bytes, size_t size)
{
    ssize_t put = write(file, bytes, size);
    if (put > 0 && attribute[0] != 0) count_write();
    return put;
}

static ssize_t fake_send(int stream, const void *bytes, size_t size)
{
    if (faked.host_is_gone) {
        close(host_end);
        host_end = -1;
    }
    ssize_t put = og_linux.send(stream, bytes, size);
    if (put > 0) {
        static uint8_t answer[fake_blob_max];
        size_t length = 0;
        faked.answer(bytes, answer, &length);
        CHECK(send(host_end, answer, length, MSG_NOSIGNAL) == (ssize_t)length);
        CHECK(shutdown(host_end, SHUT_WR) == 0);
    }
    return put;
}

static int fake_ioctl(int file, unsigned long request, void *argument)
{
    CHECK(file >= 0);
    return faked.command(request, argument);
}

static int fake_connect_host(unsigned port)
{
    int ends[2];
    if (faked.answer == NULL || port != 4050) {
        errno = ENODEV;
        return -1;
    }
    attribute[0] = 0;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    host_end = ends[1];
    faked.opened++;
    return ends[0];
}

static bool fake_reachable(const char *path)
{
    return path != NULL && faked.device;
}

static void fake_wait(unsigned milliseconds)
{
    CHECK(milliseconds > 0 && milliseconds <= 1000);
    faked.waits++;
}

void fake_table(const char *name, const uint8_t *bytes, size_t size)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", tables, name);
    if (bytes != NULL) write_file(tables, name, bytes, size);
    else CHECK(unlink(path) == 0 || errno == ENOENT);
}

static void remove_folders(void)
{
    char data[48];
    snprintf(data, sizeof data, "%s/data", tables);
    fake_table("CCEL", NULL, 0);
    fake_table("data/CCEL", NULL, 0);
    rmdir(data);
    rmdir(tables);
    rmdir(reports);
}

static void make_folders(void)
{
    char data[48];
    snprintf(reports, sizeof reports, "/tmp/og-tsm-XXXXXX");
    snprintf(tables, sizeof tables, "/tmp/og-acpi-XXXXXX");
    CHECK(mkdtemp(reports) != NULL && mkdtemp(tables) != NULL);
    snprintf(data, sizeof data, "%s/data", tables);
    CHECK(mkdir(data, 0700) == 0 && atexit(remove_folders) == 0);
}

const og_platform *fake_platform(void)
{
    static const og_platform platform = {
        .reports = reports,
        .tables = tables,
        .open = fake_open,
        .close = fake_close,
        .read = read,
        .write = fake_write,
        .send = fake_send,
        .ioctl = fake_ioctl,
        .connect_host = fake_connect_host,
        .make_folder = fake_make_folder,
        .remove_folder = fake_remove_folder,
        .reachable = fake_reachable,
        .wait = fake_wait,
    };
    memset(&faked, 0, sizeof faked);
    faked.floor = -1;
    if (reports[0] == 0) make_folders();
    fake_table("CCEL", NULL, 0);
    fake_table("data/CCEL", NULL, 0);
    return &platform;
}
