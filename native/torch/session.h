/* One worker's way into a module. */
#ifndef OG_TORCH_SESSION_H
#define OG_TORCH_SESSION_H

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include <ATen/core/stack.h>

#include "cuda.h"
#include "module.h"
#include "signature.h"

namespace ogt {

/* An input as libtorch sees it: kept as long as the caller comes with the same memory and shape. */
struct bound_input {
    const void *data = nullptr;
    uint32_t type = OGT_TYPE_UNKNOWN, rank = 0;
    std::array<int64_t, OGT_MAX_RANK> shape = {};
    at::Tensor tensor;
};

/* An output of the last run, in host memory. */
struct produced_output {
    at::Tensor keep;            /* holds `data` where it is a tensor's */
    const void *data = nullptr; /* null: it went straight to the caller */
    bool on_device = false;     /* to be copied before `data` holds it */
    uint64_t bytes = 0;
    uint32_t type = OGT_TYPE_UNKNOWN, rank = 0;
    std::array<int64_t, OGT_MAX_RANK> shape = {};
};

class session {
public:
    explicit session(std::shared_ptr<const loaded_module> module);

    void run(const ogt_tensor *inputs, uint32_t input_count, ogt_tensor *outputs, uint32_t output_count);
    void publish_again(ogt_tensor *outputs, uint32_t output_count);

    /* Any thread. */
    void stop(bool on) noexcept { stop_.store(on, std::memory_order_relaxed); }

    void measure(bool on) noexcept { measured_ = on; }
    const ogt_times &times() const noexcept { return times_; }

private:
    void check_counts(const ogt_tensor *inputs, uint32_t input_count, const ogt_tensor *outputs, uint32_t output_count) const;
    void check_inputs(const ogt_tensor *inputs);
    void run_entered(const ogt_tensor *inputs, ogt_tensor *outputs);
    void compute(const ogt_tensor *inputs, ogt_tensor *outputs);
    void after_failure();
    at::Tensor bind(size_t index, const ogt_tensor &input);
    at::Tensor upload(size_t index, const ogt_tensor &input);
    void forward();
    void take_results(const ogt_tensor *inputs);
    void take_one(size_t index, at::Tensor result, const ogt_tensor *inputs);
    void download(const ogt_tensor *outputs);
    bool too_small(const ogt_tensor *outputs) const;
    void publish(ogt_tensor *outputs);
    void forget() noexcept;
    uint64_t clock() const noexcept;

    std::shared_ptr<const loaded_module> module_;
    std::unique_ptr<cuda::lane> lane_; /* null on the CPU */
    std::atomic<bool> stop_{false};
    torch::jit::Stack stack_;
    std::vector<bound_input> inputs_;
    std::vector<produced_output> outputs_;
    symbol_sizes sizes_;
    ogt_times times_ = {};
    bool measured_ = false, ready_ = false;
    std::atomic<bool> entered_{false};
};

} // namespace ogt

#endif
