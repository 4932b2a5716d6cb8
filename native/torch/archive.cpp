#include "archive.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <istream>
#include <memory>
#include <streambuf>

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <torch/csrc/jit/serialization/import.h>

#include "fault.h"
#include "nesting.h"
#include "pickle_check.h"
#include "zip_directory.h"

#if __has_include(<caffe2/serialize/inline_container.h>)
namespace serialize = caffe2::serialize;
#else
namespace serialize = torch::serialize;
#endif

namespace ogt {

namespace {

constexpr uint64_t most_of_a_record = 64ull << 20; /* code, pickles and extra files; tensors are stored, and have their size in the file */
constexpr uint64_t most_signature = 64 * 1024;
constexpr size_t widest_indent = 400;
constexpr const char *debug_end = ".debug_pkl"; /* lines of Python for error texts; libtorch follows whatever their pickles say, so it gets none */
constexpr size_t deep_stack = 256ull << 20;

/* Two pieces of memory as one file. */
class memory_stream final : public std::streambuf {
public:
    memory_stream(std::string_view head, std::string_view tail) : pieces_{head, tail} { show(0, 0); }

protected:
    int_type underflow() override
    {
        if (gptr() == egptr() && shown_ == 0) show(1, 0);
        return gptr() == egptr() ? traits_type::eof() : traits_type::to_int_type(*gptr());
    }

    pos_type seekoff(off_type offset, std::ios_base::seekdir from, std::ios_base::openmode) override
    {
        const off_type whole = size(0) + size(1), now = (shown_ == 0 ? 0 : size(0)) + (gptr() - eback());
        const off_type target = offset + (from == std::ios_base::beg ? 0 : from == std::ios_base::cur ? now : whole);
        if (target < 0 || target > whole) return pos_type(off_type(-1));
        if (target < size(0)) show(0, target);
        else show(1, target - size(0));
        return pos_type(target);
    }

    pos_type seekpos(pos_type position, std::ios_base::openmode mode) override { return seekoff(off_type(position), std::ios_base::beg, mode); }

private:
    off_type size(int piece) const { return static_cast<off_type>(pieces_[piece].size()); }

    void show(int piece, off_type at)
    {
        char *begin = const_cast<char *>(pieces_[piece].data()); /* std::streambuf knows no read-only memory; nothing here writes */
        shown_ = piece;
        setg(begin, begin + at, begin + size(piece));
    }

    std::string_view pieces_[2];
    int shown_ = 0;
};

bool ends_with(const std::string &text, const char *end)
{
    const size_t size = std::strlen(end);
    return text.size() >= size && text.compare(text.size() - size, size, end) == 0;
}

/* In a class's body libtorch's compiler follows a null pointer where an assignment has neither a type nor one of its own names. */
void check_class_line(const std::string &name, std::string_view line)
{
    if (line.size() < 3 || line.substr(0, 2) != "  " || line[2] == ' ' || line.substr(2, 4) == "def ") return;
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos || line.find(':') < equals) return;
    const std::string_view target = line.substr(2, line.find_first_of(" =", 2) - 2);
    for (const char *known : {"__parameters__", "__buffers__", "__annotations__", "__forward_pre_hooks__", "__forward_hooks__"})
        if (target == known) return;
    /* Attributes whose names are no identifiers, as those of a ModuleList: __annotations__["0"] = type */
    constexpr std::string_view opening = "__annotations__[\"", closing = "\"]";
    if (target.size() > opening.size() + closing.size() && target.starts_with(opening) && target.ends_with(closing) &&
        target.substr(opening.size(), target.size() - opening.size() - closing.size()).find_first_of("\"\\[]") == std::string_view::npos)
        return;
    throw fault(OGT_NOT_AN_ARCHIVE, "'" + name + "' is spoiled: it assigns to '" + std::string(target.substr(0, 64)) + "' in a class");
}

/* Code that a loader would run, or that its recursive compiler would exhaust its stack with. */
void check_code(const std::string &name, std::string_view text)
{
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = text.substr(begin, end - begin);
        if (line.size() > widest_indent && line.find_first_not_of(" \t") > widest_indent) throw fault(OGT_UNSUPPORTED, "'" + name + "' nests blocks too deep");
        check_class_line(name, line);
        begin = end + 1;
    }
    if (text.find("def __setstate__") != std::string_view::npos)
        throw fault(OGT_UNSUPPORTED, "'" + name + "' has code that runs while loading (__setstate__), as quantized modules have");
    if (nests_too_deep(text)) throw fault(OGT_UNSUPPORTED, "'" + name + "' nests expressions too deep");
}

