/*
 * Intel TDX: the host's quoting enclave signs report data with the guest's measurements. The document is the quote,
 * unchanged, and behind it the firmware's event log where there is one and evidence has room for it. Nothing of the log
 * is trusted: the quote's registers judge it.
 */
#include <errno.h>
#include <stdio.h>

#include "attesters.h"
#include "ccel.h"
#include "error.h"
#include "qgs.h"
#include "tdx_guest.h"
#include "tsm.h"

#define DEVICE "/dev/tdx_guest"
#define PROVIDER "tdx_guest"

_Static_assert((int)OG_QGS_RESPONSE_MAX <= (int)OG_TSM_BLOB_MAX, "one buffer takes a quote from either way");

/* Intel's TDX DCAP quote format: header 48; version 5 puts type and size before the body; report data 520 into it. */
enum { header_size = 48, descriptor_size = 6, body_report_data = 520, tee_tdx = 0x81 };

bool og_tdx_quote_carries(const uint8_t *quote, size_t size, const uint8_t report_data[64])
{
    uint16_t version;
    uint32_t tee;
    if (size < header_size) return false;
    memcpy(&version, quote, sizeof version);
    memcpy(&tee, quote + 4, sizeof tee);
    if ((version != 4 && version != 5) || tee != tee_tdx) return false;
    size_t at = header_size + (version == 5 ? descriptor_size : 0) + body_report_data;
    return size >= at + 64 && memcmp(quote + at, report_data, 64) == 0;
}

/* A TDREPORT is no evidence: its MAC is for this processor alone. */
static og_status tdreport_by_ioctl(const og_platform *platform, const uint8_t report_data[64], og_tdx_ioctl *call, og_error *error)
{
    int file = og_platform_device(platform, DEVICE, error);
    if (file < 0) return OG_SYSTEM;
    *call = (og_tdx_ioctl){.tdreport = {0}};
    memcpy(call->report_data, report_data, sizeof call->report_data);
    int result;
    do result = platform->ioctl(file, OG_TDX_GET_REPORT, call);
    while (result < 0 && errno == EINTR);
    int failed = result < 0 ? errno : 0;
    platform->close(file);
    if (failed != 0) return og_fail(error, OG_SYSTEM, failed, "%s gave no report", DEVICE);
    if (memcmp(call->tdreport + OG_TDREPORT_DATA, report_data, 64) != 0)
        return og_fail(error, OG_SYSTEM, 0, "%s gave a report with other report data", DEVICE);
    return OG_OK;
}

static og_status quote_by_ioctl(const og_platform *platform, const uint8_t report_data[64], uint8_t *quote, size_t *size, og_error *error)
{
    og_tdx_ioctl call;
    og_status status = tdreport_by_ioctl(platform, report_data, &call, error);
    return status == OG_OK ? og_qgs_quote(platform, call.tdreport, quote, size, error) : status;
}

og_status og_tdx_document_by(const og_platform *platform, const og_attester_input *input, og_bytes *out, og_error *error)
{
    uint8_t quote[OG_TSM_BLOB_MAX];
    size_t size = 0;
    og_status status = og_tsm_report(platform, PROVIDER, input->report_data, quote, &size, NULL, NULL, error);
    if (status == OG_UNAVAILABLE) status = quote_by_ioctl(platform, input->report_data, quote, &size, error);
    if (status != OG_OK) return status;
    if (!og_tdx_quote_carries(quote, size, input->report_data)) return og_fail(error, OG_SYSTEM, 0, "what the kernel gave is no TDX quote over this report data");
    og_put(out, quote, size);
    og_ccel_put(out, platform);
    return OG_OK;
}

og_status og_tdx_document(const og_attester_input *input, og_bytes *out, og_error *error)
{
    return og_tdx_document_by(&og_linux, input, out, error);
}

bool og_tdx_present(const og_platform *platform, char *reason, size_t capacity)
{
    const char *missing = og_tsm_missing(platform, PROVIDER);
    bool device = missing != NULL && platform->reachable(DEVICE);
    if (missing == NULL) snprintf(reason, capacity, "quotes through configfs-tsm");
    else if (device) snprintf(reason, capacity, "reports through %s, quotes by the host's service over vsock; %s", DEVICE, missing);
    else snprintf(reason, capacity, "%s is absent or not accessible, and %s", DEVICE, missing);
    return missing == NULL || device;
}
