/* A platform made of plain files and canned answers: what the kernel does for the attesters, as its documentation says it. */
#ifndef OG_TESTS_FAKE_PLATFORM_H
#define OG_TESTS_FAKE_PLATFORM_H

#include <stdatomic.h>

#include "platform.h"

/* Set by a test before its calls; zeroed by fake_platform(). */
typedef struct fake {
    const char *provider; /* of configfs-tsm; null: that folder cannot be made */
    int make_errno;       /* of making a folder without provider; 0: ENOENT */
    int floor;            /* privlevel_floor; negative: no such attribute */
    int strangers;        /* so many requests meet another writer */
    int busy;             /* so many reads of outblob fail with EBUSY */
    void (*report)(const uint8_t data[64], uint8_t *blob, size_t *size); /* makes outblob; a blob has fake_blob_max bytes */

    void (*aux)(uint8_t *blob, size_t *size); /* makes auxblob; null: no such attribute */

    bool device;                                                    /* the kind's device can be opened */
    int (*command)(unsigned long request, void *argument);          /* ioctl; -1 with errno */
    void (*answer)(const uint8_t *request, uint8_t *to, size_t *size); /* what the host's service sends, length included; null: unreachable */
    bool host_is_gone;                                              /* it hangs up before it is asked */

    /* Seen, from several threads at once. */
    atomic_int folders, removed, opened, closed, waits, levels;
} fake;

enum { fake_blob_max = 40000 };

extern fake faked;

/* With folders of reports and of ACPI tables of its own below /tmp, without a table; removed when the process ends. */
const og_platform *fake_platform(void);

/* Makes a file in the folder of ACPI tables ("CCEL", "data/CCEL"); of null bytes removes it. */
void fake_table(const char *name, const uint8_t *bytes, size_t size);

#endif
