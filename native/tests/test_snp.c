/* The SEV-SNP attester: configfs-tsm made of plain files, and a device of canned answers. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#if __has_include(<linux/sev-guest.h>)
#include <linux/sev-guest.h>
#endif

#include "guest_case.h"
#include "sev_guest.h"
#include "tsm.h"

static void snp_report(const uint8_t data[64], uint8_t *blob, size_t *size)
{
    memset(blob, 0x33, *size = OG_SNP_REPORT_SIZE);
    memcpy(blob + OG_SNP_REPORT_DATA, data, 64);
}

static void foreign_report(const uint8_t data[64], uint8_t *blob, size_t *size)
{
    snp_report(data, blob, size);
    blob[OG_SNP_REPORT_DATA + 63] ^= 1;
}

static void short_report(const uint8_t data[64], uint8_t *blob, size_t *size)
{
    snp_report(data, blob, size);
    --*size;
}

static void huge_report(const uint8_t data[64], uint8_t *blob, size_t *size)
{
    snp_report(data, blob, size);
    *size = OG_TSM_BLOB_MAX + 1;
}

static void no_report(const uint8_t data[64], uint8_t *blob, size_t *size)
{
    (void)data, (void)blob;
    *size = 0;
}

static const og_platform *snp_platform(void)
{
    const og_platform *platform = fake_platform();
    faked.provider = "sev_guest";
    faked.floor = 0;
    faked.report = snp_report;
    return platform;
}

TEST(sev_command_and_messages_are_the_kernels)
{
    CHECK(OG_SNP_GET_REPORT == 0xc0205300u && OG_SNP_GET_EXTENDED_REPORT == 0xc0205302u);
    CHECK(sizeof(og_snp_extended_request) == 112 && offsetof(og_snp_extended_request, certs) == 96 && offsetof(og_snp_extended_request, certs_size) == 104);
    CHECK(sizeof(og_snp_ioctl) == 32 && offsetof(og_snp_ioctl, request) == 8 && offsetof(og_snp_ioctl, response) == 16 && offsetof(og_snp_ioctl, error) == 24);
    CHECK(sizeof(og_snp_request) == 96 && offsetof(og_snp_request, vmpl) == 64);
    CHECK(sizeof(og_snp_response) == 4000 && offsetof(og_snp_response, report) == 32);
#ifdef SNP_GET_REPORT
    CHECK(OG_SNP_GET_REPORT == SNP_GET_REPORT && OG_SNP_GET_EXTENDED_REPORT == SNP_GET_EXT_REPORT);
    CHECK(sizeof(og_snp_extended_request) == sizeof(struct snp_ext_report_req));
    CHECK(offsetof(og_snp_extended_request, certs) == offsetof(struct snp_ext_report_req, certs_address));
    CHECK(offsetof(og_snp_extended_request, certs_size) == offsetof(struct snp_ext_report_req, certs_len));
    CHECK(sizeof(og_snp_ioctl) == sizeof(struct snp_guest_request_ioctl));
    CHECK(offsetof(og_snp_ioctl, request) == offsetof(struct snp_guest_request_ioctl, req_data));
    CHECK(offsetof(og_snp_ioctl, response) == offsetof(struct snp_guest_request_ioctl, resp_data));
    CHECK(sizeof(og_snp_request) == sizeof(struct snp_report_req) && offsetof(og_snp_request, vmpl) == offsetof(struct snp_report_req, vmpl));
    CHECK(sizeof(og_snp_response) == sizeof(struct snp_report_resp));
#endif
}

TEST(snp_report_comes_through_configfs)
{
    const og_platform *platform = snp_platform();
    guest_accepted(og_sev_snp_document_by, platform, OG_SNP_REPORT_SIZE);
    CHECK_BYTES(guest_report_data, guest_made + OG_SNP_REPORT_DATA, 64);
    CHECK(faked.folders == 1 && faked.levels == 0 && faked.waits == 0);
}

TEST(snp_report_under_a_service_module_asks_for_the_lowest_level_allowed)
{
    const og_platform *platform = snp_platform();
    faked.floor = 2;
    guest_accepted(og_sev_snp_document_by, platform, OG_SNP_REPORT_SIZE);
    CHECK(faked.levels == 1);
}

TEST(snp_report_while_another_process_writes_is_asked_for_again)
{
    const og_platform *platform = snp_platform();
    faked.strangers = 4;
    guest_accepted(og_sev_snp_document_by, platform, OG_SNP_REPORT_SIZE);
    CHECK(faked.folders == 5 && faked.waits == 4);
    faked.strangers = 1000;
    guest_refused(og_sev_snp_document_by, platform, "another process");
    CHECK(faked.folders == 15);
}

TEST(snp_report_of_busy_firmware_is_asked_for_again_but_not_for_ever)
{
    const og_platform *platform = snp_platform();
    faked.busy = 3;
    guest_accepted(og_sev_snp_document_by, platform, OG_SNP_REPORT_SIZE);
    CHECK(faked.waits == 3);
    faked.busy = 1000;
    guest_refused(og_sev_snp_document_by, platform, "outblob");
}

TEST(snp_report_that_is_not_ours_is_refused)
{
    const og_platform *platform = snp_platform();
    faked.report = foreign_report;
    guest_refused(og_sev_snp_document_by, platform, "other report data");
    faked.report = short_report;
    guest_refused(og_sev_snp_document_by, platform, "1183 bytes");
    faked.report = huge_report;
    guest_refused(og_sev_snp_document_by, platform, "longer than");
    faked.report = no_report;
    guest_refused(og_sev_snp_document_by, platform, "empty");
}

/* One entry of 100 bytes, then the one of zeros. */
static void host_table(uint8_t *blob, size_t *size)
{
    const uint32_t offset = 48, length = 100;
    memset(blob, 0, 48);
    memset(blob, 0x63, 16);
    memcpy(blob + 16, &offset, 4);
    memcpy(blob + 20, &length, 4);
    memset(blob + 48, 0xce, length);
    *size = 148;
}

