/* Archives that somebody made to be refused: none may reach outside of its memory, run code while loading, or end the process. */
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <sstream>

#include <ATen/Functions.h>
#include <torch/csrc/jit/serialization/import.h>

#include "fault.h"
#include "fixture.h"
#include "pickle_check.h"
#include "zip_directory.h"

namespace {

using records = std::map<std::string, std::string>;

records unpack(const std::string &bytes)
{
    std::istringstream stream(bytes);
    caffe2::serialize::PyTorchStreamReader reader(&stream);
    records all;
    for (const std::string &name : reader.getAllRecords()) {
        auto [data, size] = reader.getRecord(name);
        all[name] = std::string(static_cast<const char *>(data.get()), size);
    }
    return all;
}

std::string pack(const records &all, bool compressed = false)
{
    std::string bytes;
    caffe2::serialize::PyTorchStreamWriter writer([&](const void *data, size_t size) {
        bytes.append(static_cast<const char *>(data), size);
        return size;
    });
    for (const auto &[name, data] : all)
        if (name != "version" && name != ".data/version") writer.writeRecord(name, data.data(), data.size(), compressed);
    writer.writeEndOfFile();
    return bytes;
}

/* The linear module with one record changed. */
std::string changed(const std::function<void(records &)> &change)
{
    start();
    records all = unpack(linear_archive());
    change(all);
    return pack(all);
}

std::string &code_of(records &all)
{
    for (auto &[name, data] : all)
        if (name.rfind("code/", 0) == 0 && name.size() > 3 && name.compare(name.size() - 3, 3, ".py") == 0) return data;
    check_failed(__FILE__, __LINE__, "no code");
}

void replace(std::string &in, const std::string &from, const std::string &to)
{
    const size_t found = in.find(from);
    if (found == std::string::npos) check_failed(__FILE__, __LINE__, "'%s' is not there", from.c_str());
    in.replace(found, from.size(), to);
}

void refused(const std::string &bytes, ogt_status status, const char *part)
{
    const load_result result = try_load(bytes);
    if (result.status != status) check_failed(__FILE__, __LINE__, "%d, not %d: %s", result.status, status, result.text.c_str());
    CHECK(holds(result.text, part));
}

size_t inputs(size_t few)
{
    const char *many = std::getenv("OG_LONG");
    return many != nullptr && std::string(many) == "1" ? few * 100 : few;
}

/* Loads, and runs what loads; any status will do. */
void try_all(const std::string &bytes)
{
    ogt_module *module = nullptr;
    ogt_session *session = nullptr;
    const ogt_load load = plain_load();
    ogt_error error = {};
    if (ogt_module_from_memory(bytes.data(), bytes.size(), &load, &module, &error) != OGT_OK) return;
    CHECK_STATUS(OGT_OK, ogt_session_create(module, &session, &error));
    const std::vector<float> rows = {1, 2, 3};
    const ogt_tensor input = tensor_over(rows, OGT_TYPE_FLOAT32, {1, 3});
    ogt_tensor output = {};
    ogt_module_info info = {};
    CHECK_STATUS(OGT_OK, ogt_module_describe(module, &info, &error));
    if (info.inputs == 1 && info.outputs == 1) ogt_run(session, &input, 1, &output, 1, &error);
    ogt_session_free(session);
    ogt_module_free(module);
}

} // namespace

TEST(repacked_unchanged_it_loads)
{
    CHECK(try_load(changed([](records &) {})).status == OGT_OK);
}

TEST(what_is_no_archive_is_refused)
{
    start();
    for (const std::string &bytes : {std::string("x"), std::string("PK\3\4"), std::string(100, 'P'), std::string(70000, '\0'), std::string("PTMF0000000000000000000000000000")})
        refused(bytes, OGT_NOT_AN_ARCHIVE, "not a TorchScript archive");
    ogt_module *module = nullptr;
    const ogt_load load = plain_load();
    CHECK_STATUS(OGT_NOT_AN_ARCHIVE, ogt_module_from_memory("", 0, &load, &module, nullptr));
}

