/* Archives made by libtorch itself, and sessions over them. */
#ifndef OG_TORCH_FIXTURE_H
#define OG_TORCH_FIXTURE_H

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#undef CHECK /* libtorch's logging has one of its own */
extern "C" {
#include "check.h"
}
#include "og_torch.h"

/* Starts the library with the default settings; every test of a process may. */
void start();

/* An empty module whose methods are TorchScript source. */
torch::jit::Module scripted(const std::string &source);

/* The archive of a module; with an extra file for the signature unless that is empty. */
std::string archive(const torch::jit::Module &module, const std::string &signature = "");
std::string archive(const std::string &source, const std::string &signature = "");

/* A small module with a weight: y = x @ weight + bias, 3 to 2 columns; and its signature. */
std::string linear_archive();
extern const char *const linear_signature;
std::vector<float> linear_expected(const std::vector<float> &rows);

ogt_load plain_load();

/* The status and text of loading bytes; frees what was loaded. */
struct load_result {
    ogt_status status;
    std::string text;
};
load_result try_load(std::string_view bytes, const ogt_load &load = plain_load());
bool holds(const std::string &text, const char *part);

/* A module and one session; fails the test when it does not load. */
class opened {
public:
    explicit opened(std::string_view bytes, const ogt_load &load = plain_load());
    ~opened();
    opened(const opened &) = delete;
    opened &operator=(const opened &) = delete;

    ogt_module *module = nullptr;
    ogt_session *session = nullptr;
    ogt_module_info info = {};
    ogt_error error = {};

    ogt_status run(const std::vector<ogt_tensor> &inputs, std::vector<ogt_tensor> &outputs);
};

template <typename Element> ogt_tensor tensor_over(const std::vector<Element> &values, uint32_t type, const std::vector<int64_t> &shape)
{
    ogt_tensor tensor = {};
    tensor.data = const_cast<Element *>(values.data());
    tensor.bytes = values.size() * sizeof(Element);
    tensor.type = type;
    tensor.rank = static_cast<uint32_t>(shape.size());
    for (size_t i = 0; i < shape.size(); i++) tensor.shape[i] = shape[i];
    return tensor;
}

/* Lent outputs. */
std::vector<ogt_tensor> lent(size_t count);

template <typename Element> std::vector<Element> values_of(const ogt_tensor &tensor)
{
    std::vector<Element> values(tensor.bytes / sizeof(Element));
    if (tensor.bytes > 0) std::memcpy(values.data(), tensor.data, tensor.bytes);
    return values;
}

#endif
