/* What the attesters of hardware ask of the system. Fixed when the library is built; tests hand in their own. */
#ifndef OG_ATTEST_PLATFORM_H
#define OG_ATTEST_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "og_attest.h"

/* Every call behaves like the system's of its name: -1 with errno set on failure. */
typedef struct og_platform {
    const char *reports; /* configfs-tsm's folder of reports */
    const char *tables;  /* the folder of the firmware's ACPI tables */
    int (*open)(const char *path, int flags);
    int (*close)(int file);
    ssize_t (*read)(int file, void *bytes, size_t size);
    ssize_t (*write)(int file, const void *bytes, size_t size);
    ssize_t (*send)(int stream, const void *bytes, size_t size); /* EPIPE, and no signal, where the other end has gone */
    int (*ioctl)(int file, unsigned long request, void *argument);
    int (*connect_host)(unsigned port); /* a stream to the machine's host (vsock), with time limits */
    int (*make_folder)(const char *path);
    int (*remove_folder)(const char *path);
    bool (*reachable)(const char *path); /* readable and writable for this process */
    void (*wait)(unsigned milliseconds);
} og_platform;

/* The running kernel. */
extern const og_platform og_linux;

/* Opens a device for reading and writing. -1 with error written on failure. */
int og_platform_device(const og_platform *platform, const char *path, og_error *error);

/* Reads to the end. OG_OUT_OF_RANGE when there is more than capacity; name is for the error's text. */
og_status og_platform_read(const og_platform *platform, const char *path, const char *name, uint8_t *bytes, size_t capacity, size_t *written,
                           og_error *error);

/* Writes everything in one call, as the kernel's attributes demand. */
og_status og_platform_write(const og_platform *platform, const char *path, const char *name, const void *bytes, size_t size, og_error *error);

#endif
