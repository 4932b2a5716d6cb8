#include "types.h"

#include <torch/version.h>

#include "og_torch.h"

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
#define OGT_WIDE_UNSIGNED 1
#else
#define OGT_WIDE_UNSIGNED 0
#endif

namespace ogt {

namespace {

struct row {
    uint32_t number;
    uint32_t size;
    const char *name;
    std::optional<c10::ScalarType> inside;
};

const row rows[] = {
    {OGT_TYPE_FLOAT32, 4, "float32", c10::ScalarType::Float},
    {OGT_TYPE_UINT8, 1, "uint8", c10::ScalarType::Byte},
    {OGT_TYPE_INT8, 1, "int8", c10::ScalarType::Char},
    {OGT_TYPE_INT16, 2, "int16", c10::ScalarType::Short},
    {OGT_TYPE_INT32, 4, "int32", c10::ScalarType::Int},
    {OGT_TYPE_INT64, 8, "int64", c10::ScalarType::Long},
    {OGT_TYPE_BOOL, 1, "bool", c10::ScalarType::Bool},
    {OGT_TYPE_FLOAT16, 2, "float16", c10::ScalarType::Half},
    {OGT_TYPE_FLOAT64, 8, "float64", c10::ScalarType::Double},
#if OGT_WIDE_UNSIGNED
    {OGT_TYPE_UINT16, 2, "uint16", c10::ScalarType::UInt16},
    {OGT_TYPE_UINT32, 4, "uint32", c10::ScalarType::UInt32},
    {OGT_TYPE_UINT64, 8, "uint64", c10::ScalarType::UInt64},
#else
    {OGT_TYPE_UINT16, 2, "uint16", std::nullopt},
    {OGT_TYPE_UINT32, 4, "uint32", std::nullopt},
    {OGT_TYPE_UINT64, 8, "uint64", std::nullopt},
#endif
};

const row *by_number(uint32_t number)
{
    for (const row &each : rows)
        if (each.number == number) return &each;
    return nullptr;
}

} // namespace

std::optional<c10::ScalarType> scalar_type(uint32_t type)
{
    const row *found = by_number(type);
    return found == nullptr ? std::nullopt : found->inside;
}

uint32_t type_number(c10::ScalarType type)
{
    for (const row &each : rows)
        if (each.inside == type) return each.number;
    return OGT_TYPE_UNKNOWN;
}

uint64_t type_size(uint32_t type)
{
    const row *found = by_number(type);
    return found == nullptr ? 0 : found->size;
}

const char *type_name(uint32_t type)
{
    const row *found = by_number(type);
    return found == nullptr ? "unknown" : found->name;
}

uint32_t type_by_name(const std::string &name)
{
    for (const row &each : rows)
        if (name == each.name) return each.number;
    return OGT_TYPE_UNKNOWN;
}

} // namespace ogt