static void huge_table(uint8_t *blob, size_t *size)
{
    host_table(blob, size);
    *size = OG_TSM_BLOB_MAX + 1;
}

TEST(snp_certificates_of_the_host_follow_the_report)
{
    const og_platform *platform = snp_platform();
    uint8_t table[200];
    size_t size;
    host_table(table, &size);
    faked.aux = host_table;
    guest_accepted(og_sev_snp_document_by, platform, OG_SNP_REPORT_SIZE + 148);
    CHECK_BYTES(table, guest_made + OG_SNP_REPORT_SIZE, 148);
    faked.aux = huge_table;
    guest_accepted(og_sev_snp_document_by, platform, OG_SNP_REPORT_SIZE);
    faked.aux = host_table;
    faked.strangers = 2;
    guest_accepted(og_sev_snp_document_by, platform, OG_SNP_REPORT_SIZE + 148);
}

TEST(snp_certificates_that_evidence_has_no_room_for_are_left_out)
{
    const og_platform *platform = snp_platform();
    faked.aux = host_table;
    uint8_t bytes[OG_SNP_REPORT_SIZE + 147];
    og_bytes out = {bytes, sizeof bytes, 0};
    og_attester_input input = {.report_data = guest_report_data};
    CHECK_STATUS(OG_OK, og_sev_snp_document_by(platform, &input, &out, NULL));
    CHECK(out.size == OG_SNP_REPORT_SIZE);
}

TEST(snp_table_ends_where_its_last_certificate_does)
{
    uint8_t table[200] = {0};
    size_t size;
    CHECK(og_snp_table_size(table, sizeof table) == 0);
    host_table(table, &size);
    CHECK(og_snp_table_size(table, sizeof table) == 148);
    CHECK(og_snp_table_size(table, 147) == 0 && og_snp_table_size(table, 148) == 148 && og_snp_table_size(table, 23) == 0);
    table[24] = 1; /* no last entry within what is there */
    CHECK(og_snp_table_size(table, 48) == 0);
    host_table(table, &size);
    memset(table + 16, 0xff, 8);
    CHECK(og_snp_table_size(table, sizeof table) == 0);
}

static uint32_t firmware_status, firmware_size;
static int firmware_busy;
static bool firmware_has_certificates;

