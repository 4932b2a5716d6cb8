/* Loading: files, signatures, what a module says of itself, freezing. */
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <ATen/Functions.h>
#include <torch/version.h>

#include "fixture.h"

namespace {

ogt_load with_signature(const std::string &text)
{
    ogt_load load = plain_load();
    load.signature = text.data();
    load.signature_size = text.size();
    return load;
}

ogt_value value_of(const opened &of, uint32_t direction, uint32_t index)
{
    ogt_value value = {};
    CHECK_STATUS(OGT_OK, ogt_module_value(of.module, direction, index, &value, nullptr));
    return value;
}

const char *const twice = "def forward(self, x):\n    return x * 2\n";

} // namespace

TEST(a_signed_module_describes_its_values)
{
    opened linear(linear_archive());
    CHECK(linear.info.inputs == 1 && linear.info.outputs == 1 && linear.info.weight_bytes >= 32);
    CHECK((linear.info.flags & (OGT_MODULE_SIGNED | OGT_MODULE_FROZEN)) == (OGT_MODULE_SIGNED | OGT_MODULE_FROZEN));
    CHECK((linear.info.flags & (OGT_MODULE_STATEFUL | OGT_MODULE_RANDOM | OGT_MODULE_WRITES_INPUT)) == 0);
    const ogt_value x = value_of(linear, OGT_INPUT, 0), y = value_of(linear, OGT_OUTPUT, 0);
    CHECK(std::string(x.name) == "x" && x.type == OGT_TYPE_FLOAT32 && x.rank == 2 && x.shape[0] == -1 && x.shape[1] == 3);
    CHECK(std::string(x.symbols[0]) == "rows" && x.symbols[1][0] == 0);
    CHECK(std::string(y.name) == "y" && y.shape[1] == 2);
    ogt_value none = {};
    CHECK_STATUS(OGT_OUT_OF_RANGE, ogt_module_value(linear.module, OGT_INPUT, 1, &none, nullptr));
    CHECK_STATUS(OGT_OUT_OF_RANGE, ogt_module_value(linear.module, 2, 0, &none, nullptr));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_module_value(nullptr, 0, 0, &none, nullptr));
}

TEST(an_unsigned_module_knows_names_and_counts)
{
    opened plain(archive("def forward(self, pixels, mask):\n    return pixels * mask, mask\n"));
    CHECK(plain.info.inputs == 2 && plain.info.outputs == 2 && (plain.info.flags & OGT_MODULE_SIGNED) == 0);
    const ogt_value first = value_of(plain, OGT_INPUT, 0);
    CHECK(std::string(first.name) == "pixels" && first.rank == OGT_RANK_UNKNOWN && first.type == OGT_TYPE_UNKNOWN);
    CHECK(std::string(value_of(plain, OGT_OUTPUT, 1).name) == "output1");
}

TEST(the_callers_signature_is_taken_before_the_archives)
{
    const std::string text = "input renamed float32 ? 3\noutput y float32 ? 2";
    opened linear(linear_archive(), with_signature(text));
    CHECK(std::string(value_of(linear, OGT_INPUT, 0).name) == "renamed");
}

