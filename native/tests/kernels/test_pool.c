#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xmmintrin.h>

#include "check.h"
#include "isa.h"
#include "og_kernels.h"
#include "pool.h"

enum { parts_max = 4096 };

typedef struct tally {
    _Atomic uint32_t times[parts_max];
    _Atomic uint32_t wrong_state;
    _Atomic uint32_t inside;
    uint32_t slow_part;
} tally;

static void count(void *context, uint32_t part)
{
    tally *of = context;
    atomic_fetch_add(&of->times[part], 1);
    if ((_mm_getcsr() & ~0x3fu) != OGK_FLOAT_STATE) atomic_fetch_add(&of->wrong_state, 1);
}

static void each_part_once(ogk_pool *pool, uint32_t parts)
{
    static tally of;
    memset(&of, 0, sizeof of);
    ogk_pool_run(pool, parts, count, &of);
    for (uint32_t part = 0; part < parts_max; part++) CHECK(of.times[part] == (part < parts ? 1u : 0u));
    CHECK(of.wrong_state == 0);
}

TEST(pool_runs_each_part_once_in_the_kernels_floating_point_state)
{
    for (uint32_t threads = 1; threads <= 5; threads++) {
        ogk_pool *pool = ogk_pool_create(threads, OGK_ISA_BEST);
        CHECK(pool != NULL && ogk_pool_threads(pool) == threads);
        uint32_t state = _mm_getcsr();
        for (uint32_t parts = 0; parts < 40; parts++) each_part_once(pool, parts);
        each_part_once(pool, parts_max);
        CHECK((_mm_getcsr() & ~0x3fu) == (state & ~0x3fu));
        ogk_pool_free(pool);
    }
}

/* Many short runs after each other, of different lengths: a thread that comes late from one must not touch the next. */
TEST(pool_keeps_runs_apart)
{
    static tally of;
    ogk_pool *pool = ogk_pool_create(4, OGK_ISA_BEST);
    CHECK(pool != NULL);
    uint32_t expected[8] = {0};
    memset(&of, 0, sizeof of);
    for (uint32_t run = 0; run < 50000; run++) {
        uint32_t parts = 1 + run % 8;
        ogk_pool_run(pool, parts, count, &of);
        for (uint32_t part = 0; part < parts; part++) expected[part]++;
        if (run % 5000 == 0)
            for (uint32_t part = 0; part < 8; part++) CHECK(of.times[part] == expected[part]);
    }
    for (uint32_t part = 0; part < 8; part++) CHECK(of.times[part] == expected[part]);
    ogk_pool_free(pool);
}

static void rest(long milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000};
    nanosleep(&time, NULL);
}

TEST(pool_wakes_up_after_a_rest)
{
    ogk_pool *pool = ogk_pool_create(3, OGK_ISA_BEST);
    CHECK(pool != NULL);
    for (uint32_t turn = 0; turn < 20; turn++) {
        rest(5); /* long past the spinning */
        each_part_once(pool, 64);
    }
    ogk_pool_free(pool);
}

/* Part 0 waits until another part has begun: that takes a second thread. The last one is slow: the caller has to wait for it. */
static void meet(void *context, uint32_t part)
{
    tally *of = context;
    atomic_fetch_add(&of->inside, 1);
    while (part < 2 && atomic_load(&of->inside) < 2) rest(1);
    if (part == of->slow_part) rest(20);
    count(context, part);
}

TEST(pool_works_on_several_threads_and_waits_for_all)
{
    static tally of;
    ogk_pool *pool = ogk_pool_create(2, OGK_ISA_BEST);
    CHECK(pool != NULL);
    for (uint32_t slow = 0; slow < 4; slow++) {
        memset(&of, 0, sizeof of);
        of.slow_part = slow;
        ogk_pool_run(pool, 4, meet, &of);
        for (uint32_t part = 0; part < 4; part++) CHECK(of.times[part] == 1);
    }
    ogk_pool_free(pool);
}

static _Atomic uint32_t signals_elsewhere;
static pthread_t main_thread;

static void on_signal(int number)
{
    (void)number;
    if (!pthread_equal(pthread_self(), main_thread)) atomic_fetch_add(&signals_elsewhere, 1);
}

/* A host's signals are for its own threads: the kernels' have small stacks and no runtime. */
TEST(pool_threads_take_no_signals)
{
    main_thread = pthread_self();
    struct sigaction action = {.sa_handler = on_signal};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    ogk_pool *pool = ogk_pool_create(4, OGK_ISA_BEST);
    CHECK(pool != NULL);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0); /* were any of the others open to it, it would go there */
    CHECK(kill(getpid(), SIGUSR1) == 0);
    rest(20);
    CHECK(signals_elsewhere == 0);
    each_part_once(pool, 100);
    ogk_pool_free(pool);
}

TEST(pool_is_freed_idle_fresh_and_null)
{
    for (uint32_t turn = 0; turn < 50; turn++) ogk_pool_free(ogk_pool_create(1 + turn % 4, OGK_ISA_BEST));
    ogk_pool_free(NULL);
    ogk_pool *pool = ogk_pool_create(0, OGK_ISA_BEST);
    CHECK(pool != NULL && ogk_pool_threads(pool) == 1);
    each_part_once(pool, 3);
    ogk_pool_free(pool);
}
