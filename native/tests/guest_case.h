/* One document asked of an attester of a guest, and what must hold whatever comes of it. */
#ifndef OG_TESTS_GUEST_CASE_H
#define OG_TESTS_GUEST_CASE_H

#include "attesters.h"
#include "check.h"
#include "fake_platform.h"

typedef og_status guest_produce(const og_platform *platform, const og_attester_input *input, og_bytes *out, og_error *error);

extern const uint8_t guest_report_data[64];

/* The document that was made last. */
extern uint8_t guest_made[OG_EVIDENCE_MAX];

void guest_accepted(guest_produce *by, const og_platform *platform, size_t size);

/* Twice, the second time without a place for the error; the error's text has the words. */
void guest_refused(guest_produce *by, const og_platform *platform, const char *why);

#endif
