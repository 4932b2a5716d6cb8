#include "session.h"

#include <algorithm>
#include <cstring>

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

} // namespace

session::session(std::shared_ptr<const loaded_module> module) : module_(std::move(module))
{
    inputs_.resize(module_->values.inputs.size());
    outputs_.resize(module_->values.outputs.size());
    stack_.reserve(1 + inputs_.size() + module_->defaults.size());
    if (module_->device.is_cuda()) lane_ = cuda::make_lane(module_->device.index());
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
        uint64_t bytes = type_size(input.type);
        for (uint32_t k = 0; k < input.rank; k++)
            if (input.shape[k] < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(input.shape[k]), &bytes))
                throw fault(OGT_WRONG_INPUT, "'" + declared.name + "' has a dimension that nothing has");
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
    result = result.contiguous();
    if (result.device().is_cpu()) {
        /* what the caller or a later run may overwrite is not lent */
        bool borrowed = (module_->info.flags & OGT_MODULE_STATEFUL) != 0;
        for (size_t i = 0; i < inputs_.size(); i++) borrowed |= lies_in(result.data_ptr(), inputs[i]);
        if (borrowed) result = result.clone();
    }
    output.bytes = result.nbytes();
    output.data = output.bytes == 0 ? nothing : result.data_ptr();
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
        if (output.keep.device().is_cpu() || output.bytes == 0) continue;
        const bool straight = !negotiating && outputs[i].data != nullptr && (outputs[i].flags & OGT_TENSOR_PINNED) != 0;
        void *to = straight ? outputs[i].data : lane_->block(OGT_MAX_VALUES + i, output.bytes);
        lane_->download(output.keep, to);
        output.data = straight ? nullptr : to;
    }
}

void session::compute(const ogt_tensor *inputs, ogt_tensor *outputs)
{
    const c10::InferenceMode no_gradients(true);
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
    forget();
    if (stop_.load(std::memory_order_relaxed)) throw fault(OGT_TERMINATED, "the session is terminated");
    times_ = {};
    const uint64_t begin = clock();
    check_inputs(inputs);
    prepare_thread(module_->threads);
    try {
        compute(inputs, outputs);
    } catch (const std::exception &failed) {
        forget();
        /* cached memory is given back, so that fewer rows may fit next time */
        if (lane_ != nullptr && speaks_of_memory(failed.what())) cuda::trim(module_->device.index());
        throw;
    } catch (...) {
        forget();
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
    if (!ready_) throw fault(OGT_STATE, "the last run gave no outputs");
    if (output_count != outputs_.size()) throw fault(OGT_OUT_OF_RANGE, std::to_string(output_count) + " outputs for " + std::to_string(outputs_.size()));
    for (const produced_output &each : outputs_)
        if (each.data == nullptr) throw fault(OGT_STATE, "the last run's outputs went straight to page-locked memory");
    publish(outputs);
}

} // namespace ogt