TEST(a_pickle_of_torch_save_is_told_from_torchscript)
{
    refused(changed([](records &all) { all.erase("constants.pkl"); }), OGT_NOT_AN_ARCHIVE, "torch.save");
    refused(changed([](records &all) { all.erase("data.pkl"); }), OGT_NOT_AN_ARCHIVE, "no data.pkl");
}

TEST(every_cut_is_refused)
{
    start();
    const std::string whole = linear_archive();
    for (size_t size = 0; size < whole.size(); size += size < 64 || whole.size() - size < 128 ? 1 : 37) CHECK(try_load({whole.data(), size}).status == OGT_NOT_AN_ARCHIVE);
}

TEST(a_tensor_may_not_leave_its_storage)
{
    refused(changed([](records &all) { replace(all["data.pkl"], std::string("K\x03K\x02", 4), std::string("K\x7fK\x02", 4)); }), OGT_NOT_AN_ARCHIVE,
            "reaches outside of its storage");
    /* strides of 2 and 1 to 127 and 1 */
    refused(changed([](records &all) { replace(all["data.pkl"], std::string("K\x02K\x01", 4), std::string("K\x7fK\x01", 4)); }), OGT_NOT_AN_ARCHIVE,
            "reaches outside of its storage");
}

TEST(a_storage_may_not_leave_its_record)
{
    /* the pickle says 255 elements, in a record of 6; and a tensor that uses them */
    const auto longer = [](records &all) {
        std::string &data = all["data.pkl"];
        const size_t place = data.find(std::string("K\x06t", 3)), remembered = data.find(std::string("K\x06q", 3));
        const size_t found = place == std::string::npos ? remembered : place;
        if (found == std::string::npos) check_failed(__FILE__, __LINE__, "no length of a storage");
        data[found + 1] = '\xff';
    };
    refused(changed(longer), OGT_NOT_AN_ARCHIVE, "longer than its record");
}

TEST(code_that_runs_while_loading_is_refused)
{
    refused(changed([](records &all) { code_of(all) += "  def __setstate__(self: __torch__.M,\n    state: int) -> NoneType:\n    return None\n"; }), OGT_UNSUPPORTED,
            "__setstate__");
}

TEST(operators_that_open_files_are_refused)
{
    start();
    refused(archive("def forward(self, x):\n    return x + torch.from_file('/etc/hostname', False, 1)\n"), OGT_UNSUPPORTED, "aten::from_file");
    refused(archive("def helper(self, x):\n    return torch.from_file('/etc/hostname', False, 1)\ndef forward(self, x):\n    if bool(x.sum() > 0):\n        x = self.helper(x)\n    return x\n"),
            OGT_UNSUPPORTED, "aten::from_file");
}

TEST(an_assignment_without_a_type_in_a_class_is_refused)
{
    refused(changed([](records &all) { replace(code_of(all), "__parameters__", "_parameters_"); }), OGT_NOT_AN_ARCHIVE, "in a class");
}

TEST(a_missing_operator_is_named)
{
    refused(changed([](records &all) { replace(code_of(all), "torch.matmul", "torch.matmull"); }), OGT_UNSUPPORTED, "matmull");
}

TEST(a_newer_format_is_unsupported)
{
    start();
    std::string bytes = linear_archive();
    records all = unpack(bytes);
    std::string packed;
    caffe2::serialize::PyTorchStreamWriter writer([&](const void *data, size_t size) {
        packed.append(static_cast<const char *>(data), size);
        return size;
    });
    writer.setMinVersion(999);
    for (const auto &[name, data] : all)
        if (name != "version" && name != ".data/version") writer.writeRecord(name, data.data(), data.size());
    writer.writeEndOfFile();
    refused(packed, OGT_UNSUPPORTED, "version");
}

