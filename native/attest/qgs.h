/*
 * The quote generation service of a TDX host (Intel's qgs_msg_lib, version 1), reached over vsock: turns the TDREPORT that
 * only this host can check into a quote that everybody can.
 */
#ifndef OG_ATTEST_QGS_H
#define OG_ATTEST_QGS_H

#include "platform.h"

enum { OG_QGS_PORT = 4050, OG_TDREPORT_SIZE = 1024, OG_QGS_RESPONSE_MAX = 32768 };

/* quote has OG_QGS_RESPONSE_MAX bytes. */
og_status og_qgs_quote(const og_platform *platform, const uint8_t tdreport[OG_TDREPORT_SIZE], uint8_t *quote, size_t *written, og_error *error);

/* The quote in a response; points into it. */
og_status og_qgs_response(const uint8_t *response, size_t size, const uint8_t **quote, size_t *quote_size, og_error *error);

#endif
