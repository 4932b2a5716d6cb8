/*
 * How fast linear layers run, beside a loop that only reads memory, in one run. Few rows: matrices that no cache holds, so
 * that weights come from memory as they do while a model decodes; reading and multiplying take turns, and each one's median
 * and best are taken. Many rows: the layers of a model of 0.5 billion parameters. The last line is one JSON object.
 *
 *     og_kernels_bench [--threads n] [--isa scalar|avx2|avx512-vnni|amx] [--scheme bf16|int8|int4] [--mib n] [--repeats n]
 */
#include <immintrin.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "isa.h"
#include "linear.h"
#include "og_kernels.h"
#include "pool.h"

enum { hidden = 896, intermediate = 4864, distinct_panels = 64, repeats_max = 101, rows_max = 256 };

static struct {
    uint32_t threads, isa, scheme, mebibytes, repeats;
} options = {2, 0, 0, 384, 15};

static ogk_pool *pool;
static bool first_figure = true;
static char json[8192];

static uint64_t now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static void *memory(size_t size)
{
    void *got = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (got == NULL) {
        fprintf(stderr, "no memory for %zu bytes\n", size);
        exit(1);
    }
    return got;
}

/* Reading: what any kernel has to do with its weights. */
typedef struct reading {
    const uint8_t *from;
    size_t part, size;
} reading;

static const uint8_t *part_of(const reading *of, uint32_t part, const uint8_t **end)
{
    const uint8_t *at = of->from + part * of->part;
    *end = part * of->part + of->part < of->size ? at + of->part : of->from + of->size;
    return at;
}

__attribute__((target("avx512f"))) static void read_part_avx512(void *context, uint32_t part)
{
    const uint8_t *end, *at = part_of(context, part, &end);
    __m512i sums[8];
    for (uint32_t i = 0; i < 8; i++) sums[i] = _mm512_setzero_si512();
    for (; at + 512 <= end; at += 512)
#pragma GCC unroll 8
        for (uint32_t i = 0; i < 8; i++) {
            _mm_prefetch((const char *)at + 4096 + 64 * i, _MM_HINT_T0);
            sums[i] = _mm512_xor_si512(sums[i], _mm512_load_si512(at + 64 * i));
        }
    for (uint32_t i = 1; i < 8; i++) sums[0] = _mm512_xor_si512(sums[0], sums[i]);
    volatile int kept = _mm_cvtsi128_si32(_mm512_castsi512_si128(sums[0]));
    (void)kept;
}

__attribute__((target("avx2"))) static void read_part(void *context, uint32_t part)
{
    const uint8_t *end, *at = part_of(context, part, &end);
    __m256i sums[8];
    for (uint32_t i = 0; i < 8; i++) sums[i] = _mm256_setzero_si256();
    for (; at + 256 <= end; at += 256) {
        for (uint32_t i = 0; i < 4; i++) _mm_prefetch((const char *)at + 4096 + 64 * i, _MM_HINT_T0);
#pragma GCC unroll 8
        for (uint32_t i = 0; i < 8; i++) sums[i] = _mm256_xor_si256(sums[i], _mm256_load_si256((const __m256i *)(const void *)(at + 32 * i)));
    }
    for (uint32_t i = 1; i < 8; i++) sums[0] = _mm256_xor_si256(sums[0], sums[i]);
    volatile int kept = _mm_cvtsi128_si32(_mm256_castsi256_si128(sums[0]));
    (void)kept;
}

typedef struct layer {
    uint32_t scheme, isa, rows, out, in, part;
    uint8_t *packed;
    void *prepared;
    float *x, *y;
} layer;

static uint32_t panels_of(uint32_t out)
{
    return (out + OGK_PANEL - 1) / OGK_PANEL;
}

static void run_part(void *context, uint32_t part)
{
    const layer *of = context;
    uint32_t panels = panels_of(of->out), from = part * of->part, to = from + of->part < panels ? from + of->part : panels;
    ogk_linear_run(of->scheme, of->isa, of->rows, of->out, of->in, from, to, of->packed, of->prepared, of->y, of->out);
}

