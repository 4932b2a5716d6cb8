#include "guest_case.h"

#include <string.h>

const uint8_t guest_report_data[64] = {0xab, 0xcd, [31] = 0xef};

/* Every folder is removed and every file closed, whatever the outcome. */
static og_status run(guest_produce *by, const og_platform *platform, og_bytes *out, og_error *error)
{
    og_attester_input input = {.report_data = guest_report_data};
    out->size = 0;
    og_status status = by(platform, &input, out, error);
    CHECK(faked.folders == faked.removed && faked.opened == faked.closed);
    CHECK(status == OG_OK || out->size == 0);
    return status;
}

uint8_t guest_made[OG_EVIDENCE_MAX];

void guest_accepted(guest_produce *by, const og_platform *platform, size_t size)
{
    og_bytes out = {guest_made, sizeof guest_made, 0};
    og_error error = {0, ""};
    og_status status = run(by, platform, &out, &error);
    if (status != OG_OK) check_failed(__FILE__, __LINE__, "%d: %s", status, error.text);
    CHECK(out.size == size);
}

void guest_refused(guest_produce *by, const og_platform *platform, const char *why)
{
    og_bytes out = {guest_made, sizeof guest_made, 0};
    og_error error = {0, ""};
    CHECK(run(by, platform, &out, &error) != OG_OK);
    if (strstr(error.text, why) == NULL) check_failed(__FILE__, __LINE__, "'%s' does not say '%s'", error.text, why);
    CHECK(run(by, platform, &out, NULL) != OG_OK);
}
