/* /dev/sev-guest, as linux/sev-guest.h has it; stated here so that the library builds without that header. */
#ifndef OG_ATTEST_SEV_GUEST_H
#define OG_ATTEST_SEV_GUEST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

typedef struct og_snp_request {
    uint8_t user_data[64];
    uint32_t vmpl;
    uint8_t reserved[28]; /* 0 */
} og_snp_request;

/* MSG_REPORT_RSP of AMD's SNP firmware ABI, inside the driver's 4000 bytes. */
typedef struct og_snp_response {
    uint32_t status; /* 0: a report follows */
    uint32_t size;
    uint8_t reserved[24];
    uint8_t report[4000 - 32];
} og_snp_response;

typedef struct og_snp_ioctl {
    uint8_t version; /* of the message: 1 */
    uint64_t request;
    uint64_t response;
    uint64_t error; /* low half the firmware's, high half the hypervisor's */
} og_snp_ioctl;

/* The same with room for the host's certificates; certs_size becomes what is needed where it was too little. */
typedef struct og_snp_extended_request {
    og_snp_request report;
    uint64_t certs;      /* address */
    uint32_t certs_size; /* whole pages */
} og_snp_extended_request;

#define OG_SNP_GET_REPORT _IOWR('S', 0x0, og_snp_ioctl)
#define OG_SNP_GET_EXTENDED_REPORT _IOWR('S', 0x2, og_snp_ioctl)

enum { OG_SNP_REPORT_SIZE = 1184, OG_SNP_REPORT_DATA = 0x50, OG_SNP_TABLE_MAX = 32768 };

/* How long the certificate table is that begins a buffer (entries of GUID, offset, length up to one of zeros); 0: none, or it points outside. */
size_t og_snp_table_size(const uint8_t *table, size_t capacity);

#endif
