/* One measured window of a closed loop over several threads. */
#ifndef OG_RUN_H
#define OG_RUN_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  uint64_t requests, calls;
  double seconds, cpu_seconds, p50_us, p99_us; /* latency of one call */
} window;

/* threads: closed loops; rows: per call; fresh: values made per call (rows is then 1) instead of prebuilt ones. */
window run_window(int threads, int64_t rows, bool fresh, double seconds);

#endif
