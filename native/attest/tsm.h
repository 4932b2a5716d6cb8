/* configfs-tsm: the kernel's one interface to reports of SEV-SNP and TDX guests (Linux 6.7). */
#ifndef OG_ATTEST_TSM_H
#define OG_ATTEST_TSM_H

#include "platform.h"

/* At most that much of outblob is read: an SNP report is 1184 bytes, a TDX quote below 16 KiB. */
enum { OG_TSM_BLOB_MAX = 32768 };

/* Null where this provider's reports can be asked for, otherwise why not: static text. */
const char *og_tsm_missing(const og_platform *platform, const char *provider);

/*
 * Asks for the report over 64 bytes. OG_UNAVAILABLE where configfs-tsm is not here or belongs to another provider:
 * the caller may try something else. blob has OG_TSM_BLOB_MAX bytes; so has aux, for auxblob, which many a kernel has
 * not: its size is 0 then, and where it does not fit. aux may be null, and aux_written with it.
 */
og_status og_tsm_report(const og_platform *platform, const char *provider, const uint8_t data[64], uint8_t *blob, size_t *written, uint8_t *aux,
                        size_t *aux_written, og_error *error);

/* A number attribute: decimal digits, then at most one line feed. */
bool og_tsm_number(const uint8_t *text, size_t size, uint64_t *value);

#endif
