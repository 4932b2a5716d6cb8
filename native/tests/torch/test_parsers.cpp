/* What reads bytes without libtorch, linked without it: spoiled and arbitrary input gives a value or a fault, with sanitizers too. */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

extern "C" {
#include "check.h"
}
#include "fault.h"
#include "nesting.h"
#include "pickle_check.h"
#include "signature.h"
#include "zip_directory.h"

namespace {

size_t inputs(size_t few)
{
    const char *many = std::getenv("OG_LONG");
    return many != nullptr && std::string(many) == "1" ? few * 100 : few;
}

template <typename Number> void put(std::string &to, Number value)
{
    for (size_t i = 0; i < sizeof(Number); i++) to.push_back(static_cast<char>(value >> (8 * i)));
}

/* A ZIP file of stored entries; with a ZIP64 end where asked. APPNOTE 6.3, 4.3. */
std::string zip_of(const std::vector<std::pair<std::string, std::string>> &files, bool wide)
{
    std::string bytes, directory;
    for (const auto &[name, data] : files) {
        const auto at = static_cast<uint32_t>(bytes.size()), size = static_cast<uint32_t>(data.size());
        put<uint32_t>(bytes, 0x04034b50);
        bytes.append(22, '\0');
        put<uint16_t>(bytes, static_cast<uint16_t>(name.size()));
        put<uint16_t>(bytes, 0);
        bytes += name + data;
        put<uint32_t>(directory, 0x02014b50);
        directory.append(16, '\0');
        put<uint32_t>(directory, wide ? 0xFFFFFFFFu : size);
        put<uint32_t>(directory, wide ? 0xFFFFFFFFu : size);
        put<uint16_t>(directory, static_cast<uint16_t>(name.size()));
        put<uint16_t>(directory, wide ? 20 : 0);
        directory.append(10, '\0');
        put<uint32_t>(directory, at);
        directory += name;
        if (!wide) continue;
        put<uint16_t>(directory, 1);
        put<uint16_t>(directory, 16);
        put<uint64_t>(directory, size);
        put<uint64_t>(directory, size);
    }
    const size_t begin = bytes.size();
    bytes += directory;
    if (wide) {
        const size_t record = bytes.size();
        put<uint32_t>(bytes, 0x06064b50);
        put<uint64_t>(bytes, 44);
        bytes.append(20, '\0');
        put<uint64_t>(bytes, files.size());
        put<uint64_t>(bytes, directory.size());
        put<uint64_t>(bytes, begin);
        put<uint32_t>(bytes, 0x07064b50);
        put<uint32_t>(bytes, 0);
        put<uint64_t>(bytes, record);
        put<uint32_t>(bytes, 1);
    }
    put<uint32_t>(bytes, 0x06054b50);
    put<uint32_t>(bytes, 0);
    put<uint16_t>(bytes, static_cast<uint16_t>(files.size()));
    put<uint16_t>(bytes, static_cast<uint16_t>(files.size()));
    put<uint32_t>(bytes, wide ? 0xFFFFFFFFu : static_cast<uint32_t>(directory.size()));
    put<uint32_t>(bytes, wide ? 0xFFFFFFFFu : static_cast<uint32_t>(begin));
    put<uint16_t>(bytes, 0);
    return bytes;
}

/* The status of a call; anything but a fault ends the test. */
template <typename Call> ogt_status status_of(Call &&call)
{
    try {
        call();
        return OGT_OK;
    } catch (const ogt::fault &found) {
        return found.status();
    }
}

template <typename Read> void spoil(const std::string &whole, Read &&read)
{
    std::mt19937 random(1);
    const auto pick = [&](size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random); };
    for (size_t i = 0; i < inputs(20000); i++) {
        std::string bytes = whole.substr(0, i % 7 == 0 ? pick(whole.size() + 1) : whole.size());
        for (size_t k = 0; k <= i % 4 && !bytes.empty(); k++) bytes[pick(bytes.size())] = static_cast<char>(pick(256));
        /* of its own size, so that a sanitizer sees one byte too far */
        const std::vector<char> exact(bytes.begin(), bytes.end());
        status_of([&] { read(std::string_view(exact.data(), exact.size())); });
    }
}

