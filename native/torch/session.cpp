#include "session.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <time.h>

#include <ATen/Functions.h>
#include <c10/core/InferenceMode.h>

#include "fault.h"
#include "graph.h"
#include "process.h"
#include "types.h"

namespace ogt {

namespace {

alignas(64) const char nothing[64] = {}; /* where an output of no bytes lies */

at::IntArrayRef shape_of(const ogt_tensor &tensor)
{
    return {tensor.shape, tensor.rank};
}

/* Of type and shape. False where they cannot be counted: with a dimension of 0 too, as libtorch multiplies the others for its strides. */
bool count_bytes(const ogt_tensor &tensor, uint64_t &bytes)
{
    uint64_t others = type_size(tensor.type);
    bool empty = false;
    for (uint32_t k = 0; k < tensor.rank; k++) {
        if (tensor.shape[k] < 0) return false;
        if (tensor.shape[k] == 0) empty = true;
        else if (__builtin_mul_overflow(others, static_cast<uint64_t>(tensor.shape[k]), &others)) return false;
    }
    bytes = empty ? 0 : others;
    return others <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
}

bool lies_in(const void *data, const ogt_tensor &input)
{
    const auto *begin = static_cast<const char *>(input.data);
    const auto *at = static_cast<const char *>(data);
    return input.bytes > 0 && at >= begin && at < begin + input.bytes;
}

/* On the device while it lives; whatever is queued is waited for before memory is given up. */
class device_scope {
public:
    explicit device_scope(cuda::lane *lane) : lane_(lane)
    {
        if (lane_ != nullptr) lane_->enter();
    }
    ~device_scope()
    {
        if (lane_ == nullptr) return;
        if (!finished_) lane_->drain();
        lane_->leave();
    }
    device_scope(const device_scope &) = delete;
    device_scope &operator=(const device_scope &) = delete;

