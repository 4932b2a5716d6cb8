/* The signature of a module: og_torch.h has its text. */
#ifndef OG_TORCH_SIGNATURE_H
#define OG_TORCH_SIGNATURE_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "og_torch.h"

namespace ogt {

struct dimension {
    int64_t size = -1;  /* -1: open */
    int symbol = -1;    /* index into signature::symbols, -1: unnamed */
};

struct value_spec {
    std::string name;
    uint32_t type = OGT_TYPE_UNKNOWN;
    bool known = false; /* types and dimensions are */
    std::vector<dimension> dimensions;
};

struct signature {
    std::vector<value_spec> inputs;
    std::vector<value_spec> outputs;
    std::vector<std::string> symbols;
};

/* Throws OGT_BAD_SIGNATURE, naming the line. */
signature parse_signature(std::string_view text);

/* What the header's struct says of a value. */
ogt_value describe(const signature &of, const value_spec &value);

/* The sizes that symbols were bound to during one call. */
class symbol_sizes {
public:
    void reset(size_t count) { sizes_.assign(count, -1); }

    /* Empty when the shape is as declared, otherwise what is wrong with it. */
    std::string check(const signature &of, const value_spec &value, uint32_t type, const int64_t *shape, uint32_t rank);

private:
    std::vector<int64_t> sizes_;
};

} // namespace ogt

#endif
