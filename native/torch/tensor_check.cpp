#include "tensor_check.h"

#include <malloc.h>

#include <ATen/core/Tensor.h>
#include <ATen/core/class_type.h>
#include <c10/core/CPUAllocator.h>

#include "fault.h"

namespace ogt {

namespace {

constexpr size_t deepest = 64, most_values = 1'000'000;

[[noreturn]] void refuse(const std::string &name, const std::string &why)
{
    throw fault(OGT_NOT_AN_ARCHIVE, "the archive is spoiled: '" + name + "' " + why);
}

/* Bytes from the storage's begin to the end of the last element; false when that cannot be counted. */
bool reach(const at::Tensor &tensor, uint64_t &bytes)
{
    int64_t last = tensor.storage_offset();
    if (last < 0) return false;
    bool empty = false;
    for (int64_t i = 0; i < tensor.dim(); i++) {
        const int64_t size = tensor.sizes()[static_cast<size_t>(i)], stride = tensor.strides()[static_cast<size_t>(i)];
        if (size < 0 || stride < 0) return false;
        if (size == 0) empty = true;
        int64_t span = 0;
        if (size > 0 && (__builtin_mul_overflow(size - 1, stride, &span) || __builtin_add_overflow(last, span, &last))) return false;
    }
    bytes = 0;
    if (empty) return true;
    return !__builtin_add_overflow(static_cast<uint64_t>(last), 1u, &bytes) && !__builtin_mul_overflow(bytes, tensor.element_size(), &bytes);
}

} // namespace

void tensor_check::tensor(const std::string &name, const at::Tensor &tensor)
{
    if (!tensor.defined()) return;
    if (tensor.is_quantized() || tensor.layout() != at::kStrided || !tensor.device().is_cpu() || !tensor.has_storage())
        throw fault(OGT_UNSUPPORTED, "'" + name + "' is quantized, sparse, or on no device");
    uint64_t needed = 0;
    if (!reach(tensor, needed)) refuse(name, "has sizes or strides that nothing has");
    const c10::Storage &storage = tensor.storage();
    if (needed > storage.nbytes()) refuse(name, "reaches outside of its storage");
    if (storage.nbytes() == 0) return;
    const c10::DataPtr &data = storage.data_ptr();
    if (data.get() == nullptr) refuse(name, "has no data");
    if (data.get_deleter() != c10::GetCPUAllocator()->raw_deleter()) throw fault(OGT_UNSUPPORTED, "'" + name + "' lies in memory of unknown origin");
    /* the length in the pickle is not compared with that of the record; what the allocator gave is */
    if (storage.nbytes() > malloc_usable_size(data.get_context())) refuse(name, "says it is longer than its record");
    if (storages_.insert(storage.unsafeGetStorageImpl()).second) bytes_ += storage.nbytes();
}

void tensor_check::visit(const std::string &name, const c10::IValue &value, size_t depth)
{
    if (depth > deepest || ++visited_ > most_values) throw fault(OGT_UNSUPPORTED, "'" + name + "' holds values too deep, or too many");
    if (value.isTensor()) return tensor(name, value.toTensor());
    if (value.isObject()) {
        const auto &object = value.toObjectRef();
        if (!objects_.insert(&object).second) return;
        const auto type = object.type();
        for (size_t i = 0; i < object.slots().size(); i++)
            visit((depth == 0 ? "" : name + ".") + type->getAttributeName(i), object.slots()[i], depth + 1);
        return;
    }
    if (value.isTuple()) {
        for (const c10::IValue &each : value.toTupleRef().elements()) visit(name, each, depth + 1);
        return;
    }
    if (value.isList()) {
        for (const c10::IValue &each : value.toListRef()) visit(name, each, depth + 1);
        return;
    }
    if (value.isGenericDict()) {
        for (const auto &each : value.toGenericDict()) {
            visit(name, each.key(), depth + 1);
            visit(name, each.value(), depth + 1);
        }
        return;
    }
    if (value.isNone() || value.isInt() || value.isDouble() || value.isBool() || value.isString() || value.isComplexDouble() || value.isDevice() ||
        value.isEnum() || value.isIntList() || value.isDoubleList() || value.isBoolList())
        return;
    throw fault(OGT_UNSUPPORTED, "'" + name + "' is a " + value.tagKind() + ", which is not served");
}

} // namespace ogt
