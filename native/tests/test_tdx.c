/* The TDX attester: configfs-tsm made of plain files, a device and a quote service of canned answers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ccel.h"
#include "guest_case.h"
#include "qgs.h"
#include "tdx_guest.h"
#include "tsm.h"

static uint16_t quote_version = 4;

static void tdx_quote(const uint8_t data[64], uint8_t *blob, size_t *size)
{
    memset(blob, 0, *size = 5000);
    memcpy(blob, &quote_version, 2);
    blob[2] = 2;
    blob[4] = 0x81;
    memcpy(blob + (quote_version == 5 ? 574 : 568), data, 64);
}

static void foreign_quote(const uint8_t data[64], uint8_t *blob, size_t *size)
{
    tdx_quote(data, blob, size);
    blob[568] ^= 1;
}

static void short_quote(const uint8_t data[64], uint8_t *blob, size_t *size)
{
    tdx_quote(data, blob, size);
    *size = 568 + 63;
}

static void sgx_quote(const uint8_t data[64], uint8_t *blob, size_t *size)
{
    tdx_quote(data, blob, size);
    blob[4] = 0;
}

static const og_platform *tdx_platform(void)
{
    const og_platform *platform = fake_platform();
    faked.provider = "tdx_guest";
    faked.report = tdx_quote;
    quote_version = 4;
    return platform;
}

TEST(tdx_command_and_messages_are_the_kernels)
{
    CHECK(OG_TDX_GET_REPORT == 0xc4405401u);
    CHECK(sizeof(og_tdx_ioctl) == 1088 && offsetof(og_tdx_ioctl, tdreport) == 64);
}

TEST(tdx_quotes_of_both_versions_come_through_configfs)
{
    const og_platform *platform = tdx_platform();
    guest_accepted(og_tdx_document_by, platform, 5000);
    quote_version = 5;
    guest_accepted(og_tdx_document_by, platform, 5000);
    CHECK(faked.folders == 2 && faked.levels == 0);
}

TEST(tdx_quote_that_is_not_ours_is_refused)
{
    const og_platform *platform = tdx_platform();
    faked.report = foreign_quote;
    guest_refused(og_tdx_document_by, platform, "no TDX quote over this");
    faked.report = short_quote;
    guest_refused(og_tdx_document_by, platform, "no TDX quote over this");
    faked.report = sgx_quote;
    guest_refused(og_tdx_document_by, platform, "no TDX quote over this");
    faked.report = tdx_quote;
    quote_version = 3;
    guest_refused(og_tdx_document_by, platform, "no TDX quote over this");
}

static bool foreign_tdreport;

static int tdx_module(unsigned long request, void *argument)
{
    og_tdx_ioctl *call = argument;
    CHECK(request == OG_TDX_GET_REPORT);
    memset(call->tdreport, 0x77, sizeof call->tdreport);
    memcpy(call->tdreport + OG_TDREPORT_DATA, call->report_data, 64);
    if (foreign_tdreport) call->tdreport[OG_TDREPORT_DATA] ^= 1;
    return 0;
}

static int absent_tdx_module(unsigned long request, void *argument)
{
    CHECK(request == OG_TDX_GET_REPORT && argument != NULL);
    errno = EIO;
    return -1;
}

static uint32_t answer_error, answer_excess, answer_announced, answer_type;

/* A frame of the quote service: length, header, lengths, quote. */
static void quote_service(const uint8_t *request, uint8_t *to, size_t *size)
{
    uint32_t length;
    memcpy(&length, request, 4);
    CHECK(__builtin_bswap32(length) == 16 + 8 + 1024 && request[4] == 1 && request[8] == 0 && request[24] == 0);
    size_t quote_size = 0;
    tdx_quote(request + 28 + OG_TDREPORT_DATA, to + 28, &quote_size);
    uint32_t total = (uint32_t)(24 + quote_size), words[] = {1, answer_type, total, answer_error, 0, (uint32_t)quote_size + answer_excess};
    uint32_t frame = __builtin_bswap32(answer_announced != 0 ? answer_announced : total);
    memcpy(to, &frame, 4);
    memcpy(to + 4, words, sizeof words);
    *size = 4 + total;
}

static const og_platform *tdx_device(void)
{
    const og_platform *platform = fake_platform();
    faked.device = true;
    faked.command = tdx_module;
    faked.answer = quote_service;
    quote_version = 4;
    answer_error = answer_excess = answer_announced = 0;
    answer_type = 1;
    foreign_tdreport = false;
    return platform;
}

TEST(tdx_quote_comes_from_the_hosts_service_where_configfs_is_absent)
{
    const og_platform *platform = tdx_device();
    guest_accepted(og_tdx_document_by, platform, 5000);
    CHECK_BYTES(guest_report_data, guest_made + 568, 64);
    CHECK(faked.folders == 0);
}