TEST(malformed_signatures_are_refused_by_line)
{
    start();
    const std::string bytes = archive(twice);
    const struct { const char *text, *part; } cases[] = {
        {"", "line 1"},
        {"input x float32 ?\n", "needs an input and an output"},
        {"output y float32 ?\n", "needs an input and an output"},
        {"input x float32 ?\n\noutput y float32 ?", "line 2"},
        {"input x float32 ?\noutput y float32 ?\n\n", "line 3"},
        {"input  x float32 ?\noutput y float32 ?", "line 1"},
        {"inputs x float32 ?\noutput y float32 ?", "neither 'input' nor 'output'"},
        {"input x float33 ?\noutput y float32 ?", "'float33' is no type"},
        {"input x float32 -1\noutput y float32 ?", "'-1' is no dimension"},
        {"input x float32 01\noutput y float32 ?", "'01' is no dimension"},
        {"input x float32 1e3\noutput y float32 ?", "no dimension"},
        {"input x float32 99999999999999999999\noutput y float32 ?", "no dimension"},
        {"input x float32 4611686018427387904 4\noutput y float32 ?", "too many bytes"},
        {"input x float32 1 1 1 1 1 1 1 1 1\noutput y float32 ?", "more than 8 dimensions"},
        {"input x float32 ?\ninput x float32 ?\noutput y float32 ?", "was there before"},
        {"input x float32 ?a\xff\noutput y float32 ?", "not UTF-8"},
        {"input x\xc0\x80 float32 ?\noutput y float32 ?", "not UTF-8"},
        {"input x\t float32 ?\noutput y float32 ?", "line 1"},
        {"input x float32 ?a23456789012345678901234567890123\noutput y float32 ?", "too long"},
        {"input x float32 ?\r\noutput y float32 ?", "line 1"},
    };
    for (const auto &each : cases) {
        const std::string text = each.text;
        const load_result result = try_load(bytes, with_signature(text));
        if (result.status != OGT_BAD_SIGNATURE) check_failed(__FILE__, __LINE__, "'%s' gave %d: %s", each.text, result.status, result.text.c_str());
        CHECK(holds(result.text, each.part));
        if (!text.empty()) CHECK(try_load(archive(twice, text)).status == OGT_BAD_SIGNATURE);
    }
    std::string many;
    for (int i = 0; i < 65; i++) many += "input x" + std::to_string(i) + " float32 ?\n";
    CHECK(try_load(bytes, with_signature(many + "output y float32 ?")).status == OGT_BAD_SIGNATURE);
    CHECK(try_load(bytes, with_signature(std::string(70000, 'x'))).status == OGT_BAD_SIGNATURE);
    CHECK(try_load(bytes, with_signature("input x uint16 ?\noutput y float32 ?")).status == (TORCH_VERSION_MAJOR == 1 ? OGT_UNSUPPORTED : OGT_OK));
}

TEST(signatures_that_contradict_forward_are_refused)
{
    start();
    CHECK(try_load(archive(twice), with_signature("input x float32 ?\ninput y float32 ?\noutput z float32 ?")).status == OGT_BAD_SIGNATURE);
    CHECK(try_load(archive(twice), with_signature("input x float32 ?\noutput y float32 ?\noutput z float32 ?")).status == OGT_BAD_SIGNATURE);
    CHECK(try_load(archive("def forward(self, x, y):\n    return x + y\n"), with_signature("input x float32 ?\noutput z float32 ?")).status == OGT_BAD_SIGNATURE);
}

TEST(modules_that_cannot_be_served_say_why)
{
    start();
    const struct { const char *source, *part; } cases[] = {
        {"def other(self, x):\n    return x\n", "no forward"},
        {"def forward(self, x):\n    return [x]\n", "neither a tensor nor a tuple"},
        {"def forward(self, x):\n    return {'a': x}\n", "neither a tensor nor a tuple"},
        {"def forward(self, x):\n    return x, 3\n", "neither a tensor nor a tuple"},
        {"def forward(self, x):\n    return float(x.sum())\n", "neither a tensor nor a tuple"},
        {"def forward(self, x: int):\n    return torch.ones([x])\n", "no tensor"},
        {"def forward(self, x: List[Tensor]):\n    return x[0]\n", "no tensor"},
        {"def forward(self):\n    return torch.ones([1])\n", "0 tensors"},
    };
    for (const auto &each : cases) {
        const load_result result = try_load(archive(each.source));
        if (result.status != OGT_UNSUPPORTED) check_failed(__FILE__, __LINE__, "%s gave %d: %s", each.source, result.status, result.text.c_str());
        CHECK(holds(result.text, each.part));
    }
}

