/* Writes a TPM document to stdout, for the end-to-end test. Usage: tpm_document TCTI REPORT-DATA-HEX [EVENT-LOG]. Never installed. */
#include <stdio.h>
#include <string.h>

#include "attesters.h"

int main(int count, char **arguments)
{
    uint8_t report_data[64] = {0};
    if ((count != 3 && count != 4) || strlen(arguments[2]) != 2 * sizeof report_data) return 2;
    for (size_t i = 0; i < sizeof report_data; i++) {
        unsigned byte;
        if (sscanf(arguments[2] + 2 * i, "%2x", &byte) != 1) return 2;
        report_data[i] = (uint8_t)byte;
    }
    uint8_t bytes[8192];
    og_bytes out = {bytes, sizeof bytes, 0};
    og_error error = {0};
    og_attester_input input = {.report_data = report_data, .event_log = count == 4 ? arguments[3] : NULL};
    if (og_tpm_document_by(arguments[1], &input, &out, &error) != OG_OK || !og_bytes_fit(&out)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    return fwrite(bytes, 1, out.size, stdout) == out.size ? 0 : 1;
}
