/* AWS Nitro Enclaves: the security module signs user data and nonce with the enclave's measurements. The document is its COSE_Sign1, unchanged. */
#include <errno.h>

#include "attesters.h"
#include "error.h"
#include "nsm.h"

#define DEVICE "/dev/nsm"

static og_status exchange(const og_platform *platform, og_nsm_message *message, og_error *error)
{
    int file = og_platform_device(platform, DEVICE, error);
    if (file < 0) return OG_SYSTEM;
    int result;
    do result = platform->ioctl(file, OG_NSM_IOCTL_RAW, message);
    while (result < 0 && errno == EINTR);
    int failed = result < 0 ? errno : 0;
    platform->close(file);
    if (failed != 0) return og_fail(error, OG_SYSTEM, failed, "%s did not answer", DEVICE);
    return message->response.iov_len <= OG_NSM_RESPONSE_MAX ? OG_OK : og_fail(error, OG_SYSTEM, 0, "%s answered more than was asked for", DEVICE);
}

og_status og_nitro_document_by(const og_platform *platform, const og_attester_input *input, og_bytes *out, og_error *error)
{
    uint8_t request_bytes[OG_NSM_REQUEST_MAX], response[OG_NSM_RESPONSE_MAX] = {0};
    og_bytes request = {request_bytes, sizeof request_bytes, 0};
    og_nsm_request(&request, input->report_data, 64, input->nonce, input->nonce_size);
    if (!og_bytes_fit(&request)) return og_fail(error, OG_OUT_OF_RANGE, 0, "the request to %s is too long", DEVICE);

    og_nsm_message message = {{request_bytes, request.size}, {response, sizeof response}};
    og_status status = exchange(platform, &message, error);
    if (status != OG_OK) return status;
    const uint8_t *document = NULL;
    size_t size = 0;
    status = og_nsm_response(response, message.response.iov_len, &document, &size, error);
    if (status != OG_OK) return status;
    if (memmem(document, size, input->report_data, 64) == NULL) return og_fail(error, OG_SYSTEM, 0, "the document does not carry the user data");
    og_put(out, document, size);
    return OG_OK;
}

og_status og_nitro_document(const og_attester_input *input, og_bytes *out, og_error *error)
{
    return og_nitro_document_by(&og_linux, input, out, error);
}
