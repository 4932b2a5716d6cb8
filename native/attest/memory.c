#include "memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "error.h"

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

og_secrets *og_secrets_new(og_error *error)
{
    size_t page = page_size();
    uint8_t *all = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) {
        og_fail(error, OG_SYSTEM, errno, "the key page could not be mapped");
        return NULL;
    }

    uint8_t *middle = all + page;
    const char *step = NULL;
    if (mprotect(middle, page, PROT_READ | PROT_WRITE) != 0) step = "made writable";
    else if (mlock(middle, page) != 0) step = "locked (RLIMIT_MEMLOCK)";
    else if (madvise(middle, page, MADV_DONTDUMP) != 0) step = "kept out of core dumps";
    else if (madvise(middle, page, MADV_WIPEONFORK) != 0) step = "kept from child processes";
    if (step == NULL) return (og_secrets *)middle;

    og_fail(error, OG_SYSTEM, errno, "the key page could not be %s", step);
    munmap(all, 3 * page);
    return NULL;
}

void og_secrets_wipe(og_secrets *secrets)
{
    explicit_bzero(secrets, sizeof *secrets);
}

void og_secrets_free(og_secrets *secrets)
{
    if (secrets == NULL) return;
    size_t page = page_size();
    og_secrets_wipe(secrets);
    munlock(secrets, page);
    munmap((uint8_t *)secrets - page, 3 * page);
}

__attribute__((noinline)) void og_scrub_stack(void)
{
    uint8_t below[8192];
    explicit_bzero(below, sizeof below);
}

og_status og_random(uint8_t *bytes, size_t size, og_error *error)
{
    OG_REQUIRE(bytes);
    while (size > 0) {
        ssize_t got = getrandom(bytes, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return og_fail(error, OG_SYSTEM, errno, "getrandom failed");
        bytes += got;
        size -= (size_t)got;
    }
    return OG_OK;
}