TEST(tdx_device_or_service_that_fails_is_refused)
{
    const og_platform *platform = tdx_device();
    foreign_tdreport = true;
    guest_refused(og_tdx_document_by, platform, "other report data");
    faked.command = absent_tdx_module;
    guest_refused(og_tdx_document_by, platform, "gave no report");
    faked.device = false;
    guest_refused(og_tdx_document_by, platform, "/dev/tdx_guest");
    platform = tdx_device();
    faked.answer = NULL;
    guest_refused(og_tdx_document_by, platform, "vsock port 4050");
}

TEST(tdx_service_that_answers_something_else_is_refused)
{
    const og_platform *platform = tdx_device();
    answer_error = 0x12001;
    guest_refused(og_tdx_document_by, platform, "error 00012001");
    platform = tdx_device();
    answer_type = 3;
    guest_refused(og_tdx_document_by, platform, "something else");
    platform = tdx_device();
    answer_excess = 1;
    guest_refused(og_tdx_document_by, platform, "lengths");
    answer_excess = (uint32_t)-24;
    guest_refused(og_tdx_document_by, platform, "lengths");
    platform = tdx_device();
    answer_announced = OG_QGS_RESPONSE_MAX + 1;
    guest_refused(og_tdx_document_by, platform, "announced");
    answer_announced = 6000;
    guest_refused(og_tdx_document_by, platform, "broke off");
    answer_announced = 23;
    guest_refused(og_tdx_document_by, platform, "answered 23 bytes");
}

enum { table_size = 56, tail_head = 16 + 4 + 1 + 4 };

/* A table as TDX's firmware makes it, naming an area of this size. */
static void make_table(uint8_t table[table_size], uint64_t area)
{
    memset(table, 0x55, table_size);
    memcpy(table, "CCEL", 4);
    memcpy(table + 4, &(uint32_t){table_size}, 4);
    table[36] = 2;
    memcpy(table + 40, &area, sizeof area);
}

/* A guest whose firmware left this area. */
static const og_platform *logging_platform(const uint8_t *area, size_t size)
{
    const og_platform *platform = tdx_platform();
    uint8_t table[table_size];
    make_table(table, size);
    fake_table("CCEL", table, sizeof table);
    fake_table("data/CCEL", area, size);
    return platform;
}

TEST(tdx_event_log_follows_the_quote_without_its_filling)
{
    /* docs/attestation/tdx.md, "Evidence"; TdxEventLogTests reads the same bytes */
    static const struct {
        uint8_t area[6];
        size_t size, kept;
        uint8_t fill;
    } cases[] = {{{1, 2, 0, 0, 0}, 5, 2, 0}, {{1, 2, 0, 0xff, 0xff, 0xff}, 6, 3, 0xff}, {{1, 2, 3}, 3, 3, 0}, {{0, 0, 1, 0xff, 0}, 5, 4, 0}, {{7}, 1, 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        guest_accepted(og_tdx_document_by, logging_platform(cases[i].area, cases[i].size), 5000 + tail_head + cases[i].kept);
        const uint8_t *tail = guest_made + 5000;
        const uint8_t head[tail_head] = {'O', 'G', 'E', ' ', 'c', 'c', 'e', 'l', ' ', 'v', '1', [19] = (uint8_t)cases[i].size, cases[i].fill, [24] = (uint8_t)cases[i].kept};
        CHECK_BYTES(head, tail, tail_head);
        CHECK_BYTES(cases[i].area, tail + tail_head, cases[i].kept);
    }
}

TEST(tdx_event_log_follows_also_a_quote_of_the_hosts_service)
{
    static const uint8_t area[] = {1, 2, 3};
    uint8_t table[table_size];
    const og_platform *platform = tdx_device();
    make_table(table, sizeof area);
    fake_table("CCEL", table, sizeof table);
    fake_table("data/CCEL", area, sizeof area);
    guest_accepted(og_tdx_document_by, platform, 5000 + tail_head + sizeof area);
}

TEST(tdx_quote_comes_alone_where_there_is_no_event_log)
{
    static const uint8_t area[] = {1, 2, 3}, empty[3], erased[] = {0xff, 0xff};
    const og_platform *platform = logging_platform(area, sizeof area);
    fake_table("CCEL", NULL, 0);
    guest_accepted(og_tdx_document_by, platform, 5000);
    platform = logging_platform(area, sizeof area);
    fake_table("data/CCEL", NULL, 0);
    guest_accepted(og_tdx_document_by, platform, 5000);
    guest_accepted(og_tdx_document_by, logging_platform(empty, sizeof empty), 5000);
    guest_accepted(og_tdx_document_by, logging_platform(erased, sizeof erased), 5000);
    /* an area that is not as long as the table says */
    platform = logging_platform(area, sizeof area);
    fake_table("data/CCEL", area, sizeof area - 1);
    guest_accepted(og_tdx_document_by, platform, 5000);
    platform = logging_platform(area, sizeof area - 1);
    fake_table("data/CCEL", area, sizeof area);
    guest_accepted(og_tdx_document_by, platform, 5000);
}

TEST(tdx_event_log_that_evidence_has_no_room_for_is_left_out)
{
    enum { size = OG_EVIDENCE_MAX - 5000 - tail_head, padded = 1024 * 1024 };
    uint8_t *area = calloc(1, padded);
    CHECK(area != NULL);
    memset(area, 0x1f, size);
    guest_accepted(og_tdx_document_by, logging_platform(area, padded), OG_EVIDENCE_MAX);
    area[size] = 0x1f;
    guest_accepted(og_tdx_document_by, logging_platform(area, padded), 5000);
    free(area);
}

TEST(ccel_table_of_another_form_names_no_area)
{
    uint8_t table[table_size + 4];
    make_table(table, 65536);
    CHECK(og_ccel_area_size(table, table_size) == 65536);
    for (size_t size = 0; size < table_size; size++) CHECK(og_ccel_area_size(table, size) == 0);
    CHECK(og_ccel_area_size(table, table_size + 4) == 0);
    static const size_t places[] = {0, 3, 4, 7, 36};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        make_table(table, 65536);
        table[places[i]] ^= 1;
        CHECK(og_ccel_area_size(table, table_size) == 0);
    }
    make_table(table, OG_CCEL_AREA_MAX);
    CHECK(og_ccel_area_size(table, table_size) == OG_CCEL_AREA_MAX);
    static const uint64_t areas[] = {0, OG_CCEL_AREA_MAX + 1, (uint64_t)1 << 32, UINT64_MAX};
    for (size_t i = 0; i < sizeof areas / sizeof areas[0]; i++) {
        make_table(table, areas[i]);
        CHECK(og_ccel_area_size(table, table_size) == 0);
    }
    /* a later revision may be longer, and says so */
    make_table(table, 65536);
    table[4] = table_size + 4;
    CHECK(og_ccel_area_size(table, table_size + 4) == 65536);
}

