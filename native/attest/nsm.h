/* The Nitro security module's messages (docs: aws-nitro-enclaves-nsm-api, src/api and src/driver). */
#ifndef OG_ATTEST_NSM_H
#define OG_ATTEST_NSM_H

#include <sys/ioctl.h>
#include <sys/uio.h>

#include "bytes.h"
#include "og_attest.h"

enum { OG_NSM_REQUEST_MAX = 0x1000, OG_NSM_RESPONSE_MAX = 0x3000 };

/* The driver's nsm_raw: where the request is, and where the response goes; its length comes back in iov_len. */
typedef struct og_nsm_message {
    struct iovec request;
    struct iovec response;
} og_nsm_message;

#define OG_NSM_IOCTL_RAW _IOWR(0x0a, 0, og_nsm_message)

/* Appends the request for a document that carries user data and, where it is not empty, a nonce. */
void og_nsm_request(og_bytes *out, const uint8_t *user_data, size_t user_data_size, const uint8_t *nonce, size_t nonce_size);

/*
 * The document in a response: {"Attestation": {"document": bytes}}. {"Error": text} becomes OG_SYSTEM with that text.
 * document points into the response.
 */
og_status og_nsm_response(const uint8_t *response, size_t size, const uint8_t **document, size_t *document_size, og_error *error);

#endif
