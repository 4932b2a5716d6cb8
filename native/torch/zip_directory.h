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
    uint64_t name_at = 0; /* where its name stands in the directory, from the file's begin */
    uint64_t begin = 0, end = 0; /* of its header and bytes in the file */
};

struct zip_directory {
    std::vector<zip_entry> entries; /* in the directory's order */
    uint64_t begin = 0;             /* of the directory, from the file's begin */
};

std::string lower_case(std::string text);

/*
 * Throws OGT_NOT_AN_ARCHIVE for what is not a plain ZIP file: no directory, or one that another reader would find elsewhere;
 * entries that reach outside of the file, into each other or into the directory, or have another name there; encryption, other
 * methods than stored and deflated; a name twice, whatever the case of its letters, or one that goes up or around.
 */
zip_directory read_zip_directory(std::string_view file);

} // namespace ogt

#endif
