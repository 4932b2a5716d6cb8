/* An archive in memory: checked, then loaded by libtorch. */
#ifndef OG_TORCH_ARCHIVE_H
#define OG_TORCH_ARCHIVE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <c10/core/Device.h>
#include <torch/csrc/jit/api/module.h>

namespace ogt {

/* Reads a regular file once. Throws OGT_NOT_FOUND, OGT_OUT_OF_MEMORY. */
std::string read_file(const char *path, uint64_t most_bytes);

/* An archive that was checked before libtorch sees it. */
struct checked_archive {
    std::string_view head;  /* borrowed: the files */
    std::string tail;       /* the directory, where files that libtorch must not read have another name */
    uint64_t unpacked = 0;
    std::optional<std::string> signature; /* of the extra file */
};

/* Throws OGT_NOT_AN_ARCHIVE or OGT_UNSUPPORTED. */
checked_archive check_archive(std::string_view bytes, uint64_t most_bytes);

/* Loads it onto a device, its tensors not yet checked. On a thread with a deep stack, as libtorch's compiler recurses. */
torch::jit::Module load_archive(const checked_archive &archive, c10::Device device);

} // namespace ogt

#endif