/* libtorch's messages for what is known beforehand to be possible in a well-formed archive. */
ogt_status load_status(const std::string &text)
{
    for (const char *phrase : {"Unknown builtin op", "maximum supported version", "Unknown type name", "No such operator", "is not supported"})
        if (text.find(phrase) != std::string::npos) return OGT_UNSUPPORTED;
    return OGT_NOT_AN_ARCHIVE;
}

[[noreturn]] void rethrow_as_load_fault(const char *what)
{
    const std::string text = what;
    if (speaks_of_memory(text)) throw fault(OGT_OUT_OF_MEMORY, text);
    throw fault(load_status(text), "libtorch refused the archive: " + text);
}

std::string record(serialize::PyTorchStreamReader &reader, const std::string &name)
{
    auto [data, size] = reader.getRecord(name);
    return std::string(static_cast<const char *>(data.get()), size);
}

/* libtorch finds files whatever the case of their letters: none may pass by the checks under another one. */
void check_name(const std::string &name)
{
    const size_t first = std::min(name.find('/'), name.size());
    for (size_t i = 0; i < first; i++)
        if (name[i] >= 'A' && name[i] <= 'Z') throw fault(OGT_NOT_AN_ARCHIVE, "not a TorchScript archive: '" + name + "' is no name that its writer gives");
}

/* The folder that all entries lie in, with its slash. */
std::string common_folder(const std::vector<zip_entry> &entries)
{
    if (entries.empty()) throw fault(OGT_NOT_AN_ARCHIVE, "not a TorchScript archive: it holds no files");
    const size_t slash = entries[0].name.find('/');
    if (slash == std::string::npos || slash == 0) throw fault(OGT_NOT_AN_ARCHIVE, "not a TorchScript archive: its files lie in no folder");
    const std::string folder = entries[0].name.substr(0, slash + 1);
    for (const zip_entry &each : entries)
        if (each.name.compare(0, folder.size(), folder) != 0 || each.name.size() == folder.size())
            throw fault(OGT_NOT_AN_ARCHIVE, "not a TorchScript archive: its files lie in several folders");
    return folder;
}

struct load_call {
    const checked_archive &archive;
    c10::Device device;
    std::optional<torch::jit::Module> module;
    std::exception_ptr failure;
};

void *run_load(void *state)
{
    auto *call = static_cast<load_call *>(state);
    try {
        memory_stream memory(call->archive.head, call->archive.tail);
        std::istream stream(&memory);
        call->module = torch::jit::load(stream, call->device);
    } catch (...) {
        call->failure = std::current_exception();
    }
    return nullptr;
}

} // namespace

std::string read_file(const char *path, uint64_t most_bytes)
{
    const std::string quoted = "'" + std::string(path) + "' ";
    /* without waiting: a FIFO that nobody writes to must not hold the caller */
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) throw fault(OGT_NOT_FOUND, quoted + "cannot be opened: " + std::strerror(errno), errno);
    const std::unique_ptr<const int, void (*)(const int *)> closed(&file, [](const int *each) { close(*each); });
    struct stat facts = {};
    if (fstat(file, &facts) != 0) throw fault(OGT_NOT_FOUND, quoted + "cannot be read: " + std::strerror(errno), errno);
    if (!S_ISREG(facts.st_mode)) throw fault(OGT_NOT_FOUND, quoted + "is no regular file");
    const auto size = static_cast<uint64_t>(facts.st_size);
    if (size > most_bytes) throw fault(OGT_UNSUPPORTED, quoted + "has " + std::to_string(size) + " bytes, more than " + std::to_string(most_bytes));
    std::string bytes(size, '\0');
    for (size_t done = 0; done < size;) {
        const ssize_t got = read(file, bytes.data() + done, size - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw fault(OGT_NOT_FOUND, quoted + "cannot be read: " + (got < 0 ? std::strerror(errno) : "it got shorter"), got < 0 ? errno : 0);
        done += static_cast<size_t>(got);
    }
    return bytes;
}

