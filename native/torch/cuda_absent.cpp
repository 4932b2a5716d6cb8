/* A build without CUDA. */
#include "cuda.h"
#include "fault.h"

namespace ogt::cuda {

namespace {

[[noreturn]] void refuse()
{
    throw fault(OGT_DEVICE_MISSING, missing(0));
}

} // namespace

std::string missing(int32_t)
{
    return "this library was built for a libtorch without CUDA";
}

uint32_t count() noexcept
{
    return 0;
}

void describe(int32_t, ogt_device &)
{
    refuse();
}

void memory(int32_t, ogt_memory &)
{
    refuse();
}

void reset_peak(int32_t)
{
    refuse();
}

void trim(int32_t)
{
    refuse();
}

std::string versions()
{
    return "";
}

c10::Device device_of(int32_t)
{
    refuse();
}

bool is_lost(int32_t) noexcept
{
    return false;
}

bool look_for_loss(int32_t) noexcept
{
    return false;
}

void wait_for_device(int32_t)
{
    refuse();
}

void *host_alloc(uint64_t)
{
    refuse();
}

void host_free(void *) noexcept
{
}

std::unique_ptr<lane> make_lane(int32_t)
{
    refuse();
}

} // namespace ogt::cuda
