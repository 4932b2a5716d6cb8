/* Secret files: who may read them, and that they appear whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "og_attest.h"

static char folder[64], path[96];

static void begin(void)
{
    strcpy(folder, "/tmp/og-attest-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/key", folder);
}

static void end(void)
{
    unlink(path);
    CHECK(rmdir(folder) == 0); /* fails if a temporary file was left */
}

static og_status read_back(uint8_t *bytes, size_t capacity, size_t *size, og_error *error)
{
    return og_secret_file_read(path, bytes, capacity, size, error);
}

TEST(created_file_is_private_and_reads_back)
{
    begin();
    uint8_t bytes[16];
    size_t size = 0;
    og_error error = {0, ""};
    CHECK_STATUS(OG_OK, og_secret_file_create(path, (const uint8_t *)"secret", 6, &error));
    struct stat info;
    CHECK(stat(path, &info) == 0 && (info.st_mode & 07777) == 0600);
    CHECK_STATUS(OG_OK, read_back(bytes, sizeof bytes, &size, &error));
    CHECK(size == 6);
    CHECK_BYTES("secret", bytes, 6);
    CHECK_STATUS(OG_OK, read_back(bytes, 6, &size, &error));
    CHECK_STATUS(OG_OUT_OF_RANGE, read_back(bytes, 5, &size, &error));
    end();
}

TEST(existing_file_is_not_replaced)
{
    begin();
    og_error error = {0, ""};
    uint8_t bytes[16];
    size_t size = 0;
    CHECK_STATUS(OG_OK, og_secret_file_create(path, (const uint8_t *)"first", 5, &error));
    CHECK_STATUS(OG_SYSTEM, og_secret_file_create(path, (const uint8_t *)"other", 5, &error));
    CHECK(error.os_error == EEXIST);
    CHECK_STATUS(OG_OK, read_back(bytes, sizeof bytes, &size, &error));
    CHECK_BYTES("first", bytes, 5);
    end();
}

TEST(file_that_others_can_touch_is_refused)
{
    begin();
    uint8_t bytes[16];
    size_t size = 0;
    og_error error = {0, ""};
    CHECK_STATUS(OG_OK, og_secret_file_create(path, (const uint8_t *)"secret", 6, &error));
    static const mode_t loose[] = {0640, 0604, 0620, 0602, 0610, 0601, 0666};
    for (size_t i = 0; i < sizeof loose / sizeof loose[0]; i++) {
        CHECK(chmod(path, loose[i]) == 0);
        CHECK_STATUS(OG_REFUSED, read_back(bytes, sizeof bytes, &size, &error));
        CHECK(strstr(error.text, "secret") == NULL && strstr(error.text, path) != NULL);
    }
    CHECK(chmod(path, 0400) == 0);
    CHECK_STATUS(OG_OK, read_back(bytes, sizeof bytes, &size, &error));
    end();
}

TEST(what_is_not_a_regular_file_is_refused)
{
    begin();
    uint8_t bytes[16];
    size_t size = 0;
    og_error error = {0, ""};
    CHECK_STATUS(OG_SYSTEM, read_back(bytes, sizeof bytes, &size, &error));
    CHECK(error.os_error == ENOENT);
    CHECK(mkfifo(path, 0600) == 0);
    CHECK_STATUS(OG_REFUSED, read_back(bytes, sizeof bytes, &size, &error));
    CHECK_STATUS(OG_REFUSED, og_secret_file_read(folder, bytes, sizeof bytes, &size, &error));
    end();
    CHECK_STATUS(OG_SYSTEM, og_secret_file_create(path, (const uint8_t *)"x", 1, &error)); /* the folder is gone */
    CHECK(error.os_error == ENOENT);
}

TEST(nulls_are_statuses)
{
    uint8_t bytes[4];
    size_t size;
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secret_file_read(NULL, bytes, 4, &size, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secret_file_read("x", NULL, 4, &size, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secret_file_read("x", bytes, 4, NULL, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secret_file_create(NULL, bytes, 4, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_secret_file_create("x", NULL, 4, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_random(NULL, 4, NULL));
}
