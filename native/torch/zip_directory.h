/* The central directory of a ZIP file in memory, checked before libtorch reads the file. PKWARE's APPNOTE 6.3, 4.3.7 to 4.3.16. */
#ifndef OG_TORCH_ZIP_DIRECTORY_H
#define OG_TORCH_ZIP_DIRECTORY_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ogt {

struct zip_entry {
    std::string name;
    uint64_t unpacked = 0;
    bool deflated = false;
};

/*
 * All entries, in the directory's order. Throws OGT_NOT_AN_ARCHIVE for what is not a plain ZIP file: no directory, sizes that
 * reach outside of the file, encryption, other methods than stored and deflated, a name twice.
 */
std::vector<zip_entry> read_zip_directory(std::string_view file);

} // namespace ogt

#endif
