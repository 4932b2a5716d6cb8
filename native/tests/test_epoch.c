/* Opening, describing, challenging and closing an epoch, and signing checkpoints. */
#include <string.h>

#include "checkpoint.h"
#include "fixture.h"

TEST(struct_sizes_are_answered_for_every_kind_and_no_other)
{
    CHECK(og_abi_version() == OG_ABI_VERSION);
    for (uint32_t kind = 0; kind <= OG_STRUCT_ATTESTER_INFO; kind++) CHECK(og_struct_size(kind) > 0);
    CHECK(og_struct_size(OG_STRUCT_ATTESTER_INFO + 1) == 0);
    CHECK(og_struct_size(OG_STRUCT_ERROR) == sizeof(og_error));
}

TEST(attesters_name_every_kind_once_with_a_reason)
{
    og_attester_info list[8];
    size_t count = 0;
    CHECK_STATUS(OG_BUFFER_TOO_SMALL, og_attesters(list, 1, &count));
    CHECK(count == 5);
    CHECK_STATUS(OG_OK, og_attesters(list, 8, &count));
    for (size_t i = 0; i < count; i++) {
        CHECK(list[i].kind == i + 1);
        CHECK(list[i].name[0] != 0 && list[i].reason[0] != 0);
    }
    CHECK(list[0].available == 1);
    CHECK_STATUS(OG_NULL_ARGUMENT, og_attesters(list, 8, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_attesters(NULL, 8, &count));
}

static void refused(og_status expected, og_epoch_config config)
{
    og_epoch *epoch = (og_epoch *)&config;
    og_error error = {-1, ""};
    CHECK_STATUS(expected, og_epoch_open(&config, &epoch, &error));
    CHECK(epoch == NULL);
    CHECK(error.os_error == 0 && error.text[0] != 0);
    CHECK_STATUS(expected, og_epoch_open(&config, &epoch, NULL));
}

TEST(open_with_bad_arguments_gives_the_status_and_no_epoch)
{
    og_epoch_config good = fixture_config(), bad;
    og_epoch *epoch = NULL;
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_open(NULL, &epoch, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_open(&good, NULL, NULL));
    refused(OG_NULL_ARGUMENT, (bad = good, bad.root_secret = NULL, bad));
    refused(OG_NULL_ARGUMENT, (bad = good, bad.nonce = NULL, bad));
    refused(OG_NULL_ARGUMENT, (bad = good, bad.libraries = NULL, bad));
    refused(OG_OUT_OF_RANGE, (bad = good, bad.nonce_size = OG_NONCE_MAX + 1, bad));
    refused(OG_OUT_OF_RANGE, (bad = good, bad.reserved = 1, bad));
    static const char name[OG_DEVICE_MAX + 1] = "swtpm:path=absent";
    refused(OG_OUT_OF_RANGE, (bad = good, bad.device = name, bad.device_size = 17, bad)); /* software takes none */
    bad = good, bad.attester = OG_ATTESTER_TPM, bad.root_secret = NULL;
    refused(OG_NULL_ARGUMENT, (bad.device_size = 17, bad));
    refused(OG_OUT_OF_RANGE, (bad.device = name, bad.device_size = OG_DEVICE_MAX + 1, bad));
    refused(OG_OUT_OF_RANGE, (bad.device_size = 18, bad)); /* a zero byte in it */
    refused(OG_UNAVAILABLE, (bad = good, bad.attester = OG_ATTESTER_NITRO, bad));
    refused(OG_UNAVAILABLE, (bad = good, bad.attester = 77, bad));
    static const uint8_t zero[32];
    refused(OG_BAD_KEY, (bad = good, bad.root_secret = zero, bad));

    static og_library many[400];
    for (int i = 0; i < 400; i++) many[i] = (og_library){.name = "lib.so", .name_size = 6};
    refused(OG_OUT_OF_RANGE, (bad = good, bad.libraries = many, bad.library_count = 400, bad));
    many[1].name = NULL;
    refused(OG_NULL_ARGUMENT, (bad = good, bad.libraries = many, bad.library_count = 2, bad));
}

TEST(every_epoch_has_its_own_key)
{
    og_epoch *one = fixture_epoch(), *two = fixture_epoch();
    uint8_t id_one[32], id_two[32], key_one[65], key_two[65];
    CHECK_STATUS(OG_OK, og_epoch_describe(one, id_one, key_one));
    CHECK_STATUS(OG_OK, og_epoch_describe(two, id_two, key_two));
    CHECK(memcmp(id_one, id_two, 32) != 0 && memcmp(key_one, key_two, 65) != 0);
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_describe(NULL, id_one, key_one));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_describe(one, NULL, key_one));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_describe(one, id_one, NULL));
    og_epoch_close(one);
    og_epoch_close(two);
    og_epoch_close(NULL);
}

