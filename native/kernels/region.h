/* Memory of a model: zeroed, aligned to 64 bytes, large pieces on huge pages where the system has them. */
#ifndef OGK_REGION_H
#define OGK_REGION_H

#include <stdint.h>

/* Null when out of memory; also for more bytes than the address space. 0 bytes give a piece of 64. */
void *ogk_region_reserve(uint64_t bytes);

/* The same number of bytes as reserved. Null is allowed. */
void ogk_region_release(void *region, uint64_t bytes);

#endif
