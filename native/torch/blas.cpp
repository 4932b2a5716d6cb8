/* Which BLAS answers, asked of the process: build settings do not tell, because Debian's can be exchanged under libtorch. */
#include <cstring>
#include <string>

#include <dlfcn.h>

#include <ATen/Context.h>
#include <ATen/Version.h>

#include "process.h"

extern "C" void sgemm_(const char *, const char *, const int *, const int *, const int *, const float *, const float *, const int *, const float *,
                       const int *, const float *, float *, const int *) __attribute__((weak));

namespace ogt {

namespace {

/* sgemm_ of the BLAS that libtorch is bound to; null where it is inside libtorch. */
void *product()
{
    return reinterpret_cast<void *>(&sgemm_);
}

std::string file_of(void *function)
{
    Dl_info info = {};
    if (function == nullptr || dladdr(function, &info) == 0 || info.dli_fname == nullptr) return "";
    return info.dli_fname;
}

using text_function = const char *();
using number_function = int();

/* A function of OpenBLAS in the same file, or in one that this file needs. */
void *openblas(const char *name)
{
    const std::string file = file_of(product());
    void *library = file.empty() ? nullptr : dlopen(file.c_str(), RTLD_NOW | RTLD_NOLOAD);
    void *found = library == nullptr ? dlsym(RTLD_DEFAULT, name) : dlsym(library, name);
    if (library != nullptr) dlclose(library); /* it stays: libtorch holds it */
    return found;
}

std::string core()
{
    const auto name = reinterpret_cast<text_function *>(openblas("openblas_get_corename"));
    return name == nullptr ? "" : name();
}

/* "0.3.21" of "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..." */
std::string version()
{
    const auto config = reinterpret_cast<text_function *>(openblas("openblas_get_config"));
    if (config == nullptr) return "";
    const std::string text = config();
    const size_t begin = text.find(' '), end = text.find(' ', begin == std::string::npos ? begin : begin + 1);
    return begin == std::string::npos ? "" : text.substr(begin + 1, end == std::string::npos ? end : end - begin - 1);
}

const char *threading()
{
    const auto kind = reinterpret_cast<number_function *>(openblas("openblas_get_parallel"));
    if (kind == nullptr) return "unknown";
    switch (kind()) {
    case 0: return "sequential";
    case 1: return "pthread";
    case 2: return "openmp";
    default: return "unknown";
    }
}

} // namespace

std::string blas_path()
{
    return at::hasMKL() ? "" : file_of(product());
}

std::string blas_text()
{
    if (at::hasMKL()) return "mkl";
    const std::string name = core();
    if (name.empty()) return "unknown";
    return "openblas " + version() + " " + name + " " + threading();
}

std::string warning_text()
{
    if (at::hasMKL()) return "";
    const std::string name = core();
    if (name.empty())
        return product() == nullptr ? "" : "BLAS is '" + blas_path() + "', which is no OpenBLAS: products are some hundred times slower with the reference BLAS.";
    std::string text;
    if (name == "Prescott" || name == "Core2" || name == "generic")
        text = "OpenBLAS takes this processor for " + name + ": set OPENBLAS_CORETYPE before the process loads libtorch.";
    if (std::strcmp(threading(), "pthread") == 0)
        text += std::string(text.empty() ? "" : " ") + "OpenBLAS is the pthread flavour, which fights libtorch's threads: install libopenblas0-openmp.";
    return text;
}

} // namespace ogt
