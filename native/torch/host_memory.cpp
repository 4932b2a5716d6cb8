/* Memory for inputs and outputs. */
#include <cstdlib>
#include <new>

#include "cuda.h"
#include "fault.h"
#include "process.h"

namespace ogt {

namespace {

constexpr uint64_t most_bytes = 1ull << 40;
constexpr size_t alignment = 64;

} // namespace

} // namespace ogt

using namespace ogt;

extern "C" ogt_status ogt_host_alloc(uint32_t device, uint64_t size, void **memory, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require_started();
        require(memory != nullptr, "memory");
        *memory = nullptr;
        if (device != OGT_CPU && device != OGT_CUDA) throw fault(OGT_OUT_OF_RANGE, "no device kind has number " + std::to_string(device));
        if (size == 0 || size > most_bytes) throw fault(OGT_OUT_OF_RANGE, "a size of " + std::to_string(size) + " bytes");
        if (device == OGT_CUDA) {
            const std::string reason = cuda::missing(0);
            if (!reason.empty()) throw fault(OGT_DEVICE_MISSING, reason);
            *memory = cuda::host_alloc(size);
            return;
        }
        *memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
        if (*memory == nullptr) throw std::bad_alloc();
    });
}

extern "C" void ogt_host_free(uint32_t device, void *memory)
{
    if (device == OGT_CUDA) cuda::host_free(memory);
    else std::free(memory);
}