const std::vector<std::pair<std::string, std::string>> two_files = {{"a/data.pkl", "1234"}, {"a/b", ""}};

} // namespace

TEST(zip_directories_of_both_kinds_are_read)
{
    for (bool wide : {false, true}) {
        const std::string bytes = zip_of(two_files, wide);
        const ogt::zip_directory read = ogt::read_zip_directory(bytes);
        CHECK(read.entries.size() == 2 && read.entries[0].name == "a/data.pkl" && read.entries[0].unpacked == 4 && read.entries[1].unpacked == 0);
        CHECK(bytes.compare(read.entries[0].name_at, 10, "a/data.pkl") == 0 && read.entries[0].name_at >= read.begin);
    }
}

TEST(zip_directories_that_lie_are_refused)
{
    const auto status = [](const std::string &bytes) { return status_of([&] { ogt::read_zip_directory(bytes); }); };
    const std::string whole = zip_of(two_files, false);
    const size_t entry = ogt::read_zip_directory(whole).begin;
    CHECK(status(zip_of({{"a/x", "1"}, {"a/x", "2"}}, false)) == OGT_NOT_AN_ARCHIVE);
    CHECK(status(zip_of({{"", "1"}}, false)) == OGT_NOT_AN_ARCHIVE);
    for (auto [offset, value] : {std::pair{8, 1}, {10, 9}, {20, 5}, {43, 120}, {45, 127}, {28, 200}, {0, 0}}) {
        std::string lying = whole;
        lying[entry + static_cast<size_t>(offset)] = static_cast<char>(value);
        if (status(lying) != OGT_NOT_AN_ARCHIVE) check_failed(__FILE__, __LINE__, "byte %d", offset);
    }
    std::string commented = whole + "x";
    CHECK(status(commented) == OGT_NOT_AN_ARCHIVE);
    CHECK(status(whole + std::string(70000, 'x')) == OGT_NOT_AN_ARCHIVE);
}

TEST(zip_entries_may_not_share_bytes_or_have_two_names)
{
    const auto status = [](const std::string &bytes) { return status_of([&] { ogt::read_zip_directory(bytes); }); };
    const std::string whole = zip_of({{"a/x", "1234"}, {"a/y", "5678"}}, false);
    const ogt::zip_directory read = ogt::read_zip_directory(whole);
    CHECK(read.entries[0].end <= read.entries[1].begin && read.entries[1].end == read.begin);
    const size_t second = read.begin + 46 + 3; /* of the directory's entries */
    std::string bytes = whole;
    bytes.replace(second + 42, 4, std::string(4, '\0')); /* where the first one lies */
    CHECK(status(bytes) == OGT_NOT_AN_ARCHIVE);
    bytes = whole;
    bytes[30] = 'b'; /* another name before the bytes than in the directory */
    CHECK(status(bytes) == OGT_NOT_AN_ARCHIVE);
    bytes = whole;
    bytes[28] = 4; /* an extra field, so that the first one's bytes reach into the second */
    CHECK(status(bytes) == OGT_NOT_AN_ARCHIVE);
    bytes = whole;
    bytes[second + 20] = bytes[second + 24] = 5; /* the last one's bytes reach into the directory */
    CHECK(status(bytes) == OGT_NOT_AN_ARCHIVE);
}

TEST(zip_names_that_readers_could_take_for_others_are_refused)
{
    const auto status = [](const std::string &name) { return status_of([&] { ogt::read_zip_directory(zip_of({{"a/data.pkl", "1"}, {name, "2"}}, false)); }); };
    CHECK(status("a/other") == OGT_OK);
    for (const char *name : {"a/DATA.pkl", "A/data.PKL", "a/../data.pkl", "../a/x", "a//x", "/a/x", "a/./x", "a/x/", "a\\x", "a/x\n"})
        if (status(name) != OGT_NOT_AN_ARCHIVE) check_failed(__FILE__, __LINE__, "'%s'", name);
}