static float uniform(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)(state >> 40) * 0x1p-23f - 1;
}

/* Panels of random weights, over and over: their speed does not depend on which they are. */
static layer make(uint32_t scheme, uint32_t out, uint32_t in)
{
    layer of = {.scheme = scheme, .out = out, .in = in};
    uint32_t panels = panels_of(out), distinct = panels < distinct_panels ? panels : distinct_panels;
    size_t size = ogk_linear_packed_size(scheme, OGK_PANEL, in), weights = (size_t)distinct * OGK_PANEL * in;
    float *random = memory(weights * sizeof(float));
    for (size_t i = 0; i < weights; i++) random[i] = uniform();
    of.packed = memory(ogk_linear_packed_size(scheme, out, in));
    ogk_linear_pack(scheme, distinct * OGK_PANEL, in, OGK_TYPE_F32, random, 0, distinct, of.packed);
    for (uint32_t panel = distinct; panel < panels; panel++) memcpy(of.packed + panel * size, of.packed + panel % distinct * size, size);
    free(random);
    of.x = memory((size_t)rows_max * in * sizeof(float));
    for (size_t i = 0; i < (size_t)rows_max * in; i++) of.x[i] = uniform();
    of.prepared = memory(ogk_linear_input_size(scheme, rows_max, in));
    return of;
}

static void release(layer *of)
{
    free(of->packed);
    free(of->prepared);
    free(of->x);
}

static double run_layer(layer *of)
{
    uint64_t from = now_ns();
    ogk_linear_prepare(of->scheme, of->isa, of->rows, of->in, of->x, of->in, 0, of->rows, of->prepared);
    ogk_pool_run(pool, (panels_of(of->out) + of->part - 1) / of->part, run_part, of);
    return (double)(now_ns() - from);
}

static double read_all(const layer *of)
{
    reading all = {of->packed, 1 << 20, ogk_linear_packed_size(of->scheme, of->out, of->in)};
    uint64_t from = now_ns();
    ogk_pool_run(pool, (uint32_t)((all.size + all.part - 1) / all.part), ogk_best_isa() >= OGK_ISA_AVX512 ? read_part_avx512 : read_part, &all);
    return (double)(now_ns() - from);
}

static int ascending(const void *left, const void *right)
{
    double l = *(const double *)left, r = *(const double *)right;
    return (l > r) - (l < r);
}

static double median_of(double *times, uint32_t count)
{
    qsort(times, count, sizeof *times, ascending);
    return times[count / 2];
}

static const char *scheme_name(uint32_t scheme)
{
    return scheme == OGK_BF16 ? "bf16" : scheme == OGK_INT8 ? "int8" : "int4";
}

static void note(const char *key, double value)
{
    size_t used = strlen(json);
    snprintf(json + used, sizeof json - used, "%s\"%s\": %.3f", first_figure ? "" : ", ", key, value);
    first_figure = false;
}

static void few_rows(layer *of, bool noted)
{
    double reads[repeats_max], runs[repeats_max], bytes = (double)ogk_linear_packed_size(of->scheme, of->out, of->in);
    of->part = ogk_linear_part_panels(of->scheme, of->rows, of->out, of->in, options.threads);
    (void)run_layer(of);
    for (uint32_t i = 0; i < options.repeats; i++) {
        reads[i] = read_all(of);
        runs[i] = run_layer(of);
    }
    double read = median_of(reads, options.repeats), run = median_of(runs, options.repeats);
    double operations = 2.0 * of->rows * of->out * of->in;
    printf("%-5s %-12s rows %3" PRIu32 "  %6.1f GB/s (best %5.1f) of %5.1f read (best %5.1f): %4.2f  %8.1f Gop/s\n", scheme_name(of->scheme), ogk_isa_name(of->isa),
           of->rows, bytes / run, bytes / runs[0], bytes / read, bytes / reads[0], read / run, operations / run);
    char key[64];
    snprintf(key, sizeof key, "%s_rows%" PRIu32 "_bandwidth_fraction", scheme_name(of->scheme), of->rows);
    if (noted) note(key, read / run);
}