TEST(evidence_in_a_short_buffer_says_how_much_is_needed)
{
    og_epoch *epoch = fixture_epoch();
    uint8_t whole[2048], exact[2048], nonce[OG_NONCE_MAX + 1] = {5};
    size_t needed = 0, written = 0;
    og_error error;
    CHECK_STATUS(OG_BUFFER_TOO_SMALL, og_epoch_evidence(epoch, whole, 10, &needed, &error));
    CHECK(needed > 10 && needed < sizeof whole);
    CHECK_STATUS(OG_OK, og_epoch_evidence(epoch, exact, needed, &written, &error));
    CHECK(written == needed);
    CHECK_STATUS(OG_BUFFER_TOO_SMALL, og_epoch_challenge(epoch, nonce, 32, 1, whole, 10, &needed, &error));
    CHECK_STATUS(OG_OK, og_epoch_challenge(epoch, nonce, 32, 1, whole, needed, &written, &error));
    CHECK_STATUS(OG_OUT_OF_RANGE, og_epoch_challenge(epoch, nonce, 0, 1, whole, sizeof whole, &written, &error));
    CHECK_STATUS(OG_OUT_OF_RANGE, og_epoch_challenge(epoch, nonce, OG_NONCE_MAX + 1, 1, whole, sizeof whole, &written, &error));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_challenge(epoch, NULL, 32, 1, whole, sizeof whole, &written, &error));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_challenge(NULL, nonce, 32, 1, whole, sizeof whole, &written, &error));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_evidence(NULL, whole, sizeof whole, &written, &error));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_evidence(epoch, NULL, 0, &written, &error));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_evidence(epoch, whole, sizeof whole, NULL, &error));
    og_epoch_close(epoch);
}

TEST(checkpoint_is_signed_by_the_epochs_key_for_its_own_log)
{
    og_epoch_config config = fixture_config();
    og_epoch *epoch = fixture_epoch();
    og_checkpoint checkpoint = {10, {1}, {2}};
    uint8_t id[32], key[65], found[65], digest[32], signature[65];
    CHECK_STATUS(OG_OK, og_epoch_describe(epoch, id, key));
    CHECK_STATUS(OG_OK, og_epoch_sign_checkpoint(epoch, &checkpoint, signature, NULL));
    og_checkpoint_digest(config.log_id, config.chain_id, config.contract, &checkpoint, digest);
    CHECK_STATUS(OG_OK, og_secp256k1_recover(digest, signature, found));
    CHECK_BYTES(key, found, 65);
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_sign_checkpoint(NULL, &checkpoint, signature, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_sign_checkpoint(epoch, NULL, signature, NULL));
    CHECK_STATUS(OG_NULL_ARGUMENT, og_epoch_sign_checkpoint(epoch, &checkpoint, NULL, NULL));
    og_epoch_close(epoch);
}

TEST(checkpoint_with_another_root_at_the_same_size_is_refused)
{
    og_epoch *epoch = fixture_epoch();
    og_checkpoint checkpoint = {10, {1}, {2}};
    uint8_t signature[65];
    og_error error = {0, ""};
    CHECK_STATUS(OG_OK, og_epoch_sign_checkpoint(epoch, &checkpoint, signature, &error));
    checkpoint.previous_head[0] = 9; /* the same tree after another head: an anchor that a reorganisation undid */
    CHECK_STATUS(OG_OK, og_epoch_sign_checkpoint(epoch, &checkpoint, signature, &error));
    checkpoint.root[0] = 9;
    CHECK_STATUS(OG_REFUSED, og_epoch_sign_checkpoint(epoch, &checkpoint, signature, &error));
    CHECK(strstr(error.text, "equivocation") != NULL);
    checkpoint.size = 11;
    CHECK_STATUS(OG_OK, og_epoch_sign_checkpoint(epoch, &checkpoint, signature, &error));
    og_epoch_close(epoch);
}