TEST(nesting_that_would_exhaust_a_stack_is_refused)
{
    refused(changed([](records &all) { code_of(all).append("    x = ").append(100000, '(').append("1").append(100000, ')').append("\n"); }), OGT_UNSUPPORTED, "too deep");
    refused(changed([](records &all) { code_of(all).append(5000, ' ').append("x = 1\n"); }), OGT_UNSUPPORTED, "too deep");
    std::string sum = "return ", most = "return ";
    for (int i = 0; i < 500'000; i++) sum += "1 + ";
    for (int i = 0; i < 4500; i++) most += "1 + ";
    refused(changed([&](records &all) { replace(code_of(all), "return ", sum); }), OGT_UNSUPPORTED, "too deep");
    refused(changed([](records &all) { replace(code_of(all), "return ", std::string("return ").append(1'000'000, '-')); }), OGT_UNSUPPORTED, "too deep");
    /* as deep as it may be: whatever the compiler makes of it, on its deep stack */
    try_all(changed([&](records &all) { replace(code_of(all), "return ", most); }));
    try_all(changed([](records &all) { replace(code_of(all), "return ", std::string("return ").append(9000, '-')); }));
}

TEST(what_unpacks_to_too_much_is_refused)
{
    start();
    records all = unpack(linear_archive());
    all["code/more.py"] = std::string(65u << 20, '#');
    refused(pack(all, true), OGT_UNSUPPORTED, "64 MiB");
    ogt_load load = plain_load();
    load.max_bytes = 20;
    const load_result small = try_load(linear_archive(), load);
    CHECK(small.status == OGT_UNSUPPORTED && holds(small.text, "more than 20 bytes"));
}

TEST(no_record_passes_by_the_checks_under_another_case)
{
    /* libtorch's reader finds files whatever the case of their letters */
    const auto renamed = [](const char *from, const char *to) {
        return changed([&](records &all) {
            records other;
            for (const auto &[name, data] : all) other[name.rfind(from, 0) == 0 ? to + name.substr(std::strlen(from)) : name] = data;
            all = other;
        });
    };
    refused(renamed("code/", "CODE/"), OGT_NOT_AN_ARCHIVE, "'CODE/");
    refused(renamed("constants.pkl", "Constants.pkl"), OGT_NOT_AN_ARCHIVE, "'Constants.pkl'");
    /* a table of source positions, which libtorch would follow wherever it points: it is given none */
    const std::string loud = changed([](records &all) {
        records more;
        for (const auto &[name, data] : all)
            if (name.find(".debug_pkl") == std::string::npos) more[name] = data;
            else more[name.substr(0, name.find(".debug_pkl")) + ".DEBUG_PKL"] = std::string(64, '\xff');
        all = more;
    });
    CHECK(try_load(loud).status == OGT_OK);
}

TEST(a_version_that_is_no_number_is_a_spoiled_archive)
{
    start();
    records all = unpack(linear_archive());
    std::string bytes = pack(all);
    size_t spoiled = 0;
    for (const ogt::zip_entry &each : ogt::read_zip_directory(bytes).entries) {
        if (each.name.size() < 8 || each.name.compare(each.name.size() - 8, 8, "/version") != 0) continue;
        bytes[each.end - 2] = 'x';
        spoiled++;
    }
    CHECK(spoiled == 1 && try_load(bytes).status == OGT_NOT_AN_ARCHIVE);
}

TEST(values_nested_beyond_what_can_be_freed_are_refused)
{
    refused(changed([](records &all) { all["constants.pkl"] = "\x80\x02N" + std::string(10u << 20, '\x85') + "."; }), OGT_NOT_AN_ARCHIVE, "nests too deep");
}

TEST(a_forward_without_self_is_no_crash)
{
    try_all(changed([](records &all) {
        std::string &code = code_of(all);
        code = code.substr(0, code.find("def forward(")) + "def forward() -> Tensor:\n    return torch.zeros([1])\n";
    }));
}

TEST(pickles_that_misuse_their_stack_are_refused)
{
    const std::string proto = "\x80\x02";
    const struct { const char *what; std::string bytes; ogt_status status; } cases[] = {
        {"another protocol", "\x80\x04N.", OGT_NOT_AN_ARCHIVE},
        {"nothing", "", OGT_NOT_AN_ARCHIVE},
        {"no end", proto + "N", OGT_NOT_AN_ARCHIVE},
        {"no value", proto + ".", OGT_NOT_AN_ARCHIVE},
        {"two values", proto + "NN.", OGT_NOT_AN_ARCHIVE},
        {"bytes after the end", proto + "N.N", OGT_NOT_AN_ARCHIVE},
        {"a tuple of what is not there", proto + "\x86.", OGT_NOT_AN_ARCHIVE},
        {"a tuple without a mark", proto + "Nt.", OGT_NOT_AN_ARCHIVE},
        {"items without a list", proto + "(Ne.", OGT_NOT_AN_ARCHIVE},
        {"a key without a value", proto + "}(Nu.", OGT_NOT_AN_ARCHIVE},
        {"a value below a mark", proto + "N(\x85.", OGT_NOT_AN_ARCHIVE},
        {"a memo that was never filled", proto + "h\x05.", OGT_NOT_AN_ARCHIVE},
        {"a memo far away", proto + std::string("Nr\xff\xff\xff\xff.", 7), OGT_NOT_AN_ARCHIVE},
        {"a string longer than the file", proto + std::string("X\xff\xff\xff\x7f" "abc.", 9), OGT_NOT_AN_ARCHIVE},
        {"a long number of 1 byte", proto + std::string("\x8a\x01\x01.", 4), OGT_NOT_AN_ARCHIVE},
        {"an opcode of Python's", proto + "I1\n.", OGT_UNSUPPORTED},
        {"a global of Python's", proto + "cposix\nsystem\n.", OGT_UNSUPPORTED},
        {"tensors by number", proto + "ctorch.jit._pickle\nbuild_tensor_from_id\n.", OGT_UNSUPPORTED},
        {"a quantized tensor", proto + "ctorch._utils\n_rebuild_qtensor\n.", OGT_UNSUPPORTED},
        {"a name without an end", proto + "ctorch", OGT_NOT_AN_ARCHIVE},
    };
    for (const auto &each : cases) {
        ogt_status status = OGT_OK;
        try {
            ogt::check_pickle("data.pkl", each.bytes);
        } catch (const ogt::fault &found) {
            status = found.status();
        }
        if (status != each.status) check_failed(__FILE__, __LINE__, "%s gave %d", each.what, status);
    }
    ogt::check_pickle("data.pkl", proto + std::string("}q\x00(X\x01\x00\x00\x00" "aK\x01u.", 14));
}

TEST(spoiled_bytes_never_end_the_process)
{
    start();
    const std::string whole = linear_archive();
    std::mt19937 random(20261122);
    const auto pick = [&](size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random); };
    for (size_t i = 0; i < inputs(300); i++) {
        std::string spoiled = whole;
        for (size_t k = 0; k <= i % 3; k++) spoiled[pick(spoiled.size())] = static_cast<char>(pick(256));
        try_all(spoiled);
    }
}

TEST(spoiled_records_never_end_the_process)
{
    /* repacked with right checksums, so that the damage reaches the readers behind them */
    start();
    const records whole = unpack(linear_archive());
    std::mt19937 random(7);
    const auto pick = [&](size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random); };
    const char *const targets[] = {"data.pkl", "constants.pkl", "code/", "extra/"};
    for (size_t i = 0; i < inputs(400); i++) {
        records spoiled = whole;
        for (auto &[name, data] : spoiled) {
            if (name.rfind(targets[i % 4], 0) != 0 || data.empty()) continue;
            for (size_t k = 0; k <= i % 2; k++) data[pick(data.size())] = static_cast<char>(pick(256));
        }
        try_all(pack(spoiled));
    }
}
