#include "zip_directory.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "fault.h"

namespace ogt {

namespace {

constexpr size_t end_size = 22, end64_size = 56, locator_size = 20, entry_size = 46, local_size = 30, longest_comment = 0xFFFF;
constexpr uint32_t local_mark = 0x04034b50, end_mark = 0x06054b50, end64_mark = 0x06064b50, locator_mark = 0x07064b50, entry_mark = 0x02014b50;
constexpr uint64_t most_entries = 65536;
constexpr size_t longest_name = 512;

[[noreturn]] void refuse(const std::string &why)
{
    throw fault(OGT_NOT_AN_ARCHIVE, "not a TorchScript archive: " + why);
}

template <typename Number> Number little(std::string_view from, size_t at)
{
    if (at > from.size() || from.size() - at < sizeof(Number)) refuse("the ZIP directory is cut off");
    Number value = 0;
    for (size_t i = 0; i < sizeof(Number); i++)
        value = static_cast<Number>(value | static_cast<Number>(static_cast<Number>(static_cast<unsigned char>(from[at + i])) << (8 * i)));
    return value;
}

struct place {
    uint64_t entries, begin, size;
};

size_t find_end(std::string_view file)
{
    if (file.size() < end_size) refuse("no ZIP file");
    const size_t furthest = file.size() - end_size;
    for (size_t back = 0; back <= longest_comment && back <= furthest; back++) {
        if (little<uint32_t>(file, furthest - back) != end_mark) continue;
        /* the last one is what readers take, whatever they make of its comment */
        if (little<uint16_t>(file, furthest - back + 20) == back) return furthest - back;
        refuse("bytes after its end");
    }
    refuse("no ZIP file");
}

place find_directory(std::string_view file)
{
    const size_t end = find_end(file);
    place found = {little<uint16_t>(file, end + 10), little<uint32_t>(file, end + 16), little<uint32_t>(file, end + 12)};
    if (end >= locator_size && little<uint32_t>(file, end - locator_size) == locator_mark) {
        const auto at = little<uint64_t>(file, end - locator_size + 8);
        if (at > end - locator_size || end - locator_size - at < end64_size || little<uint32_t>(file, at) != end64_mark) refuse("a spoiled ZIP64 record");
        found = {little<uint64_t>(file, at + 32), little<uint64_t>(file, at + 48), little<uint64_t>(file, at + 40)};
    }
    if (found.begin > file.size() || found.size > file.size() - found.begin) refuse("the ZIP directory reaches outside of the file");
    if (found.entries > most_entries) refuse("more than 65,536 files in it");
    return found;
}

struct sizes {
    uint64_t packed, unpacked, local;
};

/* Sizes of 0xFFFFFFFF stand in the ZIP64 extra field, in this order. */
void widen(sizes &of, std::string_view extra)
{
    const bool wide_unpacked = of.unpacked == 0xFFFFFFFFu, wide_packed = of.packed == 0xFFFFFFFFu, wide_local = of.local == 0xFFFFFFFFu;
    for (size_t at = 0; at + 4 <= extra.size();) {
        const uint16_t id = little<uint16_t>(extra, at), size = little<uint16_t>(extra, at + 2);
        if (size > extra.size() - at - 4) refuse("a spoiled extra field");
        std::string_view body = extra.substr(at + 4, size);
        at += 4u + size;
        if (id != 1) continue;
        size_t next = 0;
        for (auto [wide, field] : {std::pair{wide_unpacked, &of.unpacked}, {wide_packed, &of.packed}, {wide_local, &of.local}}) {
            if (!wide) continue;
            *field = little<uint64_t>(body, next);
            next += 8;
        }
        return;
    }
}

void check_name(const std::string &name)
{
    for (size_t begin = 0;;) {
        const size_t end = name.find('/', begin);
        const std::string part = name.substr(begin, end == std::string::npos ? end : end - begin);
        if (part.empty() || part == "." || part == "..") refuse("'" + name + "' is no plain path");
        if (end == std::string::npos) break;
        begin = end + 1;
    }
    for (const char each : name)
        if (static_cast<unsigned char>(each) < 0x20 || each == '\\') refuse("a name with a control character or a backslash");
}

/* The header before an entry's bytes says the same as the directory. */
void check_local(std::string_view file, const place &directory, zip_entry &entry, const sizes &of, uint16_t method)
{
    const std::string quoted = "'" + entry.name + "' ";
    const size_t at = of.local, name = little<uint16_t>(file, at + 26), extra = little<uint16_t>(file, at + 28);
    if (little<uint32_t>(file, at) != local_mark || little<uint16_t>(file, at + 8) != method) refuse(quoted + "is not where the directory says");
    if (file.size() - at - local_size < name + extra || file.substr(at + local_size, name) != entry.name) refuse(quoted + "has two names");
    entry.begin = at;
    entry.end = at + local_size + name + extra;
    if (entry.end > directory.begin || of.packed > directory.begin - entry.end) refuse(quoted + "reaches into the directory");
    entry.end += of.packed;
}

void check_overlaps(const std::vector<zip_entry> &entries)
{
    std::vector<std::pair<uint64_t, uint64_t>> places;
    for (const zip_entry &each : entries) places.emplace_back(each.begin, each.end);
    std::sort(places.begin(), places.end());
    for (size_t i = 1; i < places.size(); i++)
        if (places[i].first < places[i - 1].second) refuse("two of its files share bytes");
}

void check_entry(std::string_view file, const zip_entry &entry, const sizes &of, uint16_t method, uint16_t flags)
{
    const std::string quoted = "'" + entry.name + "' ";
    if ((flags & 0x2041u) != 0) refuse(quoted + "is encrypted");
    if (method != 0 && method != 8) refuse(quoted + "is packed in an unknown way");
    if (method == 0 && of.packed != of.unpacked) refuse(quoted + "has two sizes");
    if (of.local > file.size() || file.size() - of.local < local_size || of.packed > file.size() - of.local - local_size)
        refuse(quoted + "reaches outside of the file");
}

} // namespace

std::string lower_case(std::string text)
{
    for (char &each : text)
        if (each >= 'A' && each <= 'Z') each = static_cast<char>(each - 'A' + 'a');
    return text;
}

zip_directory read_zip_directory(std::string_view file)
{
    if (file.substr(0, 4) != std::string_view("PK\3\4", 4)) refuse("no ZIP file");
    const place found = find_directory(file);
    const std::string_view bytes = file.substr(found.begin, found.size);
    zip_directory read;
    read.begin = found.begin;
    std::unordered_set<std::string> names;
    size_t at = 0;
    for (uint64_t i = 0; i < found.entries; i++) {
        if (little<uint32_t>(bytes, at) != entry_mark) refuse("a spoiled ZIP directory");
        const uint16_t flags = little<uint16_t>(bytes, at + 8), method = little<uint16_t>(bytes, at + 10);
        sizes of = {little<uint32_t>(bytes, at + 20), little<uint32_t>(bytes, at + 24), little<uint32_t>(bytes, at + 42)};
        const size_t name = little<uint16_t>(bytes, at + 28), extra = little<uint16_t>(bytes, at + 30), comment = little<uint16_t>(bytes, at + 32);
        if (bytes.size() - at < entry_size + name + extra + comment) refuse("the ZIP directory is cut off");
        if (name == 0 || name > longest_name) refuse("a name of " + std::to_string(name) + " bytes");
        zip_entry entry;
        entry.name = bytes.substr(at + entry_size, name);
        if (entry.name.find('\0') != std::string::npos) refuse("a name with a zero byte");
        widen(of, bytes.substr(at + entry_size + name, extra));
        entry.name_at = found.begin + at + entry_size;
        entry.unpacked = of.unpacked;
        entry.deflated = method == 8;
        check_name(entry.name);
        check_entry(file, entry, of, method, flags);
        check_local(file, found, entry, of, method);
        if (!names.insert(lower_case(entry.name)).second) refuse("'" + entry.name + "' is there twice");
        read.entries.push_back(std::move(entry));
        at += entry_size + name + extra + comment;
    }
    if (at != bytes.size()) refuse("a spoiled ZIP directory");
    check_overlaps(read.entries);
    return read;
}

} // namespace ogt
