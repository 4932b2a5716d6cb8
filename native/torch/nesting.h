/* Text that libtorch's recursive compiler would exhaust its stack with. */
#ifndef OG_TORCH_NESTING_H
#define OG_TORCH_NESTING_H

#include <string_view>

namespace ogt {

/*
 * Whether code, or a type in a pickle, nests brackets deeper than 200, or blocks by "elif", or chains more tokens without a comma
 * than any expression that TorchScript's writer makes ("x + x + ...", "----x"): each of them is a level of recursion. Strings and
 * comments are skipped as torch/csrc/jit/frontend/lexer.h skips them.
 */
bool nests_too_deep(std::string_view text);

} // namespace ogt

#endif