TEST(tdx_service_that_hangs_up_is_an_error_and_no_signal)
{
    const og_platform *platform = tdx_device();
    faked.host_is_gone = true;
    guest_refused(og_tdx_document_by, platform, "did not answer");
}

static void judged(bool (*present)(const og_platform *, char *, size_t), const og_platform *platform, bool expected, const char *reason)
{
    char text[200] = "";
    CHECK(present(platform, text, sizeof text) == expected);
    CHECK(faked.folders == faked.removed && faked.opened == faked.closed);
    if (strcmp(text, reason) != 0) check_failed(__FILE__, __LINE__, "'%s' is not '%s'", text, reason);
}

TEST(doctor_says_which_way_reports_come_or_why_not)
{
    const og_platform *platform = fake_platform();
    judged(og_sev_snp_present, platform, false, "/dev/sev-guest is absent or not accessible, and configfs-tsm is absent");
    judged(og_tdx_present, platform, false, "/dev/tdx_guest is absent or not accessible, and configfs-tsm is absent");
    faked.make_errno = EACCES;
    judged(og_sev_snp_present, platform, false, "/dev/sev-guest is absent or not accessible, and configfs-tsm is not accessible to this user");
    faked.make_errno = ENXIO;
    judged(og_tdx_present, platform, false, "/dev/tdx_guest is absent or not accessible, and configfs-tsm has no provider");
    faked.device = true;
    judged(og_sev_snp_present, platform, true, "reports through /dev/sev-guest; configfs-tsm has no provider");
    judged(og_tdx_present, platform, true, "reports through /dev/tdx_guest, quotes by the host's service over vsock; configfs-tsm has no provider");
    faked.device = false;
    faked.provider = "sev_guest";
    judged(og_sev_snp_present, platform, true, "reports through configfs-tsm");
    judged(og_tdx_present, platform, false, "/dev/tdx_guest is absent or not accessible, and configfs-tsm belongs to another provider");
    faked.provider = "tdx_guest";
    judged(og_tdx_present, platform, true, "quotes through configfs-tsm");
}

TEST(tsm_numbers_are_decimal_and_nothing_else)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } cases[] = {{"0", true, 0},   {"7\n", true, 7}, {"18446744073709551615", true, UINT64_MAX}, {"18446744073709551616", false, 0},
                 {"", false, 0},   {"\n", false, 0}, {"1\n\n", false, 0}, {" 1", false, 0}, {"-1", false, 0}, {"0x1", false, 0}, {"1a", false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value;
        CHECK(og_tsm_number((const uint8_t *)cases[i].text, strlen(cases[i].text), &value) == cases[i].good);
        CHECK(!cases[i].good || value == cases[i].value);
    }
}
