/* Threads of one model: they spin for a short while after work, then sleep on a futex, so that an idle model costs nothing. */
#ifndef OGK_POOL_H
#define OGK_POOL_H

#include <stdint.h>

typedef struct ogk_pool ogk_pool;

/* threads includes the caller of ogk_pool_run. Every thread has called ogk_isa_enter_thread(isa). Null when out of memory. */
ogk_pool *ogk_pool_create(uint32_t threads, uint32_t isa);
void ogk_pool_free(ogk_pool *pool);
uint32_t ogk_pool_threads(const ogk_pool *pool);

/* Calls work(context, part) once for each part in [0, parts), parts taken in turn by whoever is free, and returns when all
 * are done. What a part computes must not depend on who computes it. */
void ogk_pool_run(ogk_pool *pool, uint32_t parts, void (*work)(void *context, uint32_t part), void *context);

#endif