static int firmware(unsigned long request, void *argument)
{
    og_snp_ioctl *call = argument;
    CHECK((request == OG_SNP_GET_REPORT || request == OG_SNP_GET_EXTENDED_REPORT) && call->version == 1);
    if (request == OG_SNP_GET_EXTENDED_REPORT && !firmware_has_certificates && firmware_busy == 0) {
        errno = ENOTTY;
        return -1;
    }
    if (firmware_busy > 0) {
        firmware_busy--;
        call->error = 0x200000000u;
        errno = EAGAIN;
        return -1;
    }
    const og_snp_request *asked = (const og_snp_request *)(uintptr_t)call->request;
    static const uint8_t zero[28];
    CHECK(asked->vmpl == 0 && memcmp(asked->reserved, zero, sizeof zero) == 0);
    if (request == OG_SNP_GET_EXTENDED_REPORT) {
        const og_snp_extended_request *extended = (const og_snp_extended_request *)(uintptr_t)call->request;
        size_t written;
        CHECK(extended->certs % 4096 == 0 && extended->certs_size % 4096 == 0 && extended->certs_size > 0);
        host_table((uint8_t *)(uintptr_t)extended->certs, &written);
    }
    og_snp_response *response = (og_snp_response *)(uintptr_t)call->response;
    size_t size;
    response->status = firmware_status;
    response->size = firmware_size;
    snp_report(asked->user_data, response->report, &size);
    return 0;
}

static const og_platform *snp_device(void)
{
    const og_platform *platform = fake_platform();
    faked.device = true;
    faked.command = firmware;
    firmware_status = 0;
    firmware_busy = 0;
    firmware_has_certificates = false;
    firmware_size = OG_SNP_REPORT_SIZE;
    return platform;
}

TEST(snp_report_comes_through_the_device_where_configfs_is_absent)
{
    const og_platform *platform = snp_device();
    guest_accepted(og_sev_snp_document_by, platform, OG_SNP_REPORT_SIZE);
    CHECK(faked.folders == 0);
    faked.provider = "tdx_guest"; /* configfs-tsm of another provider is as good as none */
    guest_accepted(og_sev_snp_document_by, platform, OG_SNP_REPORT_SIZE);
    CHECK_BYTES(guest_report_data, guest_made + OG_SNP_REPORT_DATA, 64);
}

TEST(snp_certificates_come_through_the_device_too)
{
    const og_platform *platform = snp_device();
    firmware_has_certificates = true;
    guest_accepted(og_sev_snp_document_by, platform, OG_SNP_REPORT_SIZE + 148);
    CHECK(guest_made[OG_SNP_REPORT_SIZE] == 0x63 && guest_made[OG_SNP_REPORT_SIZE + 147] == 0xce);
    CHECK_BYTES(guest_report_data, guest_made + OG_SNP_REPORT_DATA, 64);
}

TEST(snp_device_that_is_busy_is_asked_again_but_not_for_ever)
{
    const og_platform *platform = snp_device();
    firmware_busy = 4;
    guest_accepted(og_sev_snp_document_by, platform, OG_SNP_REPORT_SIZE);
    CHECK(faked.waits == 4);
    firmware_busy = 1000;
    guest_refused(og_sev_snp_document_by, platform, "0000000200000000");
}

TEST(snp_device_without_a_report_is_refused)
{
    const og_platform *platform = snp_device();
    firmware_status = 0x16;
    guest_refused(og_sev_snp_document_by, platform, "status 22");
    firmware_status = 0;
    firmware_size = 4000;
    guest_refused(og_sev_snp_document_by, platform, "4000 bytes");
    faked.device = false;
    guest_refused(og_sev_snp_document_by, platform, "/dev/sev-guest");
}

static void *one_of_many(void *platform)
{
    uint8_t data[64], bytes[OG_SNP_REPORT_SIZE];
    for (int i = 0; i < 25; i++) {
        CHECK_STATUS(OG_OK, og_random(data, sizeof data, NULL));
        og_attester_input input = {.report_data = data};
        og_bytes out = {bytes, sizeof bytes, 0};
        CHECK_STATUS(OG_OK, og_sev_snp_document_by(platform, &input, &out, NULL));
        CHECK_BYTES(data, bytes + OG_SNP_REPORT_DATA, 64);
    }
    return NULL;
}

TEST(snp_reports_of_many_threads_at_once_carry_each_its_own_data)
{
    const og_platform *platform = snp_platform();
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], NULL, one_of_many, (void *)(uintptr_t)platform) == 0);
    for (int i = 0; i < 8; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(faked.folders == 200 && faked.removed == 200);
}
