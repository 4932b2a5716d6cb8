/* CUDA by way of libtorch's c10 and the CUDA runtime alone: the headers that a Python installation of torch brings. */
#include "cuda.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include "fault.h"

namespace ogt::cuda {

namespace {

constexpr auto spinning = std::chrono::microseconds(50); /* a blocking wait wakes some 30 us late */

std::atomic<uint64_t> pinned{0};

/* Nothing on the device works after one of these, in this process. */
bool is_lasting(cudaError_t code)
{
    switch (code) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorAssert:
    case cudaErrorDevicesUnavailable:
    case cudaErrorSystemNotReady:
    case cudaErrorContextIsDestroyed:
    case cudaErrorUnknown:
        return true;
    default:
        return false;
    }
}

constexpr int32_t most_devices = 64;

std::atomic<bool> lost[most_devices];
std::atomic<bool> begun[most_devices];

bool note(cudaError_t code, int32_t index) noexcept
{
    const bool lasting = is_lasting(code) && index >= 0 && index < most_devices;
    if (lasting) lost[index].store(true);
    return lasting;
}

/* index: of the device that a lasting failure is of; -1 where none is known. */
void check(cudaError_t code, const char *what, int32_t index = -1)
{
    if (code == cudaSuccess) return;
    cudaGetLastError(); /* a later call must not report this one */
    const std::string text = std::string(what) + ": " + cudaGetErrorString(code);
    if (code == cudaErrorMemoryAllocation) throw fault(OGT_OUT_OF_MEMORY, text);
    if (note(code, index)) throw fault(OGT_DEVICE_LOST, text);
    throw fault(code == cudaErrorNoDevice || code == cudaErrorInsufficientDriver ? OGT_DEVICE_MISSING : OGT_SYSTEM, text);
}

c10::DeviceIndex device_index(int32_t index)
{
    return static_cast<c10::DeviceIndex>(index);
}

std::string version(int number)
{
    return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

uint64_t cudnn_version()
{
    const auto &hooks = at::detail::getCUDAHooks();
    return at::globalContext().hasCUDA() && hooks.compiledWithCuDNN() ? static_cast<uint64_t>(hooks.versionCuDNN()) : 0;
}

std::string cudnn_text(uint64_t number)
{
    const uint64_t major = number >= 90000 ? number / 10000 : number / 1000, rest = number >= 90000 ? number % 10000 : number % 1000;
    return std::to_string(major) + "." + std::to_string(rest / 100) + "." + std::to_string(rest % 100);
}

/* libtorch's CUDA side begins with its first tensor; the function that says so has another name in newer versions. Once: a full device has no room for another. */
void begin_on(int32_t index)
{
    if (index >= 0 && index < most_devices && begun[index].load()) return;
    at::empty({1}, at::TensorOptions(at::kByte).device(device_of(index)));
    if (index >= 0 && index < most_devices) begun[index].store(true);
}

struct pinned_block {
    void *memory = nullptr;
    uint64_t size = 0;

    pinned_block() = default;
    pinned_block(pinned_block &&other) noexcept : memory(std::exchange(other.memory, nullptr)), size(std::exchange(other.size, 0)) {}
    pinned_block &operator=(pinned_block &&) = delete;
    ~pinned_block() { host_free(memory); }

    void reserve(uint64_t wanted)
    {
        if (wanted <= size) return;
        host_free(std::exchange(memory, nullptr));
        size = 0;
        memory = host_alloc(wanted);
        size = wanted;
    }
};

class event {
public:
    event(unsigned flags, int32_t index) : index_(index) { check(cudaEventCreateWithFlags(&handle_, flags), "create an event", index); }
    ~event() { cudaEventDestroy(handle_); }
    event(const event &) = delete;
    event &operator=(const event &) = delete;

    void record(cudaStream_t stream) { check(cudaEventRecord(handle_, stream), "record an event", index_); }

    void wait()
    {
        const auto until = std::chrono::steady_clock::now() + spinning;
        for (;;) {
            const cudaError_t state = cudaEventQuery(handle_);
            if (state == cudaSuccess) return;
            if (state != cudaErrorNotReady) check(state, "wait for the device", index_);
            cudaGetLastError();
            if (std::chrono::steady_clock::now() > until) break;
        }
        check(cudaEventSynchronize(handle_), "wait for the device", index_);
    }

    float milliseconds_since(const event &earlier) const
    {
        float time = 0;
        return cudaEventElapsedTime(&time, earlier.handle_, handle_) == cudaSuccess ? time : 0;
    }

private:
    cudaEvent_t handle_ = nullptr;
    int32_t index_;
};

class real_lane final : public lane {
public:
    explicit real_lane(int32_t index)
        : index_(index), device_(device_of(index)), stream_(c10::cuda::getStreamFromPool(false, device_.index()))
    {
        const c10::cuda::CUDAGuard here(device_);
        done_.emplace(static_cast<unsigned>(cudaEventBlockingSync | cudaEventDisableTiming), index);
        timed_begin_.emplace(static_cast<unsigned>(cudaEventDefault), index);
        timed_end_.emplace(static_cast<unsigned>(cudaEventDefault), index);
    }

    ~real_lane() override
    {
        drain();
    }

    void enter() override { guard_.emplace(stream_); }
    void leave() noexcept override { guard_.reset(); }

    void *block(size_t slot, uint64_t size) override
    {
        if (slot >= blocks_.size()) blocks_.resize(slot + 1);
        blocks_[slot].reserve(size);
        return blocks_[slot].memory;
    }

    bool holds(const at::Tensor &tensor) const override { return tensor.device() == device_; }

    at::Tensor upload(const void *from, at::IntArrayRef shape, at::ScalarType type) override
    {
        at::Tensor tensor = at::empty(shape, at::TensorOptions(type).device(device_));
        if (tensor.nbytes() > 0)
            check(cudaMemcpyAsync(tensor.data_ptr(), from, tensor.nbytes(), cudaMemcpyHostToDevice, stream_.stream()), "copy an input to the device", index_);
        return tensor;
    }

    void download(const at::Tensor &from, void *to) override
    {
        if (from.nbytes() > 0)
            check(cudaMemcpyAsync(to, from.data_ptr(), from.nbytes(), cudaMemcpyDeviceToHost, stream_.stream()), "copy an output from the device", index_);
    }

    void begin(bool timed) override
    {
        timed_ = timed;
        if (timed) timed_begin_->record(stream_.stream());
    }

    void end_and_wait() override
    {
        if (timed_) timed_end_->record(stream_.stream());
        done_->record(stream_.stream());
        done_->wait();
    }

    void drain() noexcept override
    {
        const cudaError_t code = cudaStreamSynchronize(stream_.stream());
        if (code != cudaSuccess) cudaGetLastError();
        note(code, index_);
    }

    uint64_t device_time() const override
    {
        return timed_ ? static_cast<uint64_t>(static_cast<double>(timed_end_->milliseconds_since(*timed_begin_)) * 1e6) : 0;
    }

private:
    int32_t index_;
    at::Device device_;
    c10::cuda::CUDAStream stream_;
    std::optional<c10::cuda::CUDAStreamGuard> guard_;
    std::optional<event> done_, timed_begin_, timed_end_;
    std::vector<pinned_block> blocks_;
    bool timed_ = false;
};

} // namespace

std::string missing(int32_t index)
{
    int found = 0;
    const cudaError_t state = cudaGetDeviceCount(&found);
    if (state != cudaSuccess) {
        cudaGetLastError();
        return std::string("CUDA cannot be used: ") + cudaGetErrorString(state);
    }
    if (!at::globalContext().hasCUDA()) return "this libtorch has no CUDA";
    if (index < 0 || index >= found) return "there are " + std::to_string(found) + " CUDA devices, none of number " + std::to_string(index);
    return "";
}

uint32_t count() noexcept
{
    int found = 0;
    if (cudaGetDeviceCount(&found) == cudaSuccess) return static_cast<uint32_t>(found);
    cudaGetLastError();
    return 0;
}

void describe(int32_t index, ogt_device &device)
{
    cudaDeviceProp facts = {};
    check(cudaGetDeviceProperties(&facts, index), "read a device's properties", index);
    int driver = 0, runtime = 0;
    check(cudaDriverGetVersion(&driver), "read the driver's version");
    check(cudaRuntimeGetVersion(&runtime), "read the runtime's version");
    size_t free_bytes = 0, total = 0;
    const c10::cuda::CUDAGuard here(device_index(index));
    check(cudaMemGetInfo(&free_bytes, &total), "read a device's memory", index);
    device.capability_major = static_cast<uint32_t>(facts.major);
    device.capability_minor = static_cast<uint32_t>(facts.minor);
    device.multiprocessors = static_cast<uint32_t>(facts.multiProcessorCount);
    device.driver = static_cast<uint32_t>(driver);
    device.runtime = static_cast<uint32_t>(runtime);
    device.cudnn = static_cast<uint32_t>(cudnn_version());
    device.total_bytes = total;
    device.free_bytes = free_bytes;
    const std::string name = facts.name;
    name.copy(device.name, sizeof device.name - 1);
}

void memory(int32_t index, ogt_memory &memory)
{
    begin_on(index);
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(device_index(index));
    memory.allocated = static_cast<uint64_t>(stats.allocated_bytes[0].current);
    memory.allocated_peak = static_cast<uint64_t>(stats.allocated_bytes[0].peak);
    memory.reserved = static_cast<uint64_t>(stats.reserved_bytes[0].current);
    memory.reserved_peak = static_cast<uint64_t>(stats.reserved_bytes[0].peak);
    memory.pinned = pinned.load(std::memory_order_relaxed);
}

void reset_peak(int32_t index)
{
    begin_on(index);
    c10::cuda::CUDACachingAllocator::resetPeakStats(device_index(index));
}

void trim(int32_t index)
{
    begin_on(index);
    const c10::cuda::CUDAGuard here(device_index(index));
    c10::cuda::CUDACachingAllocator::emptyCache();
}

std::string versions()
{
    int driver = 0, runtime = 0;
    if (cudaDriverGetVersion(&driver) != cudaSuccess || cudaRuntimeGetVersion(&runtime) != cudaSuccess) cudaGetLastError();
    std::string text = "runtime " + version(runtime) + ", driver " + (driver == 0 ? "none" : version(driver));
    if (const uint64_t cudnn = cudnn_version()) text += ", cudnn " + cudnn_text(cudnn);
    return text;
}

c10::Device device_of(int32_t index)
{
    return {at::kCUDA, device_index(index)};
}

bool is_lost(int32_t index) noexcept
{
    return index >= 0 && index < most_devices && lost[index].load();
}

bool look_for_loss(int32_t index) noexcept
{
    try {
        const c10::cuda::CUDAGuard here(device_index(index));
        const cudaError_t code = cudaDeviceSynchronize();
        if (code != cudaSuccess) cudaGetLastError();
        note(code, index);
    } catch (...) { /* the device cannot even be chosen: whatever failed before says why */
    }
    return is_lost(index);
}

void wait_for_device(int32_t index)
{
    const c10::cuda::CUDAGuard here(device_index(index));
    check(cudaDeviceSynchronize(), "wait for the device", index);
}

void *host_alloc(uint64_t size)
{
    /* the size lies before the memory, so that the count stays right; 64 bytes keep the alignment */
    void *memory = nullptr;
    check(cudaHostAlloc(&memory, size + 64, cudaHostAllocPortable), "page-locked memory");
    *static_cast<uint64_t *>(memory) = size;
    pinned.fetch_add(size, std::memory_order_relaxed);
    return static_cast<char *>(memory) + 64;
}

void host_free(void *memory) noexcept
{
    if (memory == nullptr) return;
    void *begin = static_cast<char *>(memory) - 64;
    pinned.fetch_sub(*static_cast<uint64_t *>(begin), std::memory_order_relaxed);
    if (cudaFreeHost(begin) != cudaSuccess) cudaGetLastError();
}

std::unique_ptr<lane> make_lane(int32_t index)
{
    begin_on(index);
    return std::make_unique<real_lane>(index);
}

} // namespace ogt::cuda
