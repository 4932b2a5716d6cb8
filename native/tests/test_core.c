/* A core image, written by the kernel for a process that seals and then aborts, holds no byte string of its key. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "epoch.h"
#include "fixture.h"
#include "scan.h"

#ifndef __SANITIZE_ADDRESS__ /* its shadow memory is too large to dump */

enum { skipped = 77 };

/* Only a pattern without a folder and without a program leaves the image where the process is. */
static void need_core_images(void)
{
    char pattern[256] = "";
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "re");
    struct rlimit limit;
    if (file != NULL && fgets(pattern, sizeof pattern, file) != NULL && strncmp(pattern, "core", 4) == 0 && strchr(pattern, '/') == NULL &&
        getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == RLIM_INFINITY) {
        fclose(file);
        return;
    }
    if (file != NULL) fclose(file);
    printf("skipped: this system writes no core image into the process's folder (core_pattern '%.40s')\n", pattern);
    exit(skipped);
}

/* Never returns. The secret goes to the parent straight from its page. */
static void seal_and_abort(const char *folder, int to_parent, int with_copy)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    CHECK(chdir(folder) == 0 && setrlimit(RLIMIT_CORE, &limit) == 0);
    og_epoch *epoch = fixture_epoch();
    fixture_seal_and_sign(epoch);
    static volatile uint8_t copy[32]; /* volatile: nobody reads it before the end */
    for (size_t i = 0; with_copy && i < sizeof copy; i++) copy[i] = epoch->secrets->signing[i];
    CHECK(write(to_parent, epoch->secrets->signing, 32) == 32);
    abort();
}

/* Reads the image in the folder, whatever it is called, and removes it. Copies overlap by 32 bytes between chunks. */
static int count_in_image(const char *folder, const uint8_t *secret)
{
    static uint8_t chunk[1 << 20];
    char path[600] = "";
    DIR *list = opendir(folder);
    CHECK(list != NULL);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (strncmp(entry->d_name, "core", 4) == 0) snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    closedir(list);
    CHECK(path[0] != 0);
    FILE *image = fopen(path, "re");
    CHECK(image != NULL);
    int found = 0;
    size_t kept = 0, total = 0;
    for (size_t got; (got = fread(chunk + kept, 1, sizeof chunk - kept, image)) > 0;) {
        found += scan_count(chunk, kept + got, secret);
        total += got;
        size_t size = kept + got;
        kept = size < 31 ? size : 31;
        memmove(chunk, chunk + size - kept, kept);
    }
    fclose(image);
    unlink(path);
    CHECK(total > 100000);
    return found;
}

static int copies_in_a_core_image(int with_copy)
{
    need_core_images();
    char folder[] = "/tmp/og-core-XXXXXX";
    int ends[2], status = 0;
    uint8_t secret[32];
    CHECK(mkdtemp(folder) != NULL && pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) seal_and_abort(folder, ends[1], with_copy);
    close(ends[1]);
    CHECK(read(ends[0], secret, sizeof secret) == 32 && waitpid(child, &status, 0) == child);
    close(ends[0]);
    CHECK(WIFSIGNALED(status) && WCOREDUMP(status));
    int found = count_in_image(folder, secret);
    explicit_bzero(secret, sizeof secret);
    CHECK(rmdir(folder) == 0);
    return found;
}

TEST(scan_finds_a_copy_in_a_core_image_where_there_is_one)
{
    CHECK(copies_in_a_core_image(1) >= 1);
}

TEST(after_sealing_and_signing_no_copy_of_the_secret_is_in_a_core_image)
{
    CHECK(copies_in_a_core_image(0) == 0);
}

#endif
