/*
 * AMD SEV-SNP: the secure processor signs report data with the guest's measurement. The document is the attestation
 * report alone, 1184 bytes; certificates are the verifier's collateral.
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

enum { attempts = 5, first_wait = 50 /* milliseconds; the firmware asks guests to wait their turn */ };

static og_status report_by_ioctl(const og_platform *platform, const uint8_t report_data[64], uint8_t *report, size_t *size, og_error *error)
{
    int file = og_platform_device(platform, DEVICE, error);
    if (file < 0) return OG_SYSTEM;
    og_snp_request request = {.vmpl = 0};
    og_snp_response response = {.status = 0};
    og_snp_ioctl call = {1, (uintptr_t)&request, (uintptr_t)&response, 0};
    memcpy(request.user_data, report_data, sizeof request.user_data);
    int result = platform->ioctl(file, OG_SNP_GET_REPORT, &call);
    for (unsigned i = 0; result < 0 && (errno == EAGAIN || errno == EBUSY || errno == EINTR) && i + 1 < attempts; i++) {
        platform->wait(first_wait << i);
        result = platform->ioctl(file, OG_SNP_GET_REPORT, &call);
    }
    int failed = result < 0 ? errno : 0;
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
    uint8_t report[OG_TSM_BLOB_MAX];
    size_t size = 0;
    og_status status = og_tsm_report(platform, PROVIDER, input->report_data, report, &size, error);
    if (status == OG_UNAVAILABLE) status = report_by_ioctl(platform, input->report_data, report, &size, error);
    if (status != OG_OK) return status;
    if (size != OG_SNP_REPORT_SIZE) return og_fail(error, OG_SYSTEM, 0, "the kernel gave an SEV-SNP report of %zu bytes", size);
    if (memcmp(report + OG_SNP_REPORT_DATA, input->report_data, 64) != 0)
        return og_fail(error, OG_SYSTEM, 0, "the SEV-SNP report carries other report data");
    og_put(out, report, size);
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
