#include "process.h"

#include <atomic>
#include <cstring>
#include <mutex>

#include <dlfcn.h>
#include <xmmintrin.h>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/print_handler.h>
#include <torch/version.h>

#include "cuda.h"
#include "fault.h"

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 2)
#define OGT_FILLS_NEW_MEMORY 1 /* deterministic mode fills every new tensor, unless it is told not to */
#else
#define OGT_FILLS_NEW_MEMORY 0
#endif

namespace ogt {

namespace {

std::mutex starting;
std::atomic<bool> started{false};
ogt_settings chosen;

/* What follows a phrase in libtorch's account of itself, as far as it consists of some characters. */
std::string told(const char *phrase, const char *characters)
{
    const std::string config = at::show_config();
    const size_t found = config.find(phrase);
    if (found == std::string::npos) return "";
    const size_t begin = found + std::strlen(phrase), end = config.find_first_not_of(characters, begin);
    return config.substr(begin, end == std::string::npos ? end : end - begin);
}

/* "TORCH_VERSION=1.13.1, ": the only place where the loaded library says it. */
std::string loaded_version()
{
    return told("TORCH_VERSION=", "0123456789.");
}

void check_library()
{
    const std::string loaded = loaded_version();
    const std::string built = std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + ".";
    if (loaded.compare(0, built.size(), built) != 0)
        throw fault(OGT_WRONG_LIBRARY, "this was compiled for libtorch " + built + "x, the loaded one is " + (loaded.empty() ? "of no known version" : loaded));
    static_assert(TORCH_VERSION_MAJOR > 1 || TORCH_VERSION_MINOR >= 13, "libtorch 1.13 or newer");
}

void apply(const ogt_settings &settings)
{
    torch::jit::setTensorExprFuserEnabled(false);
    torch::jit::getProfilingMode() = false;
    torch::jit::setPrintHandler([](const std::string &) {}); /* a model's prints are not the host's output */
    at::Context &context = at::globalContext();
    context.setDeterministicAlgorithms(settings.allow_nondeterministic == 0, false);
#if OGT_FILLS_NEW_MEMORY
    context.setDeterministicFillUninitializedMemory(false);
#endif
    context.setDeterministicCuDNN(settings.allow_nondeterministic == 0);
    context.setBenchmarkCuDNN(false);
    context.setAllowTF32CuBLAS(settings.allow_tf32 != 0);
    context.setAllowTF32CuDNN(settings.allow_tf32 != 0);
    context.setAllowFP16ReductionCuBLAS(settings.allow_reduced_reductions != 0);
#if TORCH_VERSION_MAJOR >= 2
    context.setAllowBF16ReductionCuBLAS(settings.allow_reduced_reductions != 0);
#endif
    at::set_num_interop_threads(1);
}

bool same(const ogt_settings &left, const ogt_settings &right)
{
    return (left.allow_tf32 != 0) == (right.allow_tf32 != 0) && (left.allow_reduced_reductions != 0) == (right.allow_reduced_reductions != 0) &&
           (left.allow_nondeterministic != 0) == (right.allow_nondeterministic != 0) && (left.flush_denormals != 0) == (right.flush_denormals != 0);
}

std::string numerics_text()
{
    return std::string("fuser=off,profiling=off,tf32=") + (chosen.allow_tf32 ? "on" : "off") + ",reduced=" + (chosen.allow_reduced_reductions ? "on" : "off") +
           ",deterministic=" + (chosen.allow_nondeterministic ? "off" : "on") + ",ftz=" + (chosen.flush_denormals ? "on" : "host");
}

std::string libtorch_path()
{
    Dl_info info = {};
    /* in libtorch_cpu.so, whatever else is loaded */
    if (dladdr(reinterpret_cast<const void *>(static_cast<void (*)(int)>(&at::set_num_threads)), &info) == 0 || info.dli_fname == nullptr) return "";
    return info.dli_fname;
}

std::string text_of(uint32_t kind)
{
    switch (kind) {
    case OGT_TEXT_LIBTORCH: return loaded_version();
    case OGT_TEXT_PATH: return libtorch_path();
    case OGT_TEXT_CPU: return told("CPU capability usage: ", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"); /* 1.13 has no function for it */
    case OGT_TEXT_BLAS: return blas_text();
    case OGT_TEXT_BLAS_PATH: return blas_path();
    case OGT_TEXT_NUMERICS: return numerics_text();
    case OGT_TEXT_CUDA: return cuda::versions();
    case OGT_TEXT_CONFIG: return at::show_config();
    case OGT_TEXT_WARNING: return warning_text();
    default: throw fault(OGT_OUT_OF_RANGE, "no text has number " + std::to_string(kind));
    }
}

} // namespace

void require_started()
{
    if (!started.load(std::memory_order_acquire)) throw fault(OGT_STATE, "ogt_start was not called");
}

void prepare_thread(uint32_t threads)
{
    thread_local uint32_t current = 0;
    if (current != threads) {
        at::get_num_threads(); /* the first question on a thread sets it to what another thread set last */
        at::set_num_threads(static_cast<int>(threads)); /* of this thread, with OpenMP; new threads begin with the last value */
        current = threads;
    }
    if (chosen.flush_denormals != 0) _mm_setcsr(_mm_getcsr() | 0x8040u);
}

} // namespace ogt

using namespace ogt;

extern "C" ogt_status ogt_start(const ogt_settings *settings, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        const ogt_settings asked = settings == nullptr ? ogt_settings{} : *settings;
        const std::lock_guard<std::mutex> lock(starting);
        if (started.load(std::memory_order_relaxed)) {
            if (!same(asked, chosen)) throw fault(OGT_STATE, "the process was started with other settings");
            return;
        }
        check_library();
        apply(asked);
        chosen = asked;
        started.store(true, std::memory_order_release);
    });
}

extern "C" ogt_status ogt_text(uint32_t kind, char *text, size_t capacity, size_t *needed, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require_started();
        require(needed != nullptr, "needed");
        require(text != nullptr || capacity == 0, "text");
        const std::string value = text_of(kind);
        *needed = value.size() + 1;
        if (capacity < *needed) throw fault(OGT_SMALL_BUFFER, "the text takes " + std::to_string(*needed) + " bytes");
        std::memcpy(text, value.c_str(), *needed);
    });
}
