/*
 * AMD SEV-SNP: the secure processor signs report data with the guest's measurement. The document is the attestation
 * report, 1184 bytes, and behind it the host's certificate table where the host has one and evidence has room for it.
 * Nothing of the table is trusted: certificates are the verifier's to judge.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "attesters.h"
#include "error.h"
#include "sev_guest.h"
#include "tsm.h"

#define DEVICE "/dev/sev-guest"
#define PROVIDER "sev_guest"

_Static_assert((int)OG_SNP_TABLE_MAX == (int)OG_TSM_BLOB_MAX, "one buffer takes a table from either way");

enum { attempts = 5, first_wait = 50 /* milliseconds; the firmware asks guests to wait their turn */ };

size_t og_snp_table_size(const uint8_t *table, size_t capacity)
{
    enum { entry_size = 24, entries_max = 16 };
    static const uint8_t zero[entry_size];
    size_t end = 0;
    for (size_t at = 0; at <= (size_t)entries_max * entry_size && capacity - at >= entry_size; at += entry_size) {
        if (memcmp(table + at, zero, entry_size) == 0) return at == 0 ? 0 : end > at + entry_size ? end : at + entry_size;
        uint32_t offset, length;
        memcpy(&offset, table + at + 16, sizeof offset);
        memcpy(&length, table + at + 20, sizeof length);
        if (offset > capacity || length > capacity - offset) return 0;
        if (offset + (size_t)length > end) end = offset + (size_t)length;
    }
    return 0;
}

/* 0, or errno. A busy processor is asked again. */
static int ask(const og_platform *platform, int file, unsigned long command, og_snp_ioctl *call)
{
    int result = platform->ioctl(file, command, call);
    for (unsigned i = 0; result < 0 && (errno == EAGAIN || errno == EBUSY || errno == EINTR) && i + 1 < attempts; i++) {
        platform->wait(first_wait << i);
        result = platform->ioctl(file, command, call);
    }
    return result < 0 ? errno : 0;
}

/* First with the host's certificates; hosts that have none to give, and older ones, may refuse that, and are asked for the report alone. */
static og_status report_by_ioctl(const og_platform *platform, const uint8_t report_data[64], uint8_t *report, size_t *size, uint8_t *table,
                                 size_t *table_size, og_error *error)
{
    int file = og_platform_device(platform, DEVICE, error);
    if (file < 0) return OG_SYSTEM;
    og_snp_extended_request request = {.report = {.vmpl = 0}, .certs = (uintptr_t)table, .certs_size = OG_SNP_TABLE_MAX};
    og_snp_response response = {.status = 0};
    og_snp_ioctl call = {1, (uintptr_t)&request, (uintptr_t)&response, 0};
    memcpy(request.report.user_data, report_data, sizeof request.report.user_data);
    memset(table, 0, OG_SNP_TABLE_MAX);
    int failed = ask(platform, file, OG_SNP_GET_EXTENDED_REPORT, &call);
    *table_size = failed == 0 && response.status == 0 ? OG_SNP_TABLE_MAX : 0;
    if (failed != 0 || response.status != 0) {
        call = (og_snp_ioctl){1, (uintptr_t)&request.report, (uintptr_t)&response, 0};
        response.status = 0;
        failed = ask(platform, file, OG_SNP_GET_REPORT, &call);
    }
    platform->close(file);

    if (failed != 0) return og_fail(error, OG_SYSTEM, failed, "%s gave no report (firmware and hypervisor error %016" PRIx64 ")", DEVICE, call.error);
    if (response.status != 0) return og_fail(error, OG_SYSTEM, 0, "the secure processor gave no report: status %" PRIu32, response.status);
    if (response.size != OG_SNP_REPORT_SIZE) return og_fail(error, OG_SYSTEM, 0, "%s gave a report of %" PRIu32 " bytes", DEVICE, response.size);
    memcpy(report, response.report, OG_SNP_REPORT_SIZE);
    *size = OG_SNP_REPORT_SIZE;
    return OG_OK;
}

og_status og_sev_snp_document_by(const og_platform *platform, const og_attester_input *input, og_bytes *out, og_error *error)
{
    uint8_t report[OG_TSM_BLOB_MAX], table[OG_TSM_BLOB_MAX] __attribute__((aligned(4096)));
    size_t size = 0, table_size = 0;
    og_status status = og_tsm_report(platform, PROVIDER, input->report_data, report, &size, table, &table_size, error);
    if (status == OG_UNAVAILABLE) status = report_by_ioctl(platform, input->report_data, report, &size, table, &table_size, error);
    if (status != OG_OK) return status;
    if (size != OG_SNP_REPORT_SIZE) return og_fail(error, OG_SYSTEM, 0, "the kernel gave an SEV-SNP report of %zu bytes", size);
    if (memcmp(report + OG_SNP_REPORT_DATA, input->report_data, 64) != 0)
        return og_fail(error, OG_SYSTEM, 0, "the SEV-SNP report carries other report data");
    og_put(out, report, size);
    table_size = og_snp_table_size(table, table_size); /* a host that gives something else gives nothing */
    if (og_bytes_fit(out) && table_size <= out->capacity - out->size) og_put(out, table, table_size);
    return OG_OK;
}

og_status og_sev_snp_document(const og_attester_input *input, og_bytes *out, og_error *error)
{
    return og_sev_snp_document_by(&og_linux, input, out, error);
}

bool og_sev_snp_present(const og_platform *platform, char *reason, size_t capacity)
{
    const char *missing = og_tsm_missing(platform, PROVIDER);
    bool device = missing != NULL && platform->reachable(DEVICE);
    if (missing == NULL) snprintf(reason, capacity, "reports through configfs-tsm");
    else if (device) snprintf(reason, capacity, "reports through %s; %s", DEVICE, missing);
    else snprintf(reason, capacity, "%s is absent or not accessible, and %s", DEVICE, missing);
    return missing == NULL || device;
}