checked_archive check_archive(std::string_view bytes, uint64_t most_bytes)
{
    const zip_directory directory = read_zip_directory(bytes);
    const std::string folder = common_folder(directory.entries);
    checked_archive facts;
    facts.head = bytes.substr(0, directory.begin);
    facts.tail = bytes.substr(directory.begin);
    bool constants = false, data = false;
    for (const zip_entry &each : directory.entries) {
        const std::string name = each.name.substr(folder.size());
        check_name(name);
        constants |= name == "constants.pkl";
        data |= name == "data.pkl";
        const bool tensor = name.rfind("data/", 0) == 0 || name.rfind("constants/", 0) == 0;
        if ((!tensor || each.deflated) && each.unpacked > most_of_a_record) throw fault(OGT_UNSUPPORTED, "'" + name + "' has more than 64 MiB");
        if (each.unpacked > most_bytes - facts.unpacked)
            throw fault(OGT_UNSUPPORTED, "the archive has more than " + std::to_string(most_bytes) + " bytes unpacked");
        facts.unpacked += each.unpacked;
    }
    if (!data || !constants)
        throw fault(OGT_NOT_AN_ARCHIVE, data ? "a pickle of torch.save, not a TorchScript archive: save torch.jit.script or torch.jit.trace of the module"
                                             : "not a TorchScript archive: it has no data.pkl");
    try {
        memory_stream memory(facts.head, facts.tail);
        std::istream stream(&memory);
        serialize::PyTorchStreamReader reader(&stream);
        for (const zip_entry &each : directory.entries) {
            const std::string name = each.name.substr(folder.size());
            if (name == "data.pkl" || name == "constants.pkl") check_pickle(name, record(reader, name));
            else if (ends_with(lower_case(name), debug_end)) facts.tail[each.name_at - directory.begin + each.name.size() - 1] = '-';
            else if (name.rfind("code/", 0) == 0) check_code(name, record(reader, name));
            else if (name == "extra/opengradient.signature") {
                if (each.unpacked > most_signature) throw fault(OGT_BAD_SIGNATURE, "the signature has more than 64 KiB");
                facts.signature = record(reader, name);
            }
        }
    } catch (const fault &) {
        throw;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const c10::Error &refused) {
        rethrow_as_load_fault(refused.what_without_backtrace());
    } catch (const std::exception &refused) { /* a version that is no number, say */
        rethrow_as_load_fault(refused.what());
    }
    return facts;
}

torch::jit::Module load_archive(const checked_archive &archive, c10::Device device)
{
    load_call call = {archive, device, std::nullopt, nullptr};
    pthread_attr_t attributes;
    pthread_t thread;
    int failed = pthread_attr_init(&attributes);
    if (failed == 0) {
        failed = pthread_attr_setstacksize(&attributes, deep_stack);
        if (failed == 0) failed = pthread_create(&thread, &attributes, run_load, &call);
        pthread_attr_destroy(&attributes);
    }
    if (failed != 0) throw fault(OGT_SYSTEM, std::string("no thread to load in: ") + std::strerror(failed), failed);
    pthread_join(thread, nullptr);
    if (call.failure == nullptr) return *std::move(call.module);
    try {
        std::rethrow_exception(call.failure);
    } catch (const fault &) {
        throw;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const c10::Error &refused) {
        rethrow_as_load_fault(refused.what_without_backtrace());
    } catch (const std::exception &refused) {
        rethrow_as_load_fault(refused.what());
    }
}

} // namespace ogt
