/* What an archive made: no tensor may reach outside of its storage, nor a storage outside of its memory. */
#ifndef OG_TORCH_TENSOR_CHECK_H
#define OG_TORCH_TENSOR_CHECK_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>

#include <ATen/core/ivalue.h>

namespace ogt {

/* libtorch's unpickler takes sizes, strides and lengths as they are written. Values loaded onto the CPU only. */
class tensor_check {
public:
    /* Throws OGT_NOT_AN_ARCHIVE, or OGT_UNSUPPORTED for values that are not served. name: for the text. */
    void value(const std::string &name, const c10::IValue &value) { visit(name, value, 0); }

    /* Bytes of all storages seen, each once. */
    uint64_t bytes() const { return bytes_; }

private:
    void visit(const std::string &name, const c10::IValue &value, size_t depth);
    void tensor(const std::string &name, const at::Tensor &tensor);

    std::unordered_set<const void *> objects_, storages_;
    uint64_t bytes_ = 0;
    size_t visited_ = 0;
};

} // namespace ogt

#endif
