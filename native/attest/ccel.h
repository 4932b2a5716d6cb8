/* The event log of a confidential guest's firmware (UEFI 38.4.1), in the area that the ACPI table CCEL names (ACPI 5.2.34). */
#ifndef OG_ATTEST_CCEL_H
#define OG_ATTEST_CCEL_H

#include "bytes.h"
#include "platform.h"

/* Areas of real guests have 64 KiB to 1 MiB, most of it filling. */
enum { OG_CCEL_AREA_MAX = 2 * 1024 * 1024 };

/* How large the area is that a table names; 0: it is no such table, another platform's than TDX, or names more than is read. */
size_t og_ccel_area_size(const uint8_t *table, size_t size);

/*
 * Appends the log as docs/attestation/tdx.md, "Evidence", has it: without the filling behind it. Nothing where the
 * firmware keeps none, it cannot be read, or out has no room for it: nobody needs it, so its absence is no failure.
 */
void og_ccel_put(og_bytes *out, const og_platform *platform);

#endif
