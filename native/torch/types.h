/* Element types: ONNX's numbers outside, libtorch's inside. */
#ifndef OG_TORCH_TYPES_H
#define OG_TORCH_TYPES_H

#include <cstdint>
#include <optional>
#include <string>

#include <c10/core/ScalarType.h>

namespace ogt {

/* Nothing for a type that this libtorch does not have, or that is not served. */
std::optional<c10::ScalarType> scalar_type(uint32_t type);

/* OGT_TYPE_UNKNOWN for one that is not served. */
uint32_t type_number(c10::ScalarType type);

/* Bytes of one element, 0 for a number that is no type. */
uint64_t type_size(uint32_t type);

/* "float32"; "unknown" for a number that is no type. */
const char *type_name(uint32_t type);

/* OGT_TYPE_UNKNOWN for a word that names none. */
uint32_t type_by_name(const std::string &name);

} // namespace ogt

#endif
