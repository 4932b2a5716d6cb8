/* Where the secret is, and where it is not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "epoch.h"
#include "fixture.h"
#include "scan.h"

TEST(wipe_leaves_zeros)
{
    static const og_secrets zero;
    og_secrets *secrets = og_secrets_new(NULL);
    CHECK(secrets != NULL);
    memset(secrets, 0xaa, sizeof *secrets);
    og_secrets_wipe(secrets);
    CHECK_BYTES(&zero, secrets, sizeof zero);
    og_secrets_free(secrets);
}

TEST(close_unmaps_the_key_page)
{
    og_epoch *epoch = fixture_epoch();
    void *page = epoch->secrets;
    CHECK(msync(page, 1, MS_ASYNC) == 0);
    og_epoch_close(epoch);
    CHECK(msync(page, 1, MS_ASYNC) == -1 && errno == ENOMEM);
}

/* The VmFlags line of /proc/self/smaps for the mapping at an address. */
static void read_flags(const void *address, char *flags, size_t size)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    CHECK(maps != NULL);
    char line[512], start[32];
    snprintf(start, sizeof start, "%lx-", (unsigned long)address);
    int inside = 0;
    flags[0] = 0;
    while (flags[0] == 0 && fgets(line, sizeof line, maps) != NULL) {
        if (strncmp(line, start, strlen(start)) == 0) inside = 1;
        if (inside && strncmp(line, "VmFlags:", 8) == 0) snprintf(flags, size, "%.250s", line);
    }
    fclose(maps);
}

TEST(key_page_is_locked_out_of_dumps_and_wiped_on_fork)
{
    og_epoch *epoch = fixture_epoch();
    char flags[256];
    read_flags(epoch->secrets, flags, sizeof flags);
    CHECK(strstr(flags, " dd") != NULL && strstr(flags, " wf") != NULL);
#ifndef __SANITIZE_ADDRESS__ /* which makes mlock do nothing */
    CHECK(strstr(flags, " lo") != NULL);
#endif
    og_epoch_close(epoch);
}

TEST(forked_child_cannot_sign)
{
    og_epoch *epoch = fixture_epoch();
    static fixture_sealed sealed;
    pid_t child = fork();
    if (child == 0) {
        og_batch batch = fixture_batch(1);
        og_checkpoint checkpoint = {1, {1}, {1}};
        uint8_t signature[65];
        fixture_buffers(&sealed);
        int refused = og_epoch_seal(epoch, &batch, &sealed.out, NULL) == OG_EPOCH_ENDED &&
                      og_epoch_sign_checkpoint(epoch, &checkpoint, signature, NULL) == OG_EPOCH_ENDED;
        _exit(refused ? 0 : 1);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    og_epoch_close(epoch);
}

#ifndef __SANITIZE_ADDRESS__ /* its shadow memory is too large to read */

TEST(scan_finds_a_copy_where_there_is_one)
{
    og_epoch *epoch = fixture_epoch();
    uint8_t *copy = malloc(32);
    memcpy(copy, epoch->secrets->signing, 32);
    CHECK(scan_process(epoch->secrets->signing) >= 1);
    explicit_bzero(copy, 32);
    free(copy);
    og_epoch_close(epoch);
}

TEST(after_sealing_and_signing_no_copy_of_the_secret_is_in_memory)
{
    og_epoch *epoch = fixture_epoch();
    fixture_seal_and_sign(epoch);
    CHECK(scan_process(epoch->secrets->signing) == 0);
    og_epoch_close(epoch);
}

/* A rotation: two epochs side by side, and the first one closed while the second goes on. */
TEST(after_sealing_under_two_epochs_closing_the_first_leaves_no_copy_of_its_key)
{
    og_epoch *old = fixture_epoch(), *next = fixture_epoch();
    static fixture_sealed sealed;
    og_batch batch = fixture_batch(64);
    og_checkpoint checkpoint = {1, {1}, {1}};
    uint8_t signature[65];
    fixture_buffers(&sealed);
    for (int i = 0; i < 20; i++) CHECK_STATUS(OG_OK, og_epoch_seal(i % 2 == 0 ? old : next, &batch, &sealed.out, NULL));
    CHECK_STATUS(OG_OK, og_epoch_sign_checkpoint(old, &checkpoint, signature, NULL));

    og_secrets *kept = og_secrets_new(NULL); /* what to look for; its own page is left out of the count */
    CHECK(kept != NULL);
    memcpy(kept->signing, old->secrets->signing, OG_SECRET_SIZE);
    CHECK(scan_process(kept->signing) == 1); /* the scan sees the page of the key that is still there */
    og_epoch_close(old);
    CHECK(scan_process(kept->signing) == 0);

    og_scrub_stack();
    memcpy(kept->signing, next->secrets->signing, OG_SECRET_SIZE);
    CHECK(scan_process(kept->signing) == 1);
    CHECK_STATUS(OG_OK, og_epoch_seal(next, &batch, &sealed.out, NULL));
    CHECK_STATUS(OG_OK, og_epoch_sign_checkpoint(next, &checkpoint, signature, NULL)); /* the same position under another key */
    og_epoch_close(next);
    CHECK(scan_process(kept->signing) == 0);
    og_secrets_free(kept);
}

#endif
