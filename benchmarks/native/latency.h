/* Latencies in logarithmic buckets, 32 per power of two (3% wide). One writer each; merged after the threads have ended. */
#ifndef OG_LATENCY_H
#define OG_LATENCY_H

#include <stdint.h>

enum { LATENCY_BUCKETS = 64 * 32 };

typedef struct {
  uint64_t count[LATENCY_BUCKETS];
  uint64_t total;
} latency;

void latency_add(latency *l, uint64_t nanoseconds);
void latency_merge(latency *into, const latency *from);

/* The lower bound in microseconds of the bucket that holds the fraction (0..1); 0 when nothing was added. */
double latency_at(const latency *l, double fraction);

#endif
