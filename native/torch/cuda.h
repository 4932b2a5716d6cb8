/* All that needs CUDA: cuda.cpp, or cuda_absent.cpp in a build without it. */
#ifndef OG_TORCH_CUDA_H
#define OG_TORCH_CUDA_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "og_torch.h"

namespace ogt::cuda {

/* "" when the device can be used, otherwise why not. */
std::string missing(int32_t index);
uint32_t count() noexcept;

/* Of a device that is there. */
void describe(int32_t index, ogt_device &device);
void memory(int32_t index, ogt_memory &memory);
void reset_peak(int32_t index);
void trim(int32_t index);

std::string versions();

/* The device as libtorch names it. */
c10::Device device_of(int32_t index);

/* Whether a call failed in a way that stays. Of that device alone: the others, and the CPU, serve on. */
bool is_lost(int32_t index) noexcept;

/* Asks the device itself, after a failure whose exception says nothing; waits for what is queued. */
bool look_for_loss(int32_t index) noexcept;

/* Waits for everything on the device: what one stream wrote, another may read. */
void wait_for_device(int32_t index);

/* Page-locked host memory; throws OGT_OUT_OF_MEMORY. */
void *host_alloc(uint64_t size);
void host_free(void *memory) noexcept;

/* A session's stream, its page-locked blocks and its events. */
class lane {
public:
    virtual ~lane() = default;

    /* Everything between enter and leave is queued on the session's stream. */
    virtual void enter() = 0;
    virtual void leave() noexcept = 0;

    /* Page-locked memory of the session: a block per slot, kept and grown. */
    virtual void *block(size_t slot, uint64_t size) = 0;

    /* Whether its memory is this device's. */
    virtual bool holds(const at::Tensor &tensor) const = 0;

    /* A tensor on the device with what lies in page-locked memory; queued. */
    virtual at::Tensor upload(const void *from, at::IntArrayRef shape, at::ScalarType type) = 0;

    /* From a contiguous tensor on the device to page-locked memory; queued. */
    virtual void download(const at::Tensor &from, void *to) = 0;

    /* Events around what is queued, if timed; then waits for all of it without holding a core for long. */
    virtual void begin(bool timed) = 0;
    virtual void end_and_wait() = 0;

    /* Waits whatever happens; after a failure, before memory that queued work uses is given up. Notices a lost device. */
    virtual void drain() noexcept = 0;

    /* Nanoseconds between begin and end by the device's clock. */
    virtual uint64_t device_time() const = 0;
};

std::unique_ptr<lane> make_lane(int32_t index);

} // namespace ogt::cuda

#endif
