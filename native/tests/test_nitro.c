/* The Nitro attester against a module of canned responses. */
#include <errno.h>
#include <string.h>

#include "attesters.h"
#include "check.h"
#include "epoch.h"
#include "fake_platform.h"
#include "fixture.h"
#include "nsm.h"
#include "sha256.h"

static uint8_t report_data[64], nonce[32], document[4096], response[OG_NSM_RESPONSE_MAX + 64];
static size_t response_size;
static uint8_t seen[OG_NSM_REQUEST_MAX];
static size_t seen_size;
static int interruptions;

static og_attester_input input(void)
{
    memset(report_data, 0x5a, 32);
    memset(nonce, 0xa5, sizeof nonce);
    return (og_attester_input){.report_data = report_data, .nonce = nonce, .nonce_size = sizeof nonce};
}

static int module(unsigned long request, void *argument)
{
    og_nsm_message *message = argument;
    CHECK(request == OG_NSM_IOCTL_RAW && message->response.iov_len == OG_NSM_RESPONSE_MAX);
    if (interruptions > 0) {
        interruptions--;
        errno = EINTR;
        return -1;
    }
    memcpy(seen, message->request.iov_base, seen_size = message->request.iov_len);
    if (response_size <= OG_NSM_RESPONSE_MAX) memcpy(message->response.iov_base, response, response_size);
    message->response.iov_len = response_size;
    return 0;
}

static int broken_module(unsigned long request, void *argument)
{
    CHECK(request == OG_NSM_IOCTL_RAW && argument != NULL);
    errno = EIO;
    return -1;
}

static void put_text(og_bytes *out, const char *text)
{
    og_put_cbor(out, OG_CBOR_TEXT, strlen(text));
    og_put(out, text, strlen(text));
}

/* {"Attestation": {"document": size bytes}}, with the report data inside them. */
static void respond(size_t size)
{
    memset(document, 0x11, sizeof document);
    if (size >= 164) memcpy(document + 100, report_data, 64);
    og_bytes out = {response, sizeof response, 0};
    og_put_cbor(&out, OG_CBOR_MAP, 1);
    put_text(&out, "Attestation");
    og_put_cbor(&out, OG_CBOR_MAP, 1);
    put_text(&out, "document");
    og_put_cbor_bytes(&out, document, size);
    response_size = out.size;
}

static const og_platform *module_platform(void)
{
    const og_platform *platform = fake_platform();
    faked.device = true;
    faked.command = module;
    return platform;
}

static og_status produce(const og_platform *platform, og_bytes *out, og_error *error)
{
    og_attester_input given = input();
    og_status status = og_nitro_document_by(platform, &given, out, error);
    CHECK(faked.opened == faked.closed);
    return status;
}

TEST(nsm_command_and_message_are_the_drivers)
{
    CHECK(OG_NSM_IOCTL_RAW == 0xc0200a00u);
    CHECK(sizeof(og_nsm_message) == 32 && offsetof(og_nsm_message, response) == 16);
}

TEST(nsm_request_is_these_bytes)
{
    static const uint8_t user_data[] = {1, 2, 3}, challenge[] = {9};
    static const char expected[] = "\xa1\x6b" "Attestation" "\xa3\x69" "user_data" "\x43\x01\x02\x03\x65" "nonce" "\x41\x09\x6a" "public_key" "\xf6";
    static const char without[] = "\xa1\x6b" "Attestation" "\xa3\x69" "user_data" "\x43\x01\x02\x03\x65" "nonce" "\xf6\x6a" "public_key" "\xf6";
    uint8_t bytes[128];
    og_bytes out = {bytes, sizeof bytes, 0};
    og_nsm_request(&out, user_data, sizeof user_data, challenge, sizeof challenge);
    CHECK(out.size == sizeof expected - 1);
    CHECK_BYTES(expected, bytes, out.size);
    out.size = 0;
    og_nsm_request(&out, user_data, sizeof user_data, NULL, 0);
    CHECK(out.size == sizeof without - 1);
    CHECK_BYTES(without, bytes, out.size);
}

TEST(nitro_gives_the_modules_document_over_report_data_and_nonce)
{
    const og_platform *platform = module_platform();
    uint8_t bytes[8192];
    og_bytes out = {bytes, sizeof bytes, 0};
    og_error error = {0, ""};
    input();
    respond(3000);
    interruptions = 2;
    CHECK_STATUS(OG_OK, produce(platform, &out, &error));
    CHECK(out.size == 3000 && interruptions == 0);
    CHECK_BYTES(document, bytes, 3000);
    CHECK(memmem(seen, seen_size, report_data, 64) != NULL && memmem(seen, seen_size, nonce, 32) != NULL);
}

static void refused(const og_platform *platform, const char *why)
{
    uint8_t bytes[8192];
    og_bytes out = {bytes, sizeof bytes, 0};
    og_error error = {0, ""};
    CHECK_STATUS(OG_SYSTEM, produce(platform, &out, &error));
    CHECK(out.size == 0);
    if (strstr(error.text, why) == NULL) check_failed(__FILE__, __LINE__, "'%s' does not say '%s'", error.text, why);
}

TEST(nitro_document_without_the_report_data_is_refused)
{
    const og_platform *platform = module_platform();
    respond(120);
    refused(platform, "does not carry");
}

