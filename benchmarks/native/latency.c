#include "latency.h"

enum { SUB_BITS = 5, SUB = 1 << SUB_BITS };

static unsigned bucket_of(uint64_t ns) {
  if (ns < SUB) return (unsigned)ns;
  unsigned shift = (unsigned)(63 - __builtin_clzll(ns)) - SUB_BITS;
  return (shift + 1) * SUB + (unsigned)((ns >> shift) & (SUB - 1));
}

static uint64_t start_of(unsigned bucket) {
  if (bucket < SUB) return bucket;
  unsigned shift = bucket / SUB - 1;
  return (uint64_t)(SUB + bucket % SUB) << shift;
}

void latency_add(latency *l, uint64_t ns) {
  l->count[bucket_of(ns)]++;
  l->total++;
}

void latency_merge(latency *into, const latency *from) {
  for (unsigned i = 0; i < LATENCY_BUCKETS; i++) into->count[i] += from->count[i];
  into->total += from->total;
}

double latency_at(const latency *l, double fraction) {
  uint64_t wanted = (uint64_t)(fraction * (double)l->total), seen = 0;
  for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
    seen += l->count[i];
    if (l->count[i] != 0 && seen > wanted) return (double)start_of(i) / 1000.0;
  }
  return 0;
}
