/* A double of cuda.h over host memory: two devices that count what a session asks of them, and fail when they are told to. */
#ifndef OG_TORCH_CUDA_DOUBLE_H
#define OG_TORCH_CUDA_DOUBLE_H

#include <atomic>
#include <cstdint>

struct cuda_double {
    /* Counted since the last reset. */
    int synchronisations, uploads, downloads, drains, trims, scopes;
    int mistakes; /* copies from or to memory that is not page-locked, work outside of enter and leave */

    /* Orders. */
    int64_t fits;      /* most rows of a tensor that is uploaded; 0: any number */
    bool says_it_with_words; /* memory that is short is libtorch's exception, not a fault */
    int32_t loses;     /* the next upload onto this device loses it; -1: none */
    bool loses_silently; /* it is noticed by waiting only, as what the exception says is something else */
};
extern cuda_double doubled;

/* A call has begun since the last reset; another thread may ask. */
extern std::atomic<bool> call_begun;

/* Counters to 0, no orders, all devices there. */
void reset_double();

/* Bytes of page-locked memory now. */
uint64_t pinned_bytes();

#endif
