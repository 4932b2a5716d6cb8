#include "attesters.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

static const og_attester table[] = {
    {OG_ATTESTER_SOFTWARE, "software", "development only: nothing but a key in a file stands behind it", og_software_document, NULL, NULL},
    {OG_ATTESTER_NITRO, "nitro", "documents of the Nitro security module", og_nitro_document, "/dev/nsm", NULL},
    {OG_ATTESTER_SEV_SNP, "sev-snp", NULL, og_sev_snp_document, "/dev/sev-guest", og_sev_snp_present},
    {OG_ATTESTER_TDX, "tdx", NULL, og_tdx_document, "/dev/tdx_guest", og_tdx_present},
    {OG_ATTESTER_TPM, "tpm", NULL, og_tpm_document, "/dev/tpmrm0", og_tpm_present},
};

enum { table_size = sizeof table / sizeof table[0] };

static bool judge(const og_attester *attester, char *reason, size_t capacity)
{
    if (attester->present != NULL) return attester->present(&og_linux, reason, capacity);
    bool device = attester->device == NULL || access(attester->device, R_OK | W_OK) == 0;
    bool available = attester->document != NULL && device;
    if (available)
        snprintf(reason, capacity, "%s", attester->about);
    else if (attester->document == NULL)
        snprintf(reason, capacity, "this build has no attester of this kind; %s is %s", attester->device, device ? "present" : "absent");
    else
        snprintf(reason, capacity, "%s is absent or not accessible", attester->device);
    return available;
}

og_status og_attesters(og_attester_info *list, size_t capacity, size_t *written)
{
    if (written == NULL || (list == NULL && capacity != 0)) return OG_NULL_ARGUMENT;
    *written = table_size;
    if (capacity < table_size) return OG_BUFFER_TOO_SMALL;
    memset(list, 0, sizeof *list * table_size);
    for (size_t i = 0; i < table_size; i++) {
        list[i].kind = table[i].kind;
        snprintf(list[i].name, sizeof list[i].name, "%s", table[i].name);
        list[i].available = judge(&table[i], list[i].reason, sizeof list[i].reason);
    }
    return OG_OK;
}

const og_attester *og_attester_find(uint16_t kind, bool names_device, og_error *error)
{
    for (size_t i = 0; i < table_size; i++) {
        if (table[i].kind != kind) continue;
        char reason[200];
        bool available = names_device && kind == OG_ATTESTER_TPM ? og_tpm_reachable(reason, sizeof reason) : judge(&table[i], reason, sizeof reason);
        if (available) return &table[i];
        og_fail(error, OG_UNAVAILABLE, 0, "attester %s: %s", table[i].name, reason);
        return NULL;
    }
    og_fail(error, OG_UNAVAILABLE, 0, "there is no attester of kind %u", (unsigned)kind);
    return NULL;
}
