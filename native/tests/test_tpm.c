/* What of the TPM attester needs no TPM; the rest is tested beside a swtpm, by tests/Attestation. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attesters.h"
#include "check.h"
#include "tpm_challenge.h"

enum { rsa_seed = 256, curve_seed = 68, head = 16 + 2 + 68 + 2, example_size = head + rsa_seed };

static void example_for(uint8_t *bytes, size_t seed)
{
    memset(bytes, 0x5a, head + seed);
    memcpy(bytes, "OGE tpm cred v1", 16);
    bytes[16] = 0;
    bytes[17] = 68;
    bytes[18 + 68] = (uint8_t)(seed >> 8);
    bytes[19 + 68] = (uint8_t)seed;
}

static void example(uint8_t *bytes)
{
    example_for(bytes, rsa_seed);
}

TEST(tpm_challenge_of_every_other_length_or_form_is_refused)
{
    static const size_t seeds[] = {rsa_seed, curve_seed};
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[example_size + 1];
        og_tpm_challenge read;
        example_for(bytes, seeds[i]);
        size_t whole = head + seeds[i];
        CHECK(og_tpm_challenge_read(bytes, whole, &read));
        CHECK(read.credential == bytes + 18 && read.credential_size == 68 && read.seed == bytes + 88 && read.seed_size == seeds[i]);
        CHECK(read.is_for_curve == (seeds[i] == curve_seed));
        for (size_t size = 0; size <= whole + 1; size++) {
            uint8_t *exact = malloc(size + 1); /* so that the sanitizer sees a byte too many */
            CHECK(exact != NULL);
            memcpy(exact, bytes, size);
            CHECK(og_tpm_challenge_read(exact, size, &read) == (size == whole));
            free(exact);
        }
        static const size_t heads[] = {0, 15, 16, 17, 86, 87};
        for (size_t j = 0; j < sizeof heads / sizeof heads[0]; j++) {
            example_for(bytes, seeds[i]);
            bytes[heads[j]] ^= 0x41;
            CHECK(!og_tpm_challenge_read(bytes, whole, &read));
        }
    }
}

TEST(tpm_challenge_with_a_seed_of_another_size_is_refused)
{
    uint8_t bytes[head + 600];
    og_tpm_challenge read;
    for (size_t seed = 0; seed <= 600; seed++) {
        example_for(bytes, seed);
        CHECK(og_tpm_challenge_read(bytes, head + seed, &read) == (seed == rsa_seed || seed == curve_seed));
    }
}

TEST(tpm_activation_with_bad_arguments_gives_the_status)
{
    uint8_t bytes[example_size], answer[32];
    example(bytes);
    CHECK_STATUS(OG_NULL_ARGUMENT, og_tpm_activate(NULL, 0, NULL, example_size, answer, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_tpm_activate(NULL, 0, bytes, example_size, NULL, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_tpm_activate(NULL, 5, bytes, example_size, answer, NULL));
    CHECK_STATUS(OG_OUT_OF_RANGE, og_tpm_activate("x", OG_DEVICE_MAX + 1, bytes, example_size, answer, NULL));
    CHECK_STATUS(OG_OUT_OF_RANGE, og_tpm_activate(NULL, 0, bytes, example_size - 1, answer, NULL));
    CHECK_STATUS(OG_OUT_OF_RANGE, og_tpm_activate("device:/dev/null\0x", 18, bytes, example_size, answer, NULL));
}

TEST(tpm_event_log_follows_where_there_is_room_and_it_can_be_read)
{
    char path[] = "/tmp/og-log-XXXXXX";
    int file = mkstemp(path);
    uint8_t log[300], made[2000];
    memset(log, 0x1f, sizeof log);
    CHECK(file >= 0 && write(file, log, sizeof log) == (ssize_t)sizeof log && close(file) == 0);
    static const struct {
        size_t before, capacity;
        int carried;
    } cases[] = {{10, 10 + 4 + 300, 1}, {10, 10 + 4 + 299, 0}, {0, sizeof made, 1}, {10, 14, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        og_bytes out = {made, cases[i].capacity, cases[i].before};
        memset(made, 0, sizeof made);
        og_tpm_put_log(&out, path);
        CHECK(og_bytes_fit(&out) && out.size == cases[i].before + 4 + (cases[i].carried ? sizeof log : 0));
        CHECK(made[cases[i].before + 2] == (cases[i].carried ? 1 : 0) && made[cases[i].before + 3] == (cases[i].carried ? 300 - 256 : 0));
        if (cases[i].carried) CHECK_BYTES(log, made + cases[i].before + 4, sizeof log);
    }
    CHECK(unlink(path) == 0);
    const char *without[] = {path, NULL};
    for (size_t i = 0; i < 2; i++) {
        og_bytes out = {made, sizeof made, 0};
        og_tpm_put_log(&out, without[i]);
        CHECK(out.size == 4 && made[0] == 0 && made[3] == 0);
    }
}
