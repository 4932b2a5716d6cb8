#include "isa.h"

#include <cpuid.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linear.h"
#include "og_kernels.h"

/* CPUID bits, Intel SDM volume 2, CPUID; XCR0 bits, volume 1 chapter 13. */
enum {
    leaf1_ecx_fma = 1 << 12,
    leaf1_ecx_osxsave = 1 << 27,
    leaf1_ecx_avx = 1 << 28,
    leaf1_ecx_f16c = 1 << 29,
    leaf7_ebx_avx2 = 1 << 5,
    leaf7_ebx_avx512f = 1 << 16,
    leaf7_ebx_avx512dq = 1 << 17,
    leaf7_ebx_avx512bw = 1 << 30,
    leaf7_ecx_avx512vnni = 1 << 11,
    leaf7_edx_amx_bf16 = 1 << 22,
    leaf7_edx_amx_tile = 1 << 24,
    leaf7_edx_amx_int8 = 1 << 25,
    xcr0_avx = 0x6,      /* SSE and AVX registers */
    xcr0_avx512 = 0xe6,  /* and the mask registers and both halves of the large ones */
    xcr0_amx = 0x60000   /* tile configuration and tile data */
};
static const uint32_t leaf7_ebx_avx512vl = 1u << 31;

enum { arch_req_xcomp_perm = 0x1023, xfeature_tile_data = 18 };

/* Linux lends tiles on request, once per process; it refuses where a signal stack would be too small for them. */
static bool tiles_permitted(void)
{
    return syscall(SYS_arch_prctl, arch_req_xcomp_perm, xfeature_tile_data) == 0;
}

static uint64_t enabled_state(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool all(uint64_t value, uint64_t bits)
{
    return (value & bits) == bits;
}

static uint32_t detect(void)
{
    uint32_t a, b, c, d, b7, c7, d7;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return OGK_ISA_SCALAR;
    if (!all(c, leaf1_ecx_osxsave | leaf1_ecx_avx | leaf1_ecx_fma | leaf1_ecx_f16c)) return OGK_ISA_SCALAR;
    uint64_t state = enabled_state();
    if (!all(state, xcr0_avx) || !__get_cpuid_count(7, 0, &a, &b7, &c7, &d7) || !all(b7, leaf7_ebx_avx2)) return OGK_ISA_SCALAR;
    uint32_t avx512 = (uint32_t)(leaf7_ebx_avx512f | leaf7_ebx_avx512dq | leaf7_ebx_avx512bw) | leaf7_ebx_avx512vl;
    if (!all(state, xcr0_avx512) || !all(b7, avx512) || !all(c7, leaf7_ecx_avx512vnni)) return OGK_ISA_AVX2;
    bool amx = all(state, xcr0_amx) && all(d7, leaf7_edx_amx_tile | leaf7_edx_amx_int8 | leaf7_edx_amx_bf16);
    return amx && tiles_permitted() ? OGK_ISA_AMX : OGK_ISA_AVX512;
}

uint32_t ogk_best_isa(void)
{
    static _Atomic uint32_t known; /* threads that ask at the same time find the same */
    uint32_t best = atomic_load_explicit(&known, memory_order_relaxed);
    if (best == 0) atomic_store_explicit(&known, best = detect(), memory_order_relaxed);
    return best;
}

uint32_t ogk_isa_resolve(uint32_t isa)
{
    uint32_t best = ogk_best_isa();
    return isa == OGK_ISA_BEST || isa > best ? best : isa;
}

const char *ogk_isa_name(uint32_t isa)
{
    switch (isa == OGK_ISA_BEST ? ogk_best_isa() : isa) {
    case OGK_ISA_SCALAR:
        return "scalar";
    case OGK_ISA_AVX2:
        return "avx2";
    case OGK_ISA_AVX512:
        return "avx512-vnni";
    case OGK_ISA_AMX:
        return "amx";
    default:
        return "unknown";
    }
}

/* One class: linear.h defines every element's order for all of them, and the tests compare them bit for bit. */
const char *ogk_numerics(uint32_t scheme, uint32_t isa)
{
    (void)scheme;
    (void)isa;
    return "ogk1";
}

void ogk_isa_enter_thread(uint32_t isa)
{
    (void)ogk_isa_resolve(isa); /* asks for the tiles, which all threads of the process then have */
    (void)ogk_float_enter();
}
