/* What becomes of secrets besides the epoch's: nonces of signatures, seeds, passwords, secrets in a call that fails. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "epoch.h"
#include "fixture.h"
#include "nonce.h"
#include "scan.h"

#ifndef __SANITIZE_ADDRESS__ /* its shadow memory is too large to read */

/* A random secret in a page of its own, which the scan leaves out. */
static uint8_t *new_secret(void)
{
    og_secrets *page = og_secrets_new(NULL);
    CHECK(page != NULL);
    CHECK_STATUS(OG_OK, og_random(page->signing, OG_SECRET_SIZE, NULL));
    return page->signing;
}

/* Whoever knows the nonce of one signature computes the key from it. */
TEST(after_signing_no_nonce_of_the_signature_is_in_memory)
{
    static const uint8_t digest[32] = {0xd1};
    uint8_t *secret = new_secret(), *nonce = new_secret(), signature[65], mine[65];
    CHECK(og_nonce(nonce, digest, secret, NULL, NULL, 0) == 1);
    og_scrub_stack();
    CHECK(scan_process(nonce) == 0);
    CHECK_STATUS(OG_OK, og_secp256k1_sign(secret, digest, signature));
    CHECK(scan_process(nonce) == 0);
    CHECK(scan_process(secret) == 0);
    /* it was this nonce: r is the x of nonce * G */
    CHECK_STATUS(OG_OK, og_secp256k1_public_key(nonce, mine));
    CHECK_BYTES(mine + 1, signature, 32);
}

TEST(after_signing_by_ed25519_neither_seed_nor_scalar_is_in_memory)
{
    uint8_t *seed = new_secret(), *scalar = new_secret(), public_key[32], signature[64];
    og_secrets *room = og_secrets_new(NULL);
    CHECK(room != NULL && sizeof *room >= 64);
    CHECK(EVP_Digest(seed, 32, (uint8_t *)room, NULL, EVP_sha512(), NULL) == 1);
    memcpy(scalar, room, 32);
    scalar[0] &= 248;
    scalar[31] = (uint8_t)((scalar[31] & 127) | 64);
    og_secrets_free(room);
    og_scrub_stack();
    CHECK_STATUS(OG_OK, og_ed25519_public_key(seed, public_key));
    CHECK_STATUS(OG_OK, og_ed25519_sign(seed, (const uint8_t *)"message", 7, signature));
    CHECK(scan_process(seed) == 0);
    CHECK(scan_process(scalar) == 0);
    CHECK_STATUS(OG_OK, og_ed25519_verify(public_key, (const uint8_t *)"message", 7, signature));
}

TEST(after_scrypt_neither_password_nor_key_is_in_memory)
{
    static const uint8_t salt[] = {1, 2, 3, 4};
    uint8_t *password = new_secret(), *key = new_secret();
    CHECK_STATUS(OG_OK, og_scrypt(password, 32, salt, sizeof salt, 1024, 8, 1, key, 32));
    CHECK(scan_process(password) == 0);
    CHECK(scan_process(key) == 0);
}

/* The name is refused after the key was made and the root's secret taken in. */
TEST(after_an_epoch_that_failed_to_open_no_copy_of_the_root_secret_is_in_memory)
{
    static const og_library nameless[] = {{"", 0, {1}}};
    og_epoch_config config = fixture_config();
    og_epoch *epoch = NULL;
    uint8_t *root = new_secret();
    config.root_secret = root;
    config.libraries = nameless;
    config.library_count = 1;
    CHECK_STATUS(OG_OUT_OF_RANGE, og_epoch_open(&config, &epoch, NULL));
    CHECK(epoch == NULL && scan_process(root) == 0);
}

#endif

/* Eight characters in a row of the secret's hexadecimal, or four of its bytes. */
static int tells(const og_error *error, const uint8_t *secret)
{
    char digits[2 * OG_SECRET_SIZE + 1];
    for (size_t i = 0; i < OG_SECRET_SIZE; i++) snprintf(digits + 2 * i, 3, "%02x", secret[i]);
    for (size_t i = 0; i + 4 <= OG_SECRET_SIZE; i++)
        if (memmem(error, sizeof *error, secret + i, 4) != NULL || memmem(error->text, sizeof error->text, digits + 2 * i, 8) != NULL) return 1;
    return 0;
}

/* A secret that is no key, whose bytes would be recognised: all ones is above the group's order. */
TEST(error_about_a_secret_does_not_tell_it)
{
    og_epoch_config config = fixture_config();
    og_epoch *epoch = NULL;
    og_error error = {0, ""};
    uint8_t secret[OG_SECRET_SIZE];
    memset(secret, 0xff, 16);
    for (uint8_t i = 16; i < OG_SECRET_SIZE; i++) secret[i] = (uint8_t)(0xa0 + i);
    config.root_secret = secret;
    CHECK_STATUS(OG_BAD_KEY, og_epoch_open(&config, &epoch, &error));
    CHECK(error.text[0] != 0 && !tells(&error, secret));
    snprintf(error.text, sizeof error.text, "key %02x%02x%02x%02x", secret[20], secret[21], secret[22], secret[23]);
    CHECK(tells(&error, secret));
}

TEST(error_about_a_secret_file_does_not_tell_its_content_and_the_buffer_is_cleared)
{
    char path[] = "/tmp/og-secret-XXXXXX";
    int file = mkstemp(path);
    uint8_t secret[OG_SECRET_SIZE], bytes[16];
    CHECK_STATUS(OG_OK, og_random(secret, sizeof secret, NULL));
    CHECK(file >= 0 && write(file, secret, sizeof secret) == (ssize_t)sizeof secret && close(file) == 0);
    og_error error = {0, ""};
    static const uint8_t zero[sizeof bytes];
    size_t written = 0;
    memset(bytes, 0x77, sizeof bytes);
    CHECK_STATUS(OG_OUT_OF_RANGE, og_secret_file_read(path, bytes, sizeof bytes, &written, &error));
    CHECK_BYTES(zero, bytes, sizeof bytes);
    CHECK(!tells(&error, secret));
    CHECK(chmod(path, 0640) == 0);
    CHECK_STATUS(OG_REFUSED, og_secret_file_read(path, bytes, sizeof bytes, &written, &error));
    CHECK_STATUS(OG_SYSTEM, og_secret_file_create(path, secret, sizeof secret, &error));
    CHECK(error.os_error == EEXIST && !tells(&error, secret));
    CHECK(unlink(path) == 0);
}

#ifndef __SANITIZE_ADDRESS__ /* which makes mlock do nothing */

/* In a child, because a limit cannot be taken back; without root's right to lock regardless. */
TEST(epoch_whose_key_cannot_be_locked_is_refused)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        og_epoch_config config = fixture_config();
        og_epoch *epoch = NULL;
        og_error error = {0, ""};
        if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)) _exit(2);
        og_status status = og_epoch_open(&config, &epoch, &error);
        _exit(status == OG_SYSTEM && epoch == NULL && strstr(error.text, "RLIMIT_MEMLOCK") != NULL ? 0 : 1);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
