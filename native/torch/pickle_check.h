/* The pickles of an archive, walked before libtorch's own reader executes them: that one trusts its input in several places. */
#ifndef OG_TORCH_PICKLE_CHECK_H
#define OG_TORCH_PICKLE_CHECK_H

#include <string>
#include <string_view>

namespace ogt {

/*
 * Throws OGT_NOT_AN_ARCHIVE where the stack, the marks, the memo or a length would be used outside of their bounds, and
 * OGT_UNSUPPORTED for an opcode or a global that TorchScript's writer does not make, or that this library does not serve.
 */
void check_pickle(const std::string &name, std::string_view bytes);

} // namespace ogt

#endif
