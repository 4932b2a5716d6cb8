/* The library as a host meets it: loaded by path. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "og_attest.h"
#include "sha256.h"

typedef uint32_t version_function(void);
typedef og_status digest_function(uint8_t digest[32], og_error *error);

static void *load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) check_failed(__FILE__, __LINE__, "%s", dlerror());
    return library;
}

static void hash_file(const char *path, uint8_t digest[32])
{
    FILE *file = fopen(path, "re");
    CHECK(file != NULL);
    static uint8_t bytes[8 << 20];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    CHECK(size > 0 && size < sizeof bytes);
    fclose(file);
    og_sha256_of(bytes, size, digest);
}

TEST(build_digest_is_that_of_the_loaded_file)
{
    void *library = load(OG_LIBRARY);
    version_function *version;
    digest_function *digest;
    *(void **)&version = dlsym(library, "og_abi_version");
    *(void **)&digest = dlsym(library, "og_build_digest");
    CHECK(version != NULL && version() == OG_ABI_VERSION);
    uint8_t expected[32], actual[32];
    hash_file(OG_LIBRARY, expected);
    CHECK_STATUS(OG_OK, digest(actual, NULL));
    CHECK_BYTES(expected, actual, 32);
    CHECK_STATUS(OG_NULL_ARGUMENT, digest(NULL, NULL));
    dlclose(library);
}

static void copy_file(const char *from, const char *to)
{
    FILE *source = fopen(from, "re"), *target = fopen(to, "we");
    CHECK(source != NULL && target != NULL);
    char chunk[65536];
    for (size_t size; (size = fread(chunk, 1, sizeof chunk, source)) > 0;) CHECK(fwrite(chunk, 1, size, target) == size);
    fclose(source);
    CHECK(fclose(target) == 0);
}

TEST(build_digest_of_a_replaced_file_is_refused)
{
    char copy[64], other[80];
    snprintf(copy, sizeof copy, "/tmp/og-attest-copy-%d.so", (int)getpid());
    snprintf(other, sizeof other, "%s.new", copy);
    copy_file(OG_LIBRARY, copy);
    void *library = load(copy);
    digest_function *digest;
    *(void **)&digest = dlsym(library, "og_build_digest");
    copy_file(OG_LIBRARY, other);
    CHECK(rename(other, copy) == 0);
    uint8_t actual[32];
    og_error error = {0, ""};
    CHECK_STATUS(OG_REFUSED, digest(actual, &error));
    CHECK(strstr(error.text, "replaced") != NULL);
    dlclose(library);
    unlink(copy);
}
