// og_torch_plain: a plain loop in C++ over the module that the engine serves; the baseline of ./bench.sh torch.
//
//   og_torch_plain MODEL THREADS DEVICE ROWS     ROWS: each row's inputs in order, their bytes one after the other
//
// Says hello in one line of JSON, then answers commands from standard input, one line each, and sleeps between them:
//   fixed BATCH CALLS   all threads share the calls, each with one thread inside a call
//   loop BATCH CALLS    the same on this thread, with percentiles and this thread's CPU time
#include <torch/script.h>

#include <ATen/Parallel.h>
#include <torch/csrc/api/include/torch/version.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using Values = std::vector<c10::IValue>;

struct Input {
    at::ScalarType type = at::kFloat;
    std::vector<int64_t> row; // dimensions without the first
};

struct Window {
    int64_t batch;
    int64_t calls;
    double seconds;
    double cpu;
    double p50;
    double p99;
};

double seconds_of(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

at::ScalarType type_of(const std::string &name) {
    static const std::unordered_map<std::string, at::ScalarType> types{
        {"float32", at::kFloat}, {"float64", at::kDouble}, {"float16", at::kHalf}, {"uint8", at::kByte}, {"int8", at::kChar},
        {"int16", at::kShort},   {"int32", at::kInt},      {"int64", at::kLong},   {"bool", at::kBool}};
    const auto found = types.find(name);
    if (found == types.end()) throw std::runtime_error("signature: type '" + name + "' is not driven by this benchmark");
    return found->second;
}

// Lines as native/include/og_torch.h has them: "input NAME TYPE ?batch 64".
std::vector<Input> inputs_of(const std::string &signature) {
    std::vector<Input> inputs;
    std::istringstream lines(signature);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string direction, name, type, dimension;
        fields >> direction >> name >> type >> dimension;
        if (direction != "input") continue;
        Input input{type_of(type), {}};
        while (fields >> dimension) input.row.push_back(std::stoll(dimension));
        inputs.push_back(std::move(input));
    }
    if (inputs.empty()) throw std::runtime_error("the archive has no signature");
    return inputs;
}

class Plain {
public:
    Plain(const std::string &path, unsigned threads, const std::string &device, const std::string &rows)
        : threads_(threads), device_(device) {
        torch::jit::ExtraFilesMap extra{{"opengradient.signature", ""}};
        module_ = torch::jit::load(path, device_, extra);
        module_.eval();
        module_ = torch::jit::freeze(module_);
        inputs_ = inputs_of(extra["opengradient.signature"]);
        read(rows);
    }

    Window loop(int64_t batch, int64_t calls) {
        const Values given = batch_of(batch);
        std::vector<at::Tensor> kept;
        std::vector<double> times(static_cast<size_t>(std::max<int64_t>(calls, 1)));
        call(given, kept);
        const double cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID), start = seconds_of(CLOCK_MONOTONIC);
        double before = start;
        for (int64_t i = 0; i < calls; i++) {
            call(given, kept);
            const double now = seconds_of(CLOCK_MONOTONIC);
            times[static_cast<size_t>(i)] = now - before;
            before = now;
        }
        const double seconds = seconds_of(CLOCK_MONOTONIC) - start, used = seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
        std::sort(times.begin(), times.end());
        return {batch, calls, seconds, used, times[times.size() / 2] * 1e6, times[times.size() * 99 / 100] * 1e6};
    }

    Window fixed(int64_t batch, int64_t calls) {
        const Values given = batch_of(batch);
        std::atomic<int64_t> left{calls};
        std::atomic<unsigned> ready{0};
        std::atomic<bool> go{false};
        std::vector<std::thread> workers;
        for (unsigned i = 0; i < threads_; i++)
            workers.emplace_back([&] {
                c10::InferenceMode inference;
                at::set_num_threads(1);
                std::vector<at::Tensor> kept;
                call(given, kept);
                ready++;
                while (!go) std::this_thread::yield();
                while (left.fetch_sub(1) > 0) call(given, kept);
            });
        while (ready < threads_) std::this_thread::yield();
        const double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), start = seconds_of(CLOCK_MONOTONIC);
        go = true;
        for (std::thread &worker : workers) worker.join();
        const double seconds = seconds_of(CLOCK_MONOTONIC) - start, used = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        const double each = seconds / static_cast<double>(std::max<int64_t>(calls, 1)) * threads_ * 1e6;
        return {batch, calls, seconds, used, each, each};
    }