static void many_rows(layer *of, bool noted)
{
    double runs[repeats_max];
    of->part = ogk_linear_part_panels(of->scheme, of->rows, of->out, of->in, options.threads);
    (void)run_layer(of);
    for (uint32_t i = 0; i < options.repeats; i++) runs[i] = run_layer(of);
    double run = median_of(runs, options.repeats), operations = 2.0 * of->rows * of->out * of->in;
    printf("%-5s %-12s rows %3" PRIu32 "  %4" PRIu32 " x %4" PRIu32 "  %8.1f Gop/s (best %8.1f)\n", scheme_name(of->scheme), ogk_isa_name(of->isa), of->rows, of->out,
           of->in, operations / run, operations / runs[0]);
    char key[64];
    snprintf(key, sizeof key, "%s_rows%" PRIu32 "_%" PRIu32 "x%" PRIu32 "_gops", scheme_name(of->scheme), of->rows, of->out, of->in);
    if (noted) note(key, operations / run);
}

static void bench(uint32_t scheme, uint32_t isa)
{
    static const uint32_t few[] = {1, 2, 4, 8, 16}, many[] = {64, 256}, shapes[][2] = {{intermediate, hidden}, {hidden, intermediate}};
    bool noted = isa == ogk_best_isa();
    size_t panel = ogk_linear_packed_size(scheme, OGK_PANEL, hidden);
    layer of = make(scheme, (uint32_t)(((size_t)options.mebibytes << 20) / panel) * OGK_PANEL, hidden);
    of.isa = isa;
    of.y = memory((size_t)16 * of.out * sizeof(float));
    for (size_t i = 0; i < sizeof few / sizeof few[0]; i++) {
        of.rows = few[i];
        few_rows(&of, noted);
    }
    free(of.y);
    release(&of);
    for (size_t s = 0; s < 2; s++) {
        of = make(scheme, shapes[s][0], shapes[s][1]);
        of.isa = isa;
        of.y = memory((size_t)rows_max * of.out * sizeof(float));
        for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
            of.rows = many[i];
            many_rows(&of, noted);
        }
        free(of.y);
        release(&of);
    }
}

static uint32_t named(const char *text, const char *(*name)(uint32_t), uint32_t last)
{
    for (uint32_t value = 1; value <= last; value++)
        if (strcmp(text, name(value)) == 0) return value;
    fprintf(stderr, "%s is not known\n", text);
    exit(2);
}

int main(int count, char **arguments)
{
    for (int i = 1; i + 1 < count; i += 2) {
        uint32_t number = (uint32_t)strtoul(arguments[i + 1], NULL, 10);
        if (strcmp(arguments[i], "--threads") == 0) options.threads = number;
        if (strcmp(arguments[i], "--mib") == 0) options.mebibytes = number;
        if (strcmp(arguments[i], "--repeats") == 0) options.repeats = number < repeats_max ? number : repeats_max;
        if (strcmp(arguments[i], "--isa") == 0) options.isa = named(arguments[i + 1], ogk_isa_name, OGK_ISA_AMX);
        if (strcmp(arguments[i], "--scheme") == 0) options.scheme = named(arguments[i + 1], scheme_name, OGK_INT4);
    }
    pool = ogk_pool_create(options.threads, OGK_ISA_BEST);
    if (pool == NULL || options.repeats == 0 || options.mebibytes == 0) return 1;
    for (uint32_t scheme = OGK_BF16; scheme <= OGK_INT4; scheme++)
        for (uint32_t isa = ogk_best_isa(); isa >= OGK_ISA_AVX2; isa--)
            if ((options.scheme == 0 || options.scheme == scheme) && (options.isa == 0 || options.isa == isa)) bench(scheme, isa);
    ogk_pool_free(pool);
    printf("{\"isa\": \"%s\", \"threads\": %" PRIu32 ", %s}\n", ogk_isa_name(OGK_ISA_BEST), options.threads, json);
    return 0;
}