    void finish()
    {
        if (lane_ != nullptr) lane_->end_and_wait();
        finished_ = true;
    }

private:
    cuda::lane *lane_;
    bool finished_ = false;
};

/* The session's only call while it lives: two at once would free each other's memory. */
class entry_scope {
public:
    explicit entry_scope(std::atomic<bool> &entered) : entered_(entered)
    {
        if (entered_.exchange(true, std::memory_order_acquire)) throw fault(OGT_STATE, "the session is in another thread's call");
    }
    ~entry_scope() { entered_.store(false, std::memory_order_release); }
    entry_scope(const entry_scope &) = delete;
    entry_scope &operator=(const entry_scope &) = delete;

private:
    std::atomic<bool> &entered_;
};

} // namespace

session::session(std::shared_ptr<const loaded_module> module) : module_(std::move(module))
{
    inputs_.resize(module_->values.inputs.size());
    outputs_.resize(module_->values.outputs.size());
    stack_.reserve(1 + inputs_.size() + module_->defaults.size());
    if (!module_->on_gpu) return;
    if (cuda::is_lost(module_->gpu)) throw fault(OGT_DEVICE_LOST, "the device was lost before, and only a new process gets it back");
    lane_ = cuda::make_lane(module_->gpu);
}

uint64_t session::clock() const noexcept
{
    if (!measured_) return 0;
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

void session::forget() noexcept
{
    stack_.clear();
    for (produced_output &each : outputs_) each.keep.reset();
    ready_ = false;
}

void session::check_counts(const ogt_tensor *inputs, uint32_t input_count, const ogt_tensor *outputs, uint32_t output_count) const
{
    require(inputs != nullptr, "inputs");
    require(outputs != nullptr, "outputs");
    if (input_count != inputs_.size()) throw fault(OGT_OUT_OF_RANGE, std::to_string(input_count) + " inputs for " + std::to_string(inputs_.size()));
    if (output_count != outputs_.size()) throw fault(OGT_OUT_OF_RANGE, std::to_string(output_count) + " outputs for " + std::to_string(outputs_.size()));
}

void session::check_inputs(const ogt_tensor *inputs)
{
    sizes_.reset(module_->values.symbols.size());
    for (size_t i = 0; i < inputs_.size(); i++) {
        const ogt_tensor &input = inputs[i];
        const value_spec &declared = module_->values.inputs[i];
        if (!scalar_type(input.type)) throw fault(OGT_WRONG_INPUT, "'" + declared.name + "' has type " + std::to_string(input.type) + ", which is not served");
        if (input.rank > OGT_MAX_RANK) throw fault(OGT_WRONG_INPUT, "'" + declared.name + "' has rank " + std::to_string(input.rank));
        uint64_t bytes = 0;
        if (!count_bytes(input, bytes)) throw fault(OGT_WRONG_INPUT, "'" + declared.name + "' has a dimension that nothing has");
        const std::string wrong = sizes_.check(module_->values, declared, input.type, input.shape, input.rank);
        if (!wrong.empty()) throw fault(OGT_WRONG_INPUT, wrong);
        if (bytes != input.bytes)
            throw fault(OGT_WRONG_INPUT, "'" + declared.name + "' has " + std::to_string(input.bytes) + " bytes, its shape " + std::to_string(bytes));
        if (bytes > 0) require(input.data != nullptr, "an input's data");
    }
}

at::Tensor session::bind(size_t index, const ogt_tensor &input)
{
    bound_input &bound = inputs_[index];
    const bool same = bound.tensor.defined() && bound.data == input.data && bound.type == input.type && bound.rank == input.rank &&
                      std::equal(input.shape, input.shape + input.rank, bound.shape.begin());
    if (!same) {
        bound.tensor = at::from_blob(input.data, shape_of(input), at::TensorOptions(*scalar_type(input.type)));
        bound.data = input.data;
        bound.type = input.type;
        bound.rank = input.rank;
        std::copy_n(input.shape, input.rank, bound.shape.begin());
    }
    return module_->copies_input[index] ? bound.tensor.clone() : bound.tensor;
}

at::Tensor session::upload(size_t index, const ogt_tensor &input)
{
    const void *from = input.data;
    if ((input.flags & OGT_TENSOR_PINNED) == 0 && input.bytes > 0) {
        const uint64_t begin = clock();
        void *staged = lane_->block(index, input.bytes);
        std::memcpy(staged, input.data, input.bytes);
        times_.stage += clock() - begin;
        from = staged;
    }
    return lane_->upload(from, shape_of(input), *scalar_type(input.type));
}

void session::forward()
{
    const stop_scope stoppable(stop_);
    try {
        module_->forward->run(stack_);
    } catch (...) {
        /* the interpreter turns whatever a checkpoint throws into an error of its own */
        if (stop_.load(std::memory_order_relaxed)) throw fault(OGT_TERMINATED, "the call was terminated");
        throw;
    }
}

void session::take_one(size_t index, at::Tensor result, const ogt_tensor *inputs)
{
    const value_spec &declared = module_->values.outputs[index];
    produced_output &output = outputs_[index];
    if (!result.defined() || result.layout() != at::kStrided || result.is_quantized() || result.is_meta())
        throw fault(OGT_WRONG_OUTPUT, "'" + declared.name + "' is no plain tensor");
    output.type = type_number(result.scalar_type());
    if (output.type == OGT_TYPE_UNKNOWN) throw fault(OGT_WRONG_OUTPUT, "'" + declared.name + "' has type " + c10::toString(result.scalar_type()) + ", which is not served");
    if (result.dim() > OGT_MAX_RANK) throw fault(OGT_WRONG_OUTPUT, "'" + declared.name + "' has " + std::to_string(result.dim()) + " dimensions");
    output.rank = static_cast<uint32_t>(result.dim());
    std::copy(result.sizes().begin(), result.sizes().end(), output.shape.begin());
    const std::string wrong = sizes_.check(module_->values, declared, output.type, output.shape.data(), output.rank);
    if (!wrong.empty()) throw fault(OGT_WRONG_OUTPUT, wrong);
    /* what forward moved elsewhere comes back by libtorch's own, waiting copy */
    const bool downloads = lane_ != nullptr && lane_->holds(result);
    if (!downloads && !result.device().is_cpu()) result = result.cpu();
    result = result.resolve_neg().contiguous(); /* a lazy sign is in no byte */
    if (result.nbytes() > 0 && result.data_ptr() == nullptr) throw fault(OGT_WRONG_OUTPUT, "'" + declared.name + "' is a tensor without memory");
    if (!downloads) {
        /* what the caller or a later run may overwrite is not lent */
        bool borrowed = (module_->info.flags & OGT_MODULE_STATEFUL) != 0;
        for (size_t i = 0; i < inputs_.size(); i++) borrowed |= lies_in(result.data_ptr(), inputs[i]);
        if (borrowed) result = result.clone();
    }
    output.bytes = result.nbytes();
    output.data = output.bytes == 0 ? nothing : result.data_ptr();
    output.on_device = downloads && output.bytes > 0;
    output.keep = std::move(result);
}

void session::take_results(const ogt_tensor *inputs)
{
    const c10::IValue result = std::move(stack_.back());
    stack_.clear();
    if (!module_->returns_tuple) {
        if (!result.isTensor()) throw fault(OGT_WRONG_OUTPUT, "forward returned a " + result.tagKind() + ", no tensor");
        take_one(0, result.toTensor(), inputs);
        return;
    }
    if (!result.isTuple() || result.toTupleRef().elements().size() != outputs_.size())
        throw fault(OGT_WRONG_OUTPUT, "forward did not return " + std::to_string(outputs_.size()) + " values");
    const auto &elements = result.toTupleRef().elements();
    for (size_t i = 0; i < outputs_.size(); i++) {
        if (!elements[i].isTensor()) throw fault(OGT_WRONG_OUTPUT, "'" + module_->values.outputs[i].name + "' is a " + elements[i].tagKind() + ", no tensor");
        take_one(i, elements[i].toTensor(), inputs);
    }
}

bool session::too_small(const ogt_tensor *outputs) const
{
    for (size_t i = 0; i < outputs_.size(); i++)
        if (outputs[i].data != nullptr && outputs[i].capacity < outputs_[i].bytes) return true;
    return false;
}

void session::download(const ogt_tensor *outputs)
{
    const bool negotiating = too_small(outputs);
    for (size_t i = 0; i < outputs_.size(); i++) {
        produced_output &output = outputs_[i];
        if (!output.on_device) continue;
        const bool straight = !negotiating && outputs[i].data != nullptr && (outputs[i].flags & OGT_TENSOR_PINNED) != 0;
        void *to = straight ? outputs[i].data : lane_->block(OGT_MAX_VALUES + i, output.bytes);
        lane_->download(output.keep, to);
        output.data = straight ? nullptr : to;
    }
}

void session::compute(const ogt_tensor *inputs, ogt_tensor *outputs)
{
    const c10::InferenceMode no_gradients(true);
    std::unique_lock<std::mutex> alone(module_->running, std::defer_lock);
    if ((module_->info.flags & OGT_MODULE_STATEFUL) != 0) alone.lock();
    device_scope device(lane_.get());
    if (lane_ != nullptr) lane_->begin(measured_);
    const uint64_t begin = clock();
    stack_.clear();
    stack_.emplace_back(module_->module._ivalue());
    for (size_t i = 0; i < inputs_.size(); i++) stack_.emplace_back(lane_ == nullptr ? bind(i, inputs[i]) : upload(i, inputs[i]));
    stack_.insert(stack_.end(), module_->defaults.begin(), module_->defaults.end());
    forward();
    take_results(inputs);
    const uint64_t computed = clock();
    times_.forward = computed - begin - times_.stage;
    if (lane_ == nullptr) return;
    download(outputs);
    device.finish();
    times_.wait = clock() - computed;
    times_.device = lane_->device_time();
}

void session::publish(ogt_tensor *outputs)
{
    const bool small = too_small(outputs);
    std::string text;
    for (size_t i = 0; i < outputs_.size(); i++) {
        const produced_output &output = outputs_[i];
        ogt_tensor &to = outputs[i];
        to.bytes = output.bytes;
        to.type = output.type;
        to.rank = output.rank;
        std::copy(output.shape.begin(), output.shape.end(), to.shape);
        if (small) {
            if (to.data != nullptr && to.capacity < output.bytes)
                text += (text.empty() ? "'" : ", '") + module_->values.outputs[i].name + "' takes " + std::to_string(output.bytes) + " bytes";
        } else if (to.data == nullptr) {
            to.data = const_cast<void *>(output.data); /* lent to be read */
            to.capacity = 0;
        } else if (output.data != nullptr && output.bytes > 0) {
            std::memcpy(to.data, output.data, output.bytes);
        }
    }
    if (small) throw fault(OGT_SMALL_BUFFER, text);
}

void session::run(const ogt_tensor *inputs, uint32_t input_count, ogt_tensor *outputs, uint32_t output_count)
{
    check_counts(inputs, input_count, outputs, output_count);
    const entry_scope entry(entered_);
    forget();
    run_entered(inputs, outputs);
}

/* What was thrown is being handled; returns where it says all there is to say. */
void session::after_failure()
{
    forget();
    if (lane_ == nullptr) return;
    const std::string text = text_of_current_exception();
    if (cuda::is_lost(module_->gpu)) throw fault(OGT_DEVICE_LOST, text);
    if (!speaks_of_memory(text)) return;
    try {
        cuda::trim(module_->gpu); /* so that fewer rows may fit next time */
    } catch (...) { /* the failure before this one is told */
    }
}

void session::run_entered(const ogt_tensor *inputs, ogt_tensor *outputs)
{
    if (stop_.load(std::memory_order_relaxed)) throw fault(OGT_TERMINATED, "the session is terminated");
    times_ = {};
    const uint64_t begin = clock();
    check_inputs(inputs);
    if (lane_ != nullptr && cuda::is_lost(module_->gpu)) throw fault(OGT_DEVICE_LOST, "the device was lost before, and only a new process gets it back");
    prepare_thread(module_->threads);
    try {
        compute(inputs, outputs);
    } catch (...) {
        after_failure();
        throw;
    }
    ready_ = true;
    const uint64_t computed = clock();
    publish(outputs);
    times_.outputs = clock() - computed;
    times_.total = clock() - begin;
}

void session::publish_again(ogt_tensor *outputs, uint32_t output_count)
{
    require(outputs != nullptr, "outputs");
    const entry_scope entry(entered_);
    if (!ready_) throw fault(OGT_STATE, "the last run gave no outputs");
    if (output_count != outputs_.size()) throw fault(OGT_OUT_OF_RANGE, std::to_string(output_count) + " outputs for " + std::to_string(outputs_.size()));
    for (const produced_output &each : outputs_)
        if (each.data == nullptr) throw fault(OGT_STATE, "the last run's outputs went straight to page-locked memory");
    publish(outputs);
}

} // namespace ogt