private:
    void read(const std::string &path) {
        std::ifstream file(path, std::ios::binary);
        const std::vector<char> data{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        std::vector<size_t> widths;
        size_t width = 0;
        for (const Input &input : inputs_) {
            size_t bytes = at::elementSize(input.type);
            for (const int64_t size : input.row) bytes *= static_cast<size_t>(size);
            widths.push_back(bytes);
            width += bytes;
        }
        const int64_t rows = static_cast<int64_t>(data.size() / width);
        if (rows == 0) throw std::runtime_error("the file of rows is empty");
        size_t offset = 0;
        for (size_t i = 0; i < inputs_.size(); offset += widths[i++]) {
            std::vector<int64_t> shape{rows};
            shape.insert(shape.end(), inputs_[i].row.begin(), inputs_[i].row.end());
            at::Tensor column = at::empty(shape, inputs_[i].type);
            for (int64_t row = 0; row < rows; row++)
                std::copy_n(data.data() + static_cast<size_t>(row) * width + offset, widths[i],
                            static_cast<char *>(column.data_ptr()) + static_cast<size_t>(row) * widths[i]);
            columns_.push_back(column);
        }
    }

    // The first rows, again from the start when there are fewer.
    Values batch_of(int64_t size) const {
        Values given;
        for (const at::Tensor &column : columns_) {
            at::Tensor rows = column.index_select(0, at::arange(size, at::kLong).remainder(column.size(0)));
            given.emplace_back(device_.is_cuda() ? rows.pin_memory() : rows);
        }
        return given;
    }

    // On the CPU the outputs stay where forward left them, which is what a loop in C++ would read.
    void call(const Values &given, std::vector<at::Tensor> &kept) {
        if (!device_.is_cuda()) {
            rows_ += tensors_of(module_.forward(given)).front().size(0);
            return;
        }
        Values moved;
        for (const c10::IValue &value : given) moved.emplace_back(value.toTensor().to(device_, /*non_blocking=*/true));
        const std::vector<at::Tensor> outputs = tensors_of(module_.forward(std::move(moved)));
        if (kept.empty())
            for (const at::Tensor &output : outputs) kept.push_back(at::empty(output.sizes(), output.scalar_type()).pin_memory());
        // The last copy waits for the stream, and so for those before it: one synchronisation.
        for (size_t i = 0; i < outputs.size(); i++) kept[i].copy_(outputs[i], /*non_blocking=*/i + 1 < outputs.size());
    }

    static std::vector<at::Tensor> tensors_of(const c10::IValue &value) {
        if (value.isTensor()) return {value.toTensor()};
        std::vector<at::Tensor> tensors;
        for (const c10::IValue &element : value.toTupleRef().elements()) tensors.push_back(element.toTensor());
        return tensors;
    }

    unsigned threads_;
    at::Device device_;
    torch::jit::Module module_;
    std::vector<Input> inputs_;
    std::vector<at::Tensor> columns_;
    std::atomic<int64_t> rows_{0}; // of all calls, so that none can be left out
};

void print(const Window &window) {
    std::printf("{\"batch\": %lld, \"requests\": %lld, \"seconds\": %.9f, \"cpu_seconds\": %.9f, \"p50_us\": %.3f, \"p99_us\": %.3f}\n",
                static_cast<long long>(window.batch), static_cast<long long>(window.batch * window.calls), window.seconds, window.cpu,
                window.p50, window.p99);
    std::fflush(stdout);
}

int run(char **argv) {
    // As the engine's shim: one thread in a call, and the first call computes as every later one does. TF32 is off for products
    // of matrices as libtorch has it, and the models here have no convolutions.
    at::set_num_threads(1);
    torch::jit::getProfilingMode() = false;
    torch::jit::setTensorExprFuserEnabled(false);
    c10::InferenceMode inference;
    Plain plain(argv[1], static_cast<unsigned>(std::stoul(argv[2])), argv[3], argv[4]);
    std::printf("{\"torch\": \"%s\"}\n", TORCH_VERSION);
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream fields(line);
        std::string name;
        int64_t batch = 0, calls = 0;
        if (!(fields >> name >> batch >> calls) || batch < 1) throw std::runtime_error("not understood: " + line);
        if (name == "fixed") print(plain.fixed(batch, calls));
        else if (name == "loop") print(plain.loop(batch, calls));
        else throw std::runtime_error("not understood: " + line);
    }
    return 0;
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: og_torch_plain MODEL THREADS DEVICE ROWS\n");
        return 2;
    }
    try {
        return run(argv);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "og_torch_plain: %s\n", error.what());
        return 2;
    }
}
