#include "qgs.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "error.h"

enum { message_request = 0, message_response = 1, major = 1 };

/* The service's layouts; numbers are little-endian, as this processor's are. */
typedef struct qgs_header {
    uint16_t major;
    uint16_t minor;
    uint32_t type;
    uint32_t size; /* of the message, this header included */
    uint32_t error;
} qgs_header;

typedef struct qgs_request {
    qgs_header header;
    uint32_t report_size;
    uint32_t id_list_size; /* none: the service chooses its key */
    uint8_t report[OG_TDREPORT_SIZE];
} qgs_request;

typedef struct qgs_answer {
    qgs_header header;
    uint32_t id_size;
    uint32_t quote_size;
} qgs_answer;

/* On the stream each message follows its length, four bytes, highest first. */
typedef struct qgs_frame {
    uint32_t size;
    qgs_request request;
} qgs_frame;

_Static_assert(sizeof(qgs_header) == 16 && sizeof(qgs_request) == 16 + 8 + OG_TDREPORT_SIZE, "as qgs_msg_lib lays them out");
_Static_assert(sizeof(qgs_frame) == 4 + sizeof(qgs_request), "no gap after the length");

static bool send_all(const og_platform *platform, int file, const void *bytes, size_t size)
{
    for (const uint8_t *at = bytes; size > 0;) {
        ssize_t put = platform->send(file, at, size);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        at += put;
        size -= (size_t)put;
    }
    return true;
}

static bool receive_all(const og_platform *platform, int file, void *bytes, size_t size)
{
    for (uint8_t *at = bytes; size > 0;) {
        ssize_t got = platform->read(file, at, size);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = ECONNRESET;
        if (got <= 0) return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

og_status og_qgs_response(const uint8_t *response, size_t size, const uint8_t **quote, size_t *quote_size, og_error *error)
{
    qgs_answer answer;
    if (size < sizeof answer) return og_fail(error, OG_SYSTEM, 0, "the host's quote service answered %zu bytes", size);
    memcpy(&answer, response, sizeof answer);
    if (answer.header.major != major || answer.header.type != message_response || answer.header.size != size)
        return og_fail(error, OG_SYSTEM, 0, "the host's quote service answered something else than a quote");
    if (answer.header.error != 0) return og_fail(error, OG_SYSTEM, 0, "the host's quote service refused: error %08" PRIx32, answer.header.error);
    if (answer.quote_size == 0 || (uint64_t)answer.id_size + answer.quote_size != size - sizeof answer)
        return og_fail(error, OG_SYSTEM, 0, "the host's quote service answered a message whose lengths do not agree");
    *quote = response + sizeof answer + answer.id_size;
    *quote_size = answer.quote_size;
    return OG_OK;
}

static og_status converse(const og_platform *platform, int file, const uint8_t *tdreport, uint8_t *response, size_t *size, og_error *error)
{
    qgs_frame frame = {
        .size = __builtin_bswap32(sizeof frame.request),
        .request = {.header = {.major = major, .type = message_request, .size = sizeof frame.request}, .report_size = OG_TDREPORT_SIZE},
    };
    memcpy(frame.request.report, tdreport, OG_TDREPORT_SIZE);
    uint32_t length;
    if (!send_all(platform, file, &frame, sizeof frame) || !receive_all(platform, file, &length, sizeof length))
        return og_fail(error, OG_SYSTEM, errno, "the host's quote service did not answer");
    *size = __builtin_bswap32(length);
    if (*size > OG_QGS_RESPONSE_MAX) return og_fail(error, OG_OUT_OF_RANGE, 0, "the host's quote service announced %zu bytes", *size);
    return receive_all(platform, file, response, *size) ? OG_OK : og_fail(error, OG_SYSTEM, errno, "the host's quote service broke off");
}

og_status og_qgs_quote(const og_platform *platform, const uint8_t tdreport[OG_TDREPORT_SIZE], uint8_t *quote, size_t *written, og_error *error)
{
    int file = platform->connect_host(OG_QGS_PORT);
    if (file < 0) return og_fail(error, OG_UNAVAILABLE, errno, "the host's quote service is not reachable (vsock port %d)", OG_QGS_PORT);
    uint8_t response[OG_QGS_RESPONSE_MAX];
    size_t size = 0;
    og_status status = converse(platform, file, tdreport, response, &size, error);
    platform->close(file);
    const uint8_t *inside = NULL;
    if (status == OG_OK) status = og_qgs_response(response, size, &inside, written, error);
    if (status == OG_OK) memcpy(quote, inside, *written);
    return status;
}