TEST(files_that_cannot_be_read_say_why)
{
    start();
    char folder[] = "/tmp/og-torch-XXXXXX";
    CHECK(mkdtemp(folder) != nullptr);
    const std::string path = std::string(folder) + "/linear.pt", fifo = std::string(folder) + "/fifo";
    std::ofstream(path, std::ios::binary) << linear_archive();
    CHECK(mkfifo(fifo.c_str(), 0600) == 0);
    ogt_load load = plain_load();
    ogt_module *module = nullptr;
    ogt_error error = {};
    CHECK_STATUS(OGT_OK, ogt_module_open(path.c_str(), &load, &module, &error));
    ogt_module_free(module);
    CHECK_STATUS(OGT_NOT_FOUND, ogt_module_open((path + ".missing").c_str(), &load, &module, &error));
    CHECK(error.os_error == ENOENT && module == nullptr && holds(error.text, ".missing"));
    CHECK_STATUS(OGT_NOT_FOUND, ogt_module_open(folder, &load, &module, &error));
    CHECK_STATUS(OGT_NOT_FOUND, ogt_module_open(fifo.c_str(), &load, &module, &error));
    load.max_bytes = 100;
    CHECK_STATUS(OGT_UNSUPPORTED, ogt_module_open(path.c_str(), &load, &module, &error));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_module_open(nullptr, &load, &module, &error));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_module_open(path.c_str(), nullptr, &module, &error));
    CHECK_STATUS(OGT_NULL_ARGUMENT, ogt_module_open(path.c_str(), &load, nullptr, &error));
    unlink(path.c_str());
    unlink(fifo.c_str());
    rmdir(folder);
}

TEST(load_options_outside_their_range_are_refused)
{
    start();
    const std::string bytes = archive(twice);
    for (auto [field, value] : {std::pair{&ogt_load::device, 2u}, {&ogt_load::freeze, 3u}, {&ogt_load::threads, 0u}, {&ogt_load::threads, 257u}}) {
        ogt_load load = plain_load();
        load.*field = value;
        CHECK(try_load(bytes, load).status == OGT_OUT_OF_RANGE);
    }
    ogt_load other = plain_load();
    other.device_index = 1;
    CHECK(try_load(bytes, other).status == OGT_DEVICE_MISSING);
}

TEST(cuda_where_there_is_none_says_why)
{
    start();
    uint32_t devices = 0;
    CHECK_STATUS(OGT_OK, ogt_device_count(OGT_CUDA, &devices, nullptr));
    if (devices > 0) return;
    ogt_load load = plain_load();
    load.device = OGT_CUDA;
    const load_result result = try_load(linear_archive(), load);
    CHECK(result.status == OGT_DEVICE_MISSING && holds(result.text, "CUDA"));
}

TEST(frozen_and_unfrozen_give_the_same_bits)
{
    std::vector<std::vector<float>> answers;
    const std::vector<float> rows = {0.1f, 0.2f, 0.3f, 1e-7f, 3e7f, -5};
    for (uint32_t freeze : {OGT_FREEZE_NONE, OGT_FREEZE, OGT_FREEZE_NUMERICS}) {
        ogt_load load = plain_load();
        load.freeze = freeze;
        opened linear(linear_archive(), load);
        CHECK(((linear.info.flags & OGT_MODULE_FROZEN) != 0) == (freeze != OGT_FREEZE_NONE));
        for (int repeat = 0; repeat < 3; repeat++) {
            auto outputs = lent(1);
            CHECK_STATUS(OGT_OK, linear.run({tensor_over(rows, OGT_TYPE_FLOAT32, {2, 3})}, outputs));
            answers.push_back(values_of<float>(outputs[0]));
        }
    }
    for (const auto &each : answers) CHECK(each == answers[0]);
}

TEST(state_and_chance_are_told)
{
    torch::jit::Module counting = scripted("");
    counting.register_buffer("seen", at::zeros({1}));
    counting.define("def forward(self, x):\n    self.seen.add_(1)\n    return x + self.seen\n");
    opened stateful(archive(counting));
    CHECK((stateful.info.flags & OGT_MODULE_STATEFUL) != 0);
    opened random(archive("def forward(self, x):\n    return x + torch.rand([1])\n"));
    CHECK((random.info.flags & OGT_MODULE_RANDOM) != 0);
    opened neither(archive("def forward(self, x):\n    y = x + 1\n    y.mul_(2)\n    return torch.dropout(y, 0.5, False)\n"));
    CHECK((neither.info.flags & (OGT_MODULE_STATEFUL | OGT_MODULE_RANDOM | OGT_MODULE_WRITES_INPUT)) == 0);
}
