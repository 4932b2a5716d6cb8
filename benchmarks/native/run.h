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

/* threads share the calls, each over values of its own made and used once before; from the common start to the last end. */
window run_fixed(int threads, int64_t rows, int64_t calls);

/* This thread alone: calls over values that are kept for the next time the same rows are asked for, gap_us of sleep before each. */
window run_loop(int64_t rows, int64_t calls, long gap_us);

#endif