TEST(a_zip_end_inside_of_a_comment_is_refused)
{
    /* a reader that takes the last end it finds, and one that wants the comment's length right, would read two archives */
    const std::string inner = zip_of({{"a/y", "2"}}, false);
    std::string outer = zip_of({{"a/x", "1"}}, false);
    outer[outer.size() - 2] = 22 + 3;
    CHECK(status_of([&] { ogt::read_zip_directory(outer + inner.substr(inner.size() - 22) + "xyz"); }) == OGT_NOT_AN_ARCHIVE);
    outer[outer.size() - 2] = 3;
    CHECK(ogt::read_zip_directory(outer + "xyz").entries.size() == 1);
}

TEST(zip64_records_that_lie_are_refused)
{
    const std::string whole = zip_of(two_files, true);
    const size_t record = whole.size() - 22 - 20 - 56;
    for (auto [offset, value] : {std::pair{0, 0}, {32, 1}, {32, 3}, {39, 127}, {40, 1}, {47, 127}, {48, 1}, {55, 127}, {56 + 8, 1}, {56 + 15, 127}}) {
        std::string lying = whole;
        lying[record + static_cast<size_t>(offset)] = static_cast<char>(value);
        if (status_of([&] { ogt::read_zip_directory(lying); }) != OGT_NOT_AN_ARCHIVE) check_failed(__FILE__, __LINE__, "byte %d", offset);
    }
}

TEST(spoiled_zip_directories_stay_inside)
{
    for (bool wide : {false, true}) spoil(zip_of(two_files, wide), [](std::string_view bytes) { ogt::read_zip_directory(bytes); });
}

TEST(spoiled_pickles_stay_inside)
{
    const char bytes[] = "\x80\x02" "c__torch__\nM\nq\x00)\x81}(X\x01\x00\x00\x00" "aq\x01(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x00"
                         "0K\x06tQK\x00(K\x03K\x02t\x89h\x01ub.";
    const std::string whole(bytes, sizeof bytes - 1);
    const std::string name = "data.pkl";
    ogt::check_pickle(name, whole);
    spoil(whole, [&](std::string_view spoiled) { ogt::check_pickle(name, spoiled); });
}

TEST(pickles_that_nest_beyond_what_can_be_freed_are_refused)
{
    const auto to = [](char code, uint32_t place) {
        std::string bytes(1, code);
        put<uint32_t>(bytes, place);
        return bytes;
    };
    const auto status = [&](const std::string &body) { return status_of([&] { ogt::check_pickle("data.pkl", "\x80\x02" + body + "."); }); };
    CHECK(status("N" + std::string(200, '\x85')) == OGT_OK);
    CHECK(status("N" + std::string(1u << 20, '\x85')) == OGT_NOT_AN_ARCHIVE);
    CHECK(status(std::string(300, ']') + std::string(299, 'a')) == OGT_NOT_AN_ARCHIVE);

    /* by way of the memo: each tuple holds the one before twice, which is shared and small, but deep */
    std::string bomb = "N" + to('r', 0);
    for (uint32_t i = 1; i < 300; i++) bomb += to('j', i - 1) + to('j', i - 1) + "\x86" + to('r', i) + "\x86";
    CHECK(status(bomb) == OGT_NOT_AN_ARCHIVE);

    /* a list that holds itself; one that grows after it was put into another; an object that is its own state */
    CHECK(status("]" + to('r', 0) + to('j', 0) + "a") == OGT_NOT_AN_ARCHIVE);
    CHECK(status("]" + to('r', 0) + "(" + to('j', 0) + "e") == OGT_NOT_AN_ARCHIVE);
    CHECK(status("]" + to('r', 0) + "\x85" + to('j', 0) + "Na\x86") == OGT_NOT_AN_ARCHIVE);
    CHECK(status("c__torch__\nM\n)\x81" + to('r', 0) + "}(N" + to('j', 0) + "ub") == OGT_NOT_AN_ARCHIVE);
    /* a list that is used twice is none of these */
    CHECK(status("]" + to('r', 0) + "Na" + "\x85" + to('j', 0) + "\x86") == OGT_OK);
}

