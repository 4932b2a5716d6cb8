#include "run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "latency.h"
#include "ort.h"

enum {
  RAMP_NANOSECONDS = 30000000, /* caches and clock are warm before anything is counted */
  MOST_KEPT = 16,              /* batch sizes that run_loop keeps values for */
  MOST_SETS = 32               /* prebuilt values of one batch size that a thread goes around */
};

/* Values of one batch size over all of the given rows, so that no side is asked only the cheap ones. */
typedef struct {
  int count;
  tensors set[MOST_SETS];
} ring;

typedef struct {
  pthread_t thread;
  ring data;
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

static void ring_create(ring *r, int64_t rows) {
  int64_t count = ort_rows() / rows;
  r->count = count < 1 ? 1 : count > MOST_SETS ? MOST_SETS : (int)count;
  for (int i = 0; i < r->count; i++) tensors_create(&r->set[i], rows, i * rows);
}

static void ring_free(ring *r) {
  for (int i = 0; i < r->count; i++) tensors_free(&r->set[i]);
}

static void *run_window_loop(void *state) {
  loop *l = state;
  int set = 0;
  uint64_t before = now_ns(CLOCK_MONOTONIC);
  while (!atomic_load_explicit(&stopped, memory_order_relaxed)) {
    if (l->fresh) ort_run_fresh(&l->data.set[set]);
    else ort_run(&l->data.set[set]);
    if (++set == l->data.count) set = 0;
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
    ring_create(&loops[i].data, rows);
    if (pthread_create(&loops[i].thread, NULL, run_window_loop, &loops[i]) != 0) {
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
    ring_free(&loops[i].data);
  }
  w.requests = w.calls * (uint64_t)rows;
  w.p50_us = latency_at(all, 0.50);
  w.p99_us = latency_at(all, 0.99);
  free(all);
  free(loops);
  return w;
}

typedef struct {
  pthread_t thread;
  ring data;
  latency times;
  uint64_t calls, begin, end;
  pthread_barrier_t *start;
  atomic_llong *left;
} share;

static void *run_share(void *state) {
  share *s = state;
  for (int i = 0; i < s->data.count && i < 2; i++) ort_run(&s->data.set[i]);
  pthread_barrier_wait(s->start);
  uint64_t before = s->begin = now_ns(CLOCK_MONOTONIC);
  long long left;
  while ((left = atomic_fetch_sub_explicit(s->left, 1, memory_order_relaxed)) > 0) {
    ort_run(&s->data.set[left % s->data.count]); /* by the shared count: every set is asked as often as every other */
    uint64_t after = now_ns(CLOCK_MONOTONIC);
    s->calls++;
    latency_add(&s->times, after - before);
    before = after;
  }
  s->end = before;
  return NULL;
}

window run_fixed(int threads, int64_t rows, int64_t calls) {
  share *shares = calloc((size_t)threads, sizeof *shares);
  latency *all = calloc(1, sizeof *all);
  if (shares == NULL || all == NULL) abort();
  pthread_barrier_t start;
  atomic_llong left = calls;
  pthread_barrier_init(&start, NULL, (unsigned)threads + 1);
  for (int i = 0; i < threads; i++) {
    shares[i].start = &start;
    shares[i].left = &left;
    ring_create(&shares[i].data, rows);
    if (pthread_create(&shares[i].thread, NULL, run_share, &shares[i]) != 0) {
      perror("og_plain: thread");
      exit(1);
    }
  }

  pthread_barrier_wait(&start);
  uint64_t cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID), begin = UINT64_MAX, end = 0;
  window w = {0};
  for (int i = 0; i < threads; i++) {
    pthread_join(shares[i].thread, NULL);
    if (shares[i].begin < begin) begin = shares[i].begin;
    if (shares[i].end > end) end = shares[i].end;
  }
  w.seconds = (double)(end - begin) / 1e9;
  w.cpu_seconds = (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9;
  for (int i = 0; i < threads; i++) {
    w.calls += shares[i].calls;
    latency_merge(all, &shares[i].times);
    ring_free(&shares[i].data);
  }
  w.requests = w.calls * (uint64_t)rows;
  w.p50_us = latency_at(all, 0.50);
  w.p99_us = latency_at(all, 0.99);
  pthread_barrier_destroy(&start);
  free(all);
  free(shares);
  return w;
}

static tensors *kept(int64_t rows) {
  static struct { int64_t rows; tensors data; } values[MOST_KEPT];
  for (int i = 0; i < MOST_KEPT; i++) {
    if (values[i].rows == rows) return &values[i].data;
    if (values[i].rows != 0) continue;
    values[i].rows = rows;
    tensors_create(&values[i].data, rows, 0);
    ort_run(&values[i].data);
    return &values[i].data;
  }
  fprintf(stderr, "og_plain: more than %d batch sizes in loops\n", MOST_KEPT);
  exit(1);
}

static int by_size(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return (a > b) - (a < b);
}

window run_loop(int64_t rows, int64_t calls, long gap_us) {
  tensors *data = kept(rows);
  uint64_t *times = calloc((size_t)calls, sizeof *times);
  if (times == NULL) abort();
  uint64_t begin = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_THREAD_CPUTIME_ID), before = begin;
  for (int64_t i = 0; i < calls; i++) {
    if (gap_us > 0) {
      sleep_ns((uint64_t)gap_us * 1000);
      before = now_ns(CLOCK_MONOTONIC);
    }
    ort_run(data);
    uint64_t after = now_ns(CLOCK_MONOTONIC);
    times[i] = after - before;
    before = after;
  }
  window w = {.requests = (uint64_t)(calls * rows), .calls = (uint64_t)calls, .seconds = (double)(before - begin) / 1e9,
              .cpu_seconds = (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu) / 1e9};
  qsort(times, (size_t)calls, sizeof *times, by_size);
  w.p50_us = (double)times[calls / 2] / 1000.0;
  w.p99_us = (double)times[calls * 99 / 100] / 1000.0;
  free(times);
  return w;
}
