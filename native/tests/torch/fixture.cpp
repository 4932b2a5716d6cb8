#include "fixture.h"

#include <sstream>

#include <ATen/Functions.h>
#include <torch/csrc/jit/serialization/export.h>

const char *const linear_signature = "input x float32 ?rows 3\noutput y float32 ?rows 2\n";

void start()
{
    ogt_error error = {};
    if (ogt_start(nullptr, &error) != OGT_OK) check_failed(__FILE__, __LINE__, "ogt_start: %s", error.text);
}

torch::jit::Module scripted(const std::string &source)
{
    torch::jit::Module module("M");
    module.register_attribute("training", c10::BoolType::get(), false);
    module.define(source);
    return module;
}

std::string archive(const torch::jit::Module &module, const std::string &signature)
{
    std::ostringstream stream;
    torch::jit::ExtraFilesMap extra;
    if (!signature.empty()) extra["opengradient.signature"] = signature;
    module.save(stream, extra);
    return stream.str();
}

std::string archive(const std::string &source, const std::string &signature)
{
    return archive(scripted(source), signature);
}

std::string linear_archive()
{
    torch::jit::Module module("M");
    module.register_attribute("training", c10::BoolType::get(), false);
    module.register_parameter("weight", at::arange(6, at::kFloat).reshape({3, 2}), false);
    module.register_parameter("bias", at::tensor({0.5, -0.5}, at::kFloat), false);
    module.define("def forward(self, x):\n    return torch.matmul(x, self.weight) + self.bias\n");
    return archive(module, linear_signature);
}

std::vector<float> linear_expected(const std::vector<float> &rows)
{
    std::vector<float> expected;
    for (size_t i = 0; i + 3 <= rows.size(); i += 3) {
        expected.push_back(rows[i + 1] * 2 + rows[i + 2] * 4 + 0.5f);
        expected.push_back(rows[i] + rows[i + 1] * 3 + rows[i + 2] * 5 - 0.5f);
    }
    return expected;
}

ogt_load plain_load()
{
    ogt_load load = {};
    load.freeze = OGT_FREEZE;
    load.threads = 1;
    return load;
}

load_result try_load(std::string_view bytes, const ogt_load &load)
{
    ogt_module *module = nullptr;
    ogt_error error = {};
    const ogt_status status = ogt_module_from_memory(bytes.data(), bytes.size(), &load, &module, &error);
    if ((status == OGT_OK) != (module != nullptr)) check_failed(__FILE__, __LINE__, "status %d and module %p", status, static_cast<void *>(module));
    if (status != OGT_OK && error.text[0] == 0) check_failed(__FILE__, __LINE__, "status %d without a text", status);
    ogt_module_free(module);
    return {status, error.text};
}

bool holds(const std::string &text, const char *part)
{
    if (text.find(part) != std::string::npos) return true;
    std::fprintf(stderr, "'%s' is not in '%s'\n", part, text.c_str());
    return false;
}

opened::opened(std::string_view bytes, const ogt_load &load)
{
    start();
    if (ogt_module_from_memory(bytes.data(), bytes.size(), &load, &module, &error) != OGT_OK) check_failed(__FILE__, __LINE__, "load: %s", error.text);
    if (ogt_session_create(module, &session, &error) != OGT_OK) check_failed(__FILE__, __LINE__, "session: %s", error.text);
    if (ogt_module_describe(module, &info, &error) != OGT_OK) check_failed(__FILE__, __LINE__, "describe: %s", error.text);
}

opened::~opened()
{
    ogt_module_free(module); /* the session outlives it */
    ogt_session_free(session);
}

ogt_status opened::run(const std::vector<ogt_tensor> &inputs, std::vector<ogt_tensor> &outputs)
{
    return ogt_run(session, inputs.data(), static_cast<uint32_t>(inputs.size()), outputs.data(), static_cast<uint32_t>(outputs.size()), &error);
}

std::vector<ogt_tensor> lent(size_t count)
{
    return std::vector<ogt_tensor>(count);
}
