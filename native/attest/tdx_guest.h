/* /dev/tdx_guest, as linux/tdx-guest.h has it, and where report data is in what TDX makes. */
#ifndef OG_ATTEST_TDX_GUEST_H
#define OG_ATTEST_TDX_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

typedef struct og_tdx_ioctl {
    uint8_t report_data[64];
    uint8_t tdreport[1024];
} og_tdx_ioctl;

#define OG_TDX_GET_REPORT _IOWR('T', 0x1, og_tdx_ioctl)

enum { OG_TDREPORT_DATA = 128 };

/* True for a TDX quote of version 4 or 5 whose body carries the report data. Nothing else of it is looked at. */
bool og_tdx_quote_carries(const uint8_t *quote, size_t size, const uint8_t report_data[64]);

#endif