TEST(types_in_pickles_that_would_exhaust_a_stack_are_refused)
{
    const auto status = [](const std::string &type, const std::string &call) {
        std::string bytes = "\x80\x02" "ctorch.jit._pickle\nrestore_type_tag\n]X";
        put<uint32_t>(bytes, static_cast<uint32_t>(type.size()));
        bytes += type + "\x86" + call + ".";
        return status_of([&] { ogt::check_pickle("data.pkl", bytes); });
    };
    std::string deep;
    for (int i = 0; i < 100'000; i++) deep += "List[";
    CHECK(status("List[int]", "R") == OGT_OK);
    CHECK(status(deep, "R") == OGT_NOT_AN_ARCHIVE);
    CHECK(status("List[" + std::string(100'000, '-') + "1]", "R") == OGT_NOT_AN_ARCHIVE);
    /* as a value it is only text */
    CHECK(status(deep, "\x86") == OGT_OK);
}

TEST(code_is_measured_as_the_compiler_nests_it)
{
    using ogt::nests_too_deep;
    const auto times = [](const std::string &text, size_t count) {
        std::string all;
        for (size_t i = 0; i < count; i++) all += text;
        return all;
    };
    CHECK(!nests_too_deep("x = f(a, [1, 2], {'k': (3)})\n"));
    CHECK(nests_too_deep(times("(", 300)) && nests_too_deep(times("-", 20'000)) && nests_too_deep("x" + times(" + x", 20'000)) && nests_too_deep(times("not ", 20'000)));
    CHECK(nests_too_deep("(" + times("x +\n", 20'000) + "x)") && nests_too_deep(times("x + \\\n", 20'000)) && nests_too_deep(times("elif x:\n  pass\n", 300)));
    CHECK(nests_too_deep("# type: " + times("-", 20'000)));
    /* what is wide, but not deep */
    CHECK(!nests_too_deep("x = [" + times("-1.5, ", 100'000) + "]\n") && !nests_too_deep(times("x = x + (y * 2)\n", 20'000)));
    CHECK(!nests_too_deep(times("s = '((('\n", 1000)) && !nests_too_deep(times("# ((( it's\n", 1000)) && !nests_too_deep("s = \"\"\"" + times("(\n", 1000) + "\"\"\"\n"));
    CHECK(!nests_too_deep("s = '" + times("a word ", 100'000) + "'\n") && !nests_too_deep(times("s = '\\'((('\n", 1000)));
    /* no string, as the line ends before it does */
    CHECK(nests_too_deep("'" + times("-", 20'000) + "\n'"));
}

TEST(spoiled_code_stays_inside)
{
    spoil("def f(self, x: Tensor) -> Tensor:\n  # it's \"\"\" (\n  return torch.add(x, '''a\\''', 1)\\\n\n", [](std::string_view bytes) { ogt::nests_too_deep(bytes); });
}

TEST(spoiled_signatures_stay_inside)
{
    const std::string whole = "input pixels float32 ?rows 64\ninput w\xc3\xa4rme int64 ?rows ? 3\noutput logits float32 ?rows 10\n";
    CHECK(ogt::parse_signature(whole).inputs.size() == 2);
    spoil(whole, [](std::string_view bytes) {
        const ogt::signature read = ogt::parse_signature(bytes);
        for (const ogt::value_spec &each : read.inputs) ogt::describe(read, each);
        ogt::symbol_sizes sizes;
        sizes.reset(read.symbols.size());
        const int64_t shape[OGT_MAX_RANK] = {1, 2, 3};
        for (const ogt::value_spec &each : read.outputs) sizes.check(read, each, OGT_TYPE_FLOAT32, shape, 2);
    });
}
