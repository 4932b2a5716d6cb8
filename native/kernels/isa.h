/* What this machine and its system can run, and the floating-point state that kernels run in. */
#ifndef OGK_ISA_H
#define OGK_ISA_H

#include <immintrin.h>
#include <stdint.h>

/* The instruction set to run for `isa`: the machine's best for OGK_ISA_BEST, and never one above the machine's best. */
uint32_t ogk_isa_resolve(uint32_t isa);

/* Round to nearest even, denormals are zero on the way in and out, no exceptions. The promise of equal bits needs this
 * state, so whoever computes enters it and gives the thread's own state back. */
enum { OGK_FLOAT_STATE = 0x9fc0 };

static inline uint32_t ogk_float_enter(void)
{
    uint32_t before = _mm_getcsr();
    _mm_setcsr(OGK_FLOAT_STATE);
    return before;
}

static inline void ogk_float_leave(uint32_t before)
{
    _mm_setcsr(before);
}

#endif
