/* A loaded module: forward, ready to be run by any number of sessions. */
#ifndef OG_TORCH_MODULE_H
#define OG_TORCH_MODULE_H

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include "og_torch.h"
#include "signature.h"

namespace ogt {

/* Immutable after loading. */
struct loaded_module {
    torch::jit::Module module;
    torch::jit::Function *forward = nullptr;
    bool on_gpu = false;
    int32_t gpu = 0;
    signature values;
    std::vector<c10::IValue> defaults; /* of parameters after the inputs */
    std::vector<bool> copies_input;    /* the module may write to it, or keep it */
    bool returns_tuple = false;
    uint32_t threads = 1;
    ogt_module_info info = {};

    /* Held by the session that runs, where the module is stateful: its attributes are no more than memory. */
    mutable std::mutex running;
};

/* Throws; og_torch.h has the statuses. */
std::shared_ptr<const loaded_module> load_module(std::string_view bytes, const ogt_load &load);

} // namespace ogt

struct ogt_module {
    std::shared_ptr<const ogt::loaded_module> loaded;
};

#endif
