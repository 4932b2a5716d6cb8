/*
 * A run is published as one 64-bit ticket: its number in the upper half, the next part in the lower. A part is taken by
 * adding one to a ticket of that number, so a thread that comes late, with an earlier run in mind, takes nothing, and nobody
 * waits for a thread that has nothing to do. The run is over when all of its parts are done.
 */
#include "pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#include "isa.h"
#include "linear.h"

/*
 * How long a thread spins before it sleeps, in cycles of the time-stamp counter: some 25 to 50 microseconds, longer than what
 * lies between two layers of a step and shorter than a wake-up costs in all. Where the cores are shared with other work, a
 * thread that spun on would take the time of the one it waits for.
 */
enum { spin_cycles = 100000 };

enum { stack_size = 1 << 20 }; /* kernels need 64 KiB; the rest is room for the system's signal frames with tiles */

struct ogk_pool {
    _Alignas(64) _Atomic uint64_t ticket; /* run << 32 | next part */
    _Atomic uint32_t parts;
    _Atomic(void (*)(void *, uint32_t)) work;
    _Atomic(void *) context;
    _Alignas(64) _Atomic uint32_t runs;     /* futex of threads without work; counts runs, and the end */
    _Atomic uint32_t sleepers;
    _Atomic bool ended;
    _Alignas(64) _Atomic uint32_t done;     /* futex of the caller; parts done of this run */
    _Atomic bool caller_sleeps;
    _Alignas(64) uint32_t threads;          /* the caller's own included */
    uint32_t started;
    uint32_t isa;
    pthread_t ids[];
};

static void futex_wait(_Atomic uint32_t *word, uint32_t seen)
{
    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, uint32_t count)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

/* Takes and does parts of the run that the ticket names, until none is left. */
static void take_parts(ogk_pool *pool, uint32_t run)
{
    uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    for (;;) {
        uint32_t part = (uint32_t)ticket, parts = atomic_load_explicit(&pool->parts, memory_order_relaxed);
        if ((uint32_t)(ticket >> 32) != run || part >= parts) return;
        void (*work)(void *, uint32_t) = atomic_load_explicit(&pool->work, memory_order_relaxed);
        void *context = atomic_load_explicit(&pool->context, memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire); /* what was read above is this run's, or the ticket has changed and this fails */
        if (!atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket + 1, memory_order_acq_rel, memory_order_acquire)) continue;
        work(context, part);
        uint32_t done = atomic_fetch_add(&pool->done, 1) + 1;
        if (done == parts && atomic_load(&pool->caller_sleeps)) futex_wake(&pool->done, 1);
        ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    }
}

static void *worker(void *argument)
{
    ogk_pool *pool = argument;
    uint32_t seen = 0;
    ogk_isa_enter_thread(pool->isa);
    for (;;) {
        uint64_t since = __rdtsc();
        uint32_t runs;
        while ((runs = atomic_load(&pool->runs)) == seen) {
            if (__rdtsc() - since < spin_cycles) {
                _mm_pause();
                continue;
            }
            atomic_fetch_add(&pool->sleepers, 1);
            futex_wait(&pool->runs, seen);
            atomic_fetch_sub(&pool->sleepers, 1);
            since = __rdtsc();
        }
        if (atomic_load(&pool->ended)) return NULL;
        seen = runs;
        take_parts(pool, runs);
    }
}

/* Threads of ours take none of the host's signals. */
static bool start(ogk_pool *pool)
{
    sigset_t every, before;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    bool sized = pthread_attr_setstacksize(&attributes, stack_size) == 0;
    (void)sigfillset(&every);
    if (sized && pthread_sigmask(SIG_SETMASK, &every, &before) == 0) {
        while (pool->started + 1 < pool->threads && pthread_create(&pool->ids[pool->started], &attributes, worker, pool) == 0) {
            (void)pthread_setname_np(pool->ids[pool->started], "og-kernels");
            pool->started++;
        }
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    return pool->started + 1 == pool->threads;
}

ogk_pool *ogk_pool_create(uint32_t threads, uint32_t isa)
{
    if (threads == 0) threads = 1;
    size_t size = (sizeof(ogk_pool) + threads * sizeof(pthread_t) + 63) & ~(size_t)63;
    ogk_pool *pool = aligned_alloc(64, size);
    if (pool == NULL) return NULL;
    atomic_init(&pool->ticket, 0);
    atomic_init(&pool->parts, 0);
    atomic_init(&pool->work, NULL);
    atomic_init(&pool->context, NULL);
    atomic_init(&pool->runs, 0);
    atomic_init(&pool->sleepers, 0);
    atomic_init(&pool->ended, false);
    atomic_init(&pool->done, 0);
    atomic_init(&pool->caller_sleeps, false);
    pool->threads = threads;
    pool->started = 0;
    pool->isa = ogk_isa_resolve(isa);
    if (start(pool)) return pool;
    ogk_pool_free(pool);
    return NULL;
}

void ogk_pool_free(ogk_pool *pool)
{
    if (pool == NULL) return;
    atomic_store(&pool->ended, true);
    atomic_fetch_add(&pool->runs, 1);
    futex_wake(&pool->runs, pool->started);
    for (uint32_t i = 0; i < pool->started; i++) (void)pthread_join(pool->ids[i], NULL);
    free(pool);
}

uint32_t ogk_pool_threads(const ogk_pool *pool)
{
    return pool->threads;
}

static void publish(ogk_pool *pool, uint32_t run, uint32_t parts, void (*work)(void *, uint32_t), void *context)
{
    /* First the old ticket goes: a late thread that still holds it and reads what follows cannot take a part with it. */
    atomic_store_explicit(&pool->ticket, (uint64_t)run << 32 | UINT32_MAX, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&pool->work, work, memory_order_relaxed);
    atomic_store_explicit(&pool->context, context, memory_order_relaxed);
    atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->parts, parts, memory_order_relaxed);
    atomic_store_explicit(&pool->ticket, (uint64_t)run << 32, memory_order_release);
    atomic_store(&pool->runs, run);
    uint32_t sleepers = atomic_load(&pool->sleepers);
    if (sleepers > 0) futex_wake(&pool->runs, sleepers < parts - 1 ? sleepers : parts - 1);
}

void ogk_pool_run(ogk_pool *pool, uint32_t parts, void (*work)(void *context, uint32_t part), void *context)
{
    uint32_t state = ogk_float_enter();
    if (pool->threads == 1 || parts <= 1) {
        for (uint32_t part = 0; part < parts; part++) work(context, part);
        ogk_float_leave(state);
        return;
    }
    uint32_t run = atomic_load_explicit(&pool->runs, memory_order_relaxed) + 1, done;
    publish(pool, run, parts, work, context);
    take_parts(pool, run);
    uint64_t since = __rdtsc();
    while ((done = atomic_load(&pool->done)) != parts) {
        if (__rdtsc() - since < spin_cycles) {
            _mm_pause();
            continue;
        }
        atomic_store(&pool->caller_sleeps, true);
        if ((done = atomic_load(&pool->done)) != parts) futex_wait(&pool->done, done);
        atomic_store(&pool->caller_sleeps, false);
    }
    ogk_float_leave(state);
}
