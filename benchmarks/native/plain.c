/*
 * Baselines in plain C: og_plain LIBRARY MODEL THREADS ROWS, where ROWS is a file of input rows (each row's inputs in the model's
 * order), the same that the engine is asked, since what a call costs depends on what it is asked. Reads one command per line and answers each with one line of JSON, so that
 * whoever drives it can alternate its windows with others'; it waits without using the processor.
 *
 *   search SECONDS          every batch size 1, 2, 4 ... 256, two windows each; answers the best one by requests per second
 *   static BATCH SECONDS    THREADS loops over prebuilt values of BATCH rows
 *   unbatched CALLERS SECONDS   CALLERS threads, each calling with one row and fresh values
 *   fixed BATCH CALLS           THREADS threads share CALLS calls over prebuilt values of BATCH rows; timed from the common start to
 *                               the last end, so that slow models are not rounded to whole calls
 *   loop BATCH CALLS GAP        one thread, CALLS calls over values kept from command to command, GAP microseconds of sleep before
 *                               each; CPU time is the thread's, percentiles are exact
 */
#include <stdio.h>
#include <stdlib.h>

#include "ort.h"
#include "run.h"

enum { LARGEST_BATCH = 256, SEARCH_PASSES = 2 };

static void answer(int64_t batch, const window *w) {
  printf("{\"batch\":%lld,\"requests\":%llu,\"seconds\":%.6f,\"cpu_seconds\":%.6f,\"p50_us\":%.2f,\"p99_us\":%.2f}\n",
         (long long)batch, (unsigned long long)w->requests, w->seconds, w->cpu_seconds, w->p50_us, w->p99_us);
}

static void search(int threads, double seconds) {
  window best = {0};
  int64_t best_batch = 1;
  /* A disturbance lasts longer than a window: the second pass visits every size again, later. */
  for (int pass = 0; pass < SEARCH_PASSES; pass++)
    for (int64_t batch = 1; batch <= LARGEST_BATCH; batch *= 2) {
      window w = run_window(threads, batch, false, seconds);
      if ((double)w.requests / w.seconds > (double)best.requests / (best.seconds > 0 ? best.seconds : 1)) {
        best = w;
        best_batch = batch;
      }
    }
  answer(best_batch, &best);
}

int main(int argc, char **argv) {
  if (argc != 5 || atoi(argv[3]) < 1) {
    fprintf(stderr, "usage: og_plain LIBRARY MODEL THREADS ROWS\n");
    return 2;
  }

  int threads = atoi(argv[3]);
  ort_open(argv[1], argv[2], argv[4]);
  printf("{\"onnxruntime\":\"%s\",\"threads\":%d}\n", ort_version(), threads);
  fflush(stdout);

  char line[128];
  while (fgets(line, sizeof line, stdin) != NULL) {
    long long count, calls;
    long gap;
    double seconds;
    if (sscanf(line, "search %lf", &seconds) == 1) search(threads, seconds);
    else if (sscanf(line, "static %lld %lf", &count, &seconds) == 2) {
      window w = run_window(threads, count, false, seconds);
      answer(count, &w);
    } else if (sscanf(line, "unbatched %lld %lf", &count, &seconds) == 2) {
      window w = run_window((int)count, 1, true, seconds);
      answer(1, &w);
    } else if (sscanf(line, "fixed %lld %lld", &count, &calls) == 2) {
      window w = run_fixed(threads, count, calls);
      answer(count, &w);
    } else if (sscanf(line, "loop %lld %lld %ld", &count, &calls, &gap) == 3) {
      window w = run_loop(count, calls, gap);
      answer(count, &w);
    } else {
      fprintf(stderr, "og_plain: unknown command: %s", line);
      return 2;
    }
    fflush(stdout);
  }
  return 0;
}
