#include "run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "latency.h"
#include "ort.h"

enum { RAMP_NANOSECONDS = 30000000 }; /* caches and clock are warm before anything is counted */

typedef struct {
  pthread_t thread;
  tensors data;
  latency times;
  uint64_t calls;
  bool fresh;
} loop;

static atomic_bool counting, stopped;

static uint64_t now_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void sleep_ns(uint64_t ns) {
  struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
  while (nanosleep(&t, &t) != 0) {}
}

static void *run_loop(void *state) {
  loop *l = state;
  uint64_t before = now_ns(CLOCK_MONOTONIC);
  while (!atomic_load_explicit(&stopped, memory_order_relaxed)) {
    if (l->fresh) ort_run_fresh(&l->data);
    else ort_run(&l->data);
    uint64_t after = now_ns(CLOCK_MONOTONIC);
    if (atomic_load_explicit(&counting, memory_order_relaxed)) {
      l->calls++;
      latency_add(&l->times, after - before);
    }
    before = after;
  }
  return NULL;
}

window run_window(int threads, int64_t rows, bool fresh, double seconds) {
  loop *loops = calloc((size_t)threads, sizeof *loops);
  latency *all = calloc(1, sizeof *all);
  if (loops == NULL || all == NULL) abort();
  atomic_store(&counting, false);
  atomic_store(&stopped, false);
  for (int i = 0; i < threads; i++) {
    loops[i].fresh = fresh;
    tensors_create(&loops[i].data, rows);
    if (pthread_create(&loops[i].thread, NULL, run_loop, &loops[i]) != 0) {
      perror("og_plain: thread");
      exit(1);
    }
  }

  sleep_ns(RAMP_NANOSECONDS);
  uint64_t start = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  atomic_store(&counting, true);
  sleep_ns((uint64_t)(seconds * 1e9));
  atomic_store(&counting, false);
  window w = {.seconds = (double)(now_ns(CLOCK_MONOTONIC) - start) / 1e9,
              .cpu_seconds = (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9};
  atomic_store(&stopped, true);
  for (int i = 0; i < threads; i++) {
    pthread_join(loops[i].thread, NULL);
    w.calls += loops[i].calls;
    latency_merge(all, &loops[i].times);
    tensors_free(&loops[i].data);
  }
  w.requests = w.calls * (uint64_t)rows;
  w.p50_us = latency_at(all, 0.50);
  w.p99_us = latency_at(all, 0.99);
  free(all);
  free(loops);
  return w;
}