TEST(nitro_error_of_the_module_is_named)
{
    const og_platform *platform = module_platform();
    memcpy(response, "\xa1\x65" "Error\x6f" "InputTooLarge\x01%", response_size = 23);
    refused(platform, "refused: InputTooLarge??");
    memcpy(response, "\xa1\x65" "Error\x6f" "InputToo", response_size = 16);
    refused(platform, "malformed");
}

TEST(nitro_without_a_working_device_says_so)
{
    const og_platform *platform = module_platform();
    faked.command = broken_module;
    refused(platform, "did not answer");
    faked.device = false;
    refused(platform, "/dev/nsm");
    platform = module_platform();
    response_size = OG_NSM_RESPONSE_MAX + 1;
    refused(platform, "more than was asked for");
}

TEST(nsm_response_of_every_other_length_is_refused)
{
    const uint8_t *found;
    size_t size;
    respond(300);
    CHECK_STATUS(OG_OK, og_nsm_response(response, response_size, &found, &size, NULL));
    CHECK(size == 300 && found + 300 == response + response_size);
    for (size_t i = 0; i < response_size; i++) CHECK_STATUS(OG_SYSTEM, og_nsm_response(response, i, &found, &size, NULL));
    CHECK_STATUS(OG_SYSTEM, og_nsm_response(response, response_size + 1, &found, &size, NULL));
    respond(0);
    CHECK_STATUS(OG_SYSTEM, og_nsm_response(response, response_size, &found, &size, NULL));
}

TEST(nsm_response_of_another_shape_is_refused)
{
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        {"\xa2\x6b" "Attestation\xa1\x68" "document\x41\x01", 25},  /* two pairs announced */
        {"\xa1\x6b" "Attestatiox\xa1\x68" "document\x41\x01", 25},  /* another name */
        {"\xa1\x6b" "Attestation\xa1\x68" "documenx\x41\x01", 25},
        {"\xa1\x6b" "Attestation\xa1\x68" "document\x61\x01", 25},  /* text, not bytes */
        {"\xa1\x6b" "Attestation\xa1\x68" "document\x5f\x41\x01\xff", 27}, /* indefinite */
        {"\xa1\x6b" "Attestation\xa1\x68" "document\x5b\xff\xff\xff\xff\xff\xff\xff\xff\x01", 33},
        {"\xbf\x6b" "Attestation\xa1\x68" "document\x41\x01\xff", 26},
        {"\x81\x6b" "Attestation", 13},
    };
    const uint8_t *found;
    size_t size;
    static const char good[] = "\xa1\x6b" "Attestation\xa1\x68" "document\x41\x01";
    CHECK_STATUS(OG_OK, og_nsm_response((const uint8_t *)good, sizeof good - 1, &found, &size, NULL));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_STATUS(OG_SYSTEM, og_nsm_response((const uint8_t *)bad[i].bytes, bad[i].size, &found, &size, NULL));
}

/* Signs whatever it is asked for: the request's own bytes are the document. */
static int echoing_module(unsigned long request, void *argument)
{
    og_nsm_message *message = argument;
    CHECK(request == OG_NSM_IOCTL_RAW);
    memcpy(seen, message->request.iov_base, seen_size = message->request.iov_len);
    og_bytes out = {message->response.iov_base, OG_NSM_RESPONSE_MAX, 0};
    og_put_cbor(&out, OG_CBOR_MAP, 1);
    put_text(&out, "Attestation");
    og_put_cbor(&out, OG_CBOR_MAP, 1);
    put_text(&out, "document");
    og_put_cbor_bytes(&out, seen, seen_size);
    message->response.iov_len = out.size;
    return 0;
}

static og_status faked_document(const og_attester_input *given, og_bytes *out, og_error *error)
{
    const og_platform *platform = fake_platform();
    faked.device = true;
    faked.command = echoing_module;
    return og_nitro_document_by(platform, given, out, error);
}

/* Envelope: tag 16, kind 2, binding's length 4, binding, document's length 4, document. */
TEST(nitro_evidence_of_a_challenge_binds_the_digest_of_the_binding_and_shows_the_nonce)
{
    static const og_attester attester = {OG_ATTESTER_NITRO, "nitro", "", faked_document, NULL, NULL};
    static const uint8_t challenge[] = {0xc0, 0xff, 0xee, 1, 2, 3, 4, 5}, zero[32];
    og_epoch *epoch = fixture_epoch();
    epoch->attester = &attester;
    uint8_t evidence[4096], expected[64] = {0};
    size_t size = 0;
    CHECK_STATUS(OG_OK, og_epoch_challenge(epoch, challenge, sizeof challenge, 1, evidence, sizeof evidence, &size, NULL));
    CHECK(evidence[16] == 0 && evidence[17] == OG_ATTESTER_NITRO);
    uint32_t binding_size, document_size;
    memcpy(&binding_size, evidence + 18, 4);
    binding_size = __builtin_bswap32(binding_size);
    const uint8_t *binding = evidence + 22, *made = binding + binding_size + 4;
    memcpy(&document_size, made - 4, 4);
    CHECK(made + __builtin_bswap32(document_size) == evidence + size);
    CHECK_BYTES(challenge, made - 4 - sizeof challenge, sizeof challenge);

    og_sha256_of(binding, binding_size, expected);
    const uint8_t *user_data = memmem(made, seen_size, expected, 32), *nonce_bytes = memmem(made, seen_size, challenge, sizeof challenge);
    CHECK(user_data != NULL && nonce_bytes > user_data + 64);
    CHECK_BYTES(zero, user_data + 32, 32);
    og_epoch_close(epoch);
}
