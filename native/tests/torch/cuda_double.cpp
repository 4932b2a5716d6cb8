#include "cuda_double.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include <ATen/Functions.h>

#include "cuda.h"
#include "fault.h"

cuda_double doubled;
std::atomic<bool> call_begun{false};

namespace {

constexpr int32_t devices = 2;
constexpr const char *lasting = "CUDA error: an illegal memory access was encountered";

bool lost[devices], unnoticed[devices];
std::mutex gate;
std::map<char *, uint64_t> pinned; /* begin and size */

bool is_pinned(const void *memory, uint64_t size)
{
    const std::lock_guard<std::mutex> lock(gate);
    const auto *at = static_cast<const char *>(memory);
    for (const auto &[begin, bytes] : pinned)
        if (at >= begin && at + size <= begin + bytes) return true;
    return false;
}

void expect(bool holds)
{
    if (!holds) doubled.mistakes++;
}

} // namespace

void reset_double()
{
    doubled = {};
    doubled.loses = -1;
    call_begun = false;
    for (int32_t i = 0; i < devices; i++) lost[i] = unnoticed[i] = false;
}

uint64_t pinned_bytes()
{
    const std::lock_guard<std::mutex> lock(gate);
    uint64_t bytes = 0;
    for (const auto &[begin, size] : pinned) bytes += size;
    return bytes;
}

namespace ogt::cuda {

namespace {

class lane_double final : public lane {
public:
    explicit lane_double(int32_t index) : index_(index) {}
    ~lane_double() override
    {
        for (char *block : blocks_) host_free(block);
    }

    void enter() override
    {
        inside_ = true;
        doubled.scopes++;
    }
    void leave() noexcept override
    {
        expect(waiting_.empty()); /* memory would be given up under queued work */
        inside_ = false;
    }

    void *block(size_t slot, uint64_t size) override
    {
        if (slot >= blocks_.size()) {
            blocks_.resize(slot + 1);
            sizes_.resize(slot + 1);
        }
        if (size > sizes_[slot]) {
            host_free(blocks_[slot]);
            blocks_[slot] = static_cast<char *>(host_alloc(size));
            sizes_[slot] = size;
        }
        return blocks_[slot];
    }

    bool holds(const at::Tensor &) const override { return true; }

    at::Tensor upload(const void *from, at::IntArrayRef shape, at::ScalarType type) override
    {
        doubled.uploads++;
        if (doubled.loses == index_) {
            unnoticed[index_] = true;
            lost[index_] = !doubled.loses_silently;
            if (doubled.loses_silently) throw std::runtime_error("a message of something else");
            throw fault(OGT_DEVICE_LOST, lasting);
        }
        if (doubled.fits != 0 && !shape.empty() && shape[0] > doubled.fits) {
            if (doubled.says_it_with_words) throw std::runtime_error("CUDA out of memory. Tried to allocate 2.00 GiB");
            throw fault(OGT_OUT_OF_MEMORY, "page-locked memory: out of memory");
        }
        at::Tensor tensor = at::empty(shape, at::TensorOptions(type));
        expect(inside_ && (tensor.nbytes() == 0 || is_pinned(from, tensor.nbytes())));
        if (tensor.nbytes() > 0) std::memcpy(tensor.data_ptr(), from, tensor.nbytes());
        return tensor;
    }

    /* Copied when it is waited for: what reads it before reads the batch before. */
    void download(const at::Tensor &from, void *to) override
    {
        doubled.downloads++;
        expect(inside_ && is_pinned(to, from.nbytes()));
        waiting_.emplace_back(from, to);
    }

    void begin(bool timed) override
    {
        timed_ = timed;
        call_begun = true;
    }

    void end_and_wait() override
    {
        doubled.synchronisations++;
        for (const auto &[from, to] : waiting_) std::memcpy(to, from.data_ptr(), from.nbytes());
        waiting_.clear();
    }

    void drain() noexcept override
    {
        doubled.drains++;
        waiting_.clear();
        if (unnoticed[index_]) lost[index_] = true;
    }

    uint64_t device_time() const override { return timed_ ? 1 : 0; }

private:
    int32_t index_;
    bool inside_ = false, timed_ = false;
    std::vector<char *> blocks_;
    std::vector<uint64_t> sizes_;
    std::vector<std::pair<at::Tensor, void *>> waiting_;
};

} // namespace

std::string missing(int32_t index)
{
    return index >= 0 && index < devices ? "" : "there are 2 CUDA devices, none of number " + std::to_string(index);
}

uint32_t count() noexcept
{
    return devices;
}

void describe(int32_t, ogt_device &device)
{
    device.capability_major = 9;
    device.multiprocessors = 132;
}

void memory(int32_t, ogt_memory &memory)
{
    memory.pinned = pinned_bytes();
}

void reset_peak(int32_t)
{
}

void trim(int32_t)
{
    doubled.trims++;
}

std::string versions()
{
    return "double";
}

c10::Device device_of(int32_t)
{
    return c10::Device(c10::kCPU);
}

bool is_lost(int32_t index) noexcept
{
    return lost[index];
}

bool look_for_loss(int32_t index) noexcept
{
    if (unnoticed[index]) lost[index] = true;
    return lost[index];
}

void wait_for_device(int32_t index)
{
    if (doubled.loses == index) {
        unnoticed[index] = true;
        throw std::runtime_error(lasting);
    }
}

void *host_alloc(uint64_t size)
{
    auto *memory = static_cast<char *>(std::aligned_alloc(64, (size + 63) / 64 * 64));
    if (memory == nullptr) throw std::bad_alloc();
    const std::lock_guard<std::mutex> lock(gate);
    pinned[memory] = size;
    return memory;
}

void host_free(void *memory) noexcept
{
    if (memory == nullptr) return;
    const std::lock_guard<std::mutex> lock(gate);
    pinned.erase(static_cast<char *>(memory));
    std::free(memory);
}

std::unique_ptr<lane> make_lane(int32_t index)
{
    return std::make_unique<lane_double>(index);
}

} // namespace ogt::cuda
