/* Documentation/ABI/testing/configfs-tsm-report. Every request has a folder of its own, removed afterwards. */
#include "tsm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

enum {
    path_max = 256,
    attempts = 5,    /* a busy firmware, or another writer, is met at most that often */
    first_wait = 20, /* milliseconds; doubled each time */
    data_size = 64
};

/* One request's folder. */
typedef struct request {
    const og_platform *platform;
    char folder[path_max];
} request;

static og_status make(request *made, const og_platform *platform, og_error *error)
{
    uint64_t unique;
    og_status status = og_random((uint8_t *)&unique, sizeof unique, error);
    if (status != OG_OK) return status;
    made->platform = platform;
    int length = snprintf(made->folder, sizeof made->folder, "%s/og-%d-%016" PRIx64, platform->reports, (int)getpid(), unique);
    if (length >= (int)sizeof made->folder - 32) return og_fail(error, OG_OUT_OF_RANGE, 0, "the folder of reports has too long a name");
    if (platform->make_folder(made->folder) == 0) return OG_OK;
    /* no such folder, no provider behind it (ENXIO), or not for this user */
    return og_fail(error, OG_UNAVAILABLE, errno, "configfs-tsm made no report folder");
}

static og_status get(const request *of, const char *name, uint8_t *bytes, size_t capacity, size_t *written, og_error *error)
{
    char path[path_max + 32];
    snprintf(path, sizeof path, "%s/%s", of->folder, name);
    return og_platform_read(of->platform, path, name, bytes, capacity, written, error);
}

static og_status put(const request *of, const char *name, const void *bytes, size_t size, og_error *error)
{
    char path[path_max + 32];
    snprintf(path, sizeof path, "%s/%s", of->folder, name);
    return og_platform_write(of->platform, path, name, bytes, size, error);
}

bool og_tsm_number(const uint8_t *text, size_t size, uint64_t *value)
{
    if (size > 0 && text[size - 1] == '\n') size--;
    *value = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        if (__builtin_mul_overflow(*value, 10u, value) || __builtin_add_overflow(*value, (uint64_t)(text[i] - '0'), value)) return false;
    }
    return size > 0;
}

static og_status get_number(const request *of, const char *name, uint64_t *value, og_error *error)
{
    uint8_t text[32];
    size_t size;
    og_status status = get(of, name, text, sizeof text, &size, error);
    if (status != OG_OK) return status;
    return og_tsm_number(text, size, value) ? OG_OK : og_fail(error, OG_SYSTEM, 0, "%s is not a number", name);
}

static og_status check_provider(const request *of, const char *provider, og_error *error)
{
    uint8_t text[64];
    size_t size;
    og_status status = get(of, "provider", text, sizeof text, &size, error);
    if (status != OG_OK) return status;
    if (size > 0 && text[size - 1] == '\n') size--;
    if (size == strlen(provider) && memcmp(text, provider, size) == 0) return OG_OK;
    return og_fail(error, OG_UNAVAILABLE, 0, "configfs-tsm's provider is not %s", provider);
}

/* Under a service module the guest's own level is above 0, and the kernel refuses the default. Counts its write. */
static og_status choose_level(const request *of, uint64_t *writes, og_error *error)
{
    og_error failed = {0, ""};
    uint64_t floor;
    og_status status = get_number(of, "privlevel_floor", &floor, &failed);
    if (status == OG_SYSTEM && failed.os_error == ENOENT) return OG_OK; /* TDX has no levels */
    if (status != OG_OK && error != NULL) *error = failed;
    if (status != OG_OK || floor == 0) return status;
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRIu64, floor);
    ++*writes;
    return put(of, "privlevel", text, (size_t)length, error);
}

/* The kernel counts writes. Another count than ours means that outblob may answer somebody else's inblob. */
static og_status check_generation(const request *of, uint64_t writes, bool *again, og_error *error)
{
    uint64_t generation;
    og_status status = get_number(of, "generation", &generation, error);
    if (status != OG_OK || generation == writes) return status;
    *again = true;
    return og_fail(error, OG_SYSTEM, 0, "generation is %" PRIu64 " after %" PRIu64 " writes: another process wrote into this report's folder",
                   generation, writes);
}

/* What the host added: nobody needs it, so its absence is no failure. */
static void get_aux(const request *of, uint8_t *aux, size_t *written)
{
    if (aux != NULL && get(of, "auxblob", aux, OG_TSM_BLOB_MAX, written, NULL) != OG_OK) *written = 0;
}

static og_status ask(const request *of, const char *provider, const uint8_t data[64], uint8_t *blob, size_t *written, uint8_t *aux, size_t *aux_written,
                     bool *again, og_error *error)
{
    uint64_t writes = 0;
    og_status status = check_provider(of, provider, error);
    if (status == OG_OK) status = choose_level(of, &writes, error);
    if (status != OG_OK) return status;

    og_error failed = {0, ""};
    writes++;
    status = put(of, "inblob", data, data_size, &failed);
    if (status == OG_OK) status = check_generation(of, writes, again, &failed);
    if (status == OG_OK) status = get(of, "outblob", blob, OG_TSM_BLOB_MAX, written, &failed);
    if (status == OG_OK) get_aux(of, aux, aux_written);
    if (status == OG_OK) status = check_generation(of, writes, again, &failed);
    if (status == OG_OK && *written == 0) status = og_fail(&failed, OG_SYSTEM, 0, "outblob is empty");
    if (failed.os_error == EBUSY || failed.os_error == EAGAIN) *again = true;
    if (status != OG_OK && error != NULL) *error = failed;
    return status;
}

og_status og_tsm_report(const og_platform *platform, const char *provider, const uint8_t data[64], uint8_t *blob, size_t *written, uint8_t *aux,
                        size_t *aux_written, og_error *error)
{
    for (unsigned attempt = 0;; attempt++) {
        request of;
        bool again = false;
        og_status status = make(&of, platform, error);
        if (status != OG_OK) return status;
        status = ask(&of, provider, data, blob, written, aux, aux_written, &again, error);
        platform->remove_folder(of.folder);
        if (status == OG_OK || !again || attempt + 1 == attempts) return status;
        platform->wait(first_wait << attempt);
    }
}

const char *og_tsm_missing(const og_platform *platform, const char *provider)
{
    request of;
    og_error error = {0, ""};
    if (make(&of, platform, &error) != OG_OK) {
        if (error.os_error == EACCES || error.os_error == EPERM || error.os_error == EROFS) return "configfs-tsm is not accessible to this user";
        return error.os_error == ENXIO ? "configfs-tsm has no provider" : "configfs-tsm is absent";
    }
    og_status status = check_provider(&of, provider, &error);
    platform->remove_folder(of.folder);
    return status == OG_OK ? NULL : "configfs-tsm belongs to another provider";
}
