#include "module.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/remove_dropout.h>

#include "archive.h"
#include "cuda.h"
#include "fault.h"
#include "graph.h"
#include "process.h"
#include "types.h"

namespace ogt {

namespace {

constexpr uint64_t default_most_bytes = 16ull << 30;
constexpr uint32_t most_threads = 256;

void check_load(const ogt_load &load)
{
    if (load.device != OGT_CPU && load.device != OGT_CUDA) throw fault(OGT_OUT_OF_RANGE, "no device kind has number " + std::to_string(load.device));
    if (load.freeze > OGT_FREEZE_NUMERICS) throw fault(OGT_OUT_OF_RANGE, "no freezing has number " + std::to_string(load.freeze));
    if (load.threads == 0 || load.threads > most_threads) throw fault(OGT_OUT_OF_RANGE, "threads must be 1 to 256");
    if (load.signature == nullptr && load.signature_size != 0) throw fault(OGT_NULL_ARGUMENT, "signature is null");
    if (load.device == OGT_CUDA && cuda::is_lost(load.device_index)) throw fault(OGT_DEVICE_LOST, "the device was lost before, and only a new process gets it back");
    const std::string reason = load.device == OGT_CUDA ? cuda::missing(load.device_index) : load.device_index == 0 ? "" : "there is one CPU, of number 0";
    if (!reason.empty()) throw fault(OGT_DEVICE_MISSING, reason);
}

bool is_tensor(const c10::TypePtr &type)
{
    if (type->kind() == c10::TypeKind::TensorType) return true;
    return type->kind() == c10::TypeKind::OptionalType && type->containedTypes().size() == 1 && is_tensor(type->containedTypes()[0]);
}

torch::jit::Function &forward_of(const torch::jit::Module &module)
{
    const auto method = module.find_method("forward");
    if (!method) throw fault(OGT_UNSUPPORTED, "the module has no forward");
    method->function().ensure_defined();
    if (!method->function().isGraphFunction()) throw fault(OGT_UNSUPPORTED, "the module's forward has no graph");
    return method->function();
}

std::shared_ptr<torch::jit::Graph> graph_of(torch::jit::Function &function)
{
    return torch::jit::toGraphFunction(function).graph();
}

/* Results by forward's return type; throws for what is no tensor and no tuple of tensors. */
size_t read_results(const c10::FunctionSchema &schema, loaded_module &into)
{
    if (schema.arguments().empty()) throw fault(OGT_UNSUPPORTED, "forward takes no self");
    if (schema.returns().size() != 1) throw fault(OGT_UNSUPPORTED, "forward returns no value");
    const c10::TypePtr type = schema.returns()[0].type();
    if (type->kind() == c10::TypeKind::TensorType) return 1;
    const auto refused = fault(OGT_UNSUPPORTED, "forward returns " + type->str() + ", neither a tensor nor a tuple of tensors");
    if (type->kind() != c10::TypeKind::TupleType) throw refused;
    for (const c10::TypePtr &each : type->containedTypes())
        if (each->kind() != c10::TypeKind::TensorType) throw refused;
    into.returns_tuple = true;
    const size_t count = type->containedTypes().size();
    if (count == 0 || count > OGT_MAX_VALUES) throw fault(OGT_UNSUPPORTED, "forward returns " + std::to_string(count) + " tensors");
    return count;
}

/* What the schema says, where nobody said more. */
signature unsigned_values(const c10::FunctionSchema &schema, size_t results)
{
    signature values;
    for (size_t i = 1; i < schema.arguments().size() && !schema.arguments()[i].default_value(); i++) {
        value_spec input;
        input.name = schema.arguments()[i].name();
        values.inputs.push_back(std::move(input));
    }
    for (size_t i = 0; i < results; i++) {
        value_spec output;
        output.name = "output" + std::to_string(i);
        values.outputs.push_back(std::move(output));
    }
    return values;
}

/* Throws where signature and schema contradict each other, or forward wants what no caller can give. */
void bind_values(const c10::FunctionSchema &schema, size_t results, bool is_signed, loaded_module &into)
{
    const size_t inputs = into.values.inputs.size(), parameters = schema.arguments().size() - 1;
    const std::string counts = " the signature has " + std::to_string(inputs) + " inputs, forward " + std::to_string(parameters) + " parameters";
    if (inputs > parameters) throw fault(OGT_BAD_SIGNATURE, "too many inputs:" + counts);
    if (is_signed && into.values.outputs.size() != results)
        throw fault(OGT_BAD_SIGNATURE, "the signature has " + std::to_string(into.values.outputs.size()) + " outputs, forward " + std::to_string(results));
    if (inputs == 0 || inputs > OGT_MAX_VALUES) throw fault(OGT_UNSUPPORTED, "forward takes " + std::to_string(inputs) + " tensors");
    for (size_t i = 0; i < parameters; i++) {
        const c10::Argument &parameter = schema.arguments()[i + 1];
        if (i < inputs) {
            if (!is_tensor(parameter.type())) throw fault(OGT_UNSUPPORTED, "forward's parameter '" + parameter.name() + "' is " + parameter.type()->str() + ", no tensor");
            continue;
        }
        if (!parameter.default_value()) throw fault(OGT_BAD_SIGNATURE, "forward's parameter '" + parameter.name() + "' has no default:" + counts);
        into.defaults.push_back(*parameter.default_value());
    }
}

torch::jit::Module freeze(const torch::jit::Module &module, uint32_t how)
{
    try {
        if (how == OGT_FREEZE_NUMERICS) return torch::jit::freeze(module, {}, true);
        torch::jit::Module frozen = torch::jit::freeze_module(module);
        auto graph = frozen.get_method("forward").graph();
        torch::jit::removeDropout(graph);
        return frozen;
    } catch (const c10::Error &refused) {
        const std::string text = refused.what_without_backtrace();
        if (speaks_of_memory(text)) throw;
        throw fault(OGT_UNSUPPORTED, "the module cannot be frozen: " + text);
    }
}

void prepare_forward(loaded_module &into)
{
    into.forward = &forward_of(into.module);
    const auto graph = graph_of(*into.forward);
    torch::jit::Inline(*graph);
    const graph_facts facts = read_graph(graph);
    for (size_t i = 0; i < into.values.inputs.size(); i++) {
        const bool written = i < facts.writes_input.size() && facts.writes_input[i];
        into.copies_input.push_back(written || facts.stateful);
        if (written) into.info.flags |= OGT_MODULE_WRITES_INPUT;
    }
    if (facts.stateful) into.info.flags |= OGT_MODULE_STATEFUL;
    if (facts.random) into.info.flags |= OGT_MODULE_RANDOM;
    into.info.checkpoints = add_checkpoints(*graph);
}

/* From the checked archive onto the device, ready to be run. */
void move_to_device(const checked_archive &archive, const ogt_load &load, loaded_module &into)
{
    if (into.on_gpu) {
        into.module = load_archive(archive, cuda::device_of(into.gpu));
        cuda::wait_for_device(into.gpu);
    }
    into.module.eval();
    if (load.freeze != OGT_FREEZE_NONE) {
        into.module = freeze(into.module, load.freeze);
        into.info.flags |= OGT_MODULE_FROZEN;
    }
    prepare_forward(into);
    if (into.on_gpu) cuda::wait_for_device(into.gpu);
}

} // namespace

std::shared_ptr<const loaded_module> load_module(std::string_view bytes, const ogt_load &load)
{
    check_load(load);
    const checked_archive archive = check_archive(bytes, load.max_bytes == 0 ? default_most_bytes : load.max_bytes);
    auto into = std::make_shared<loaded_module>();
    into->threads = load.threads;
    /* onto the CPU first, wherever it goes: the checks look at host memory, and nothing of it has run yet */
    into->module = load_archive(archive, c10::Device(c10::kCPU));
    tensor_check tensors;
    tensors.value("the module", into->module._ivalue());
    torch::jit::Function &forward = forward_of(into->module);
    check_graph(graph_of(forward)->copy(), tensors);

    const c10::FunctionSchema &schema = forward.getSchema();
    const size_t results = read_results(schema, *into);
    const bool given = load.signature != nullptr, is_signed = given || archive.signature.has_value();
    into->values = given ? parse_signature({load.signature, load.signature_size})
                         : is_signed ? parse_signature(*archive.signature) : unsigned_values(schema, results);
    bind_values(schema, results, is_signed, *into);

    into->on_gpu = load.device == OGT_CUDA;
    into->gpu = load.device_index;
    if (is_signed) into->info.flags |= OGT_MODULE_SIGNED;
    try {
        move_to_device(archive, load, *into);
    } catch (...) {
        /* a lost device speaks through whatever is called next, and the archive is not at fault */
        if (into->on_gpu && cuda::look_for_loss(into->gpu)) throw fault(OGT_DEVICE_LOST, text_of_current_exception());
        throw;
    }
    into->info.inputs = static_cast<uint32_t>(into->values.inputs.size());
    into->info.outputs = static_cast<uint32_t>(into->values.outputs.size());
    into->info.weight_bytes = tensors.bytes();
    into->info.archive_bytes = archive.unpacked;
    return into;
}

} // namespace ogt

using namespace ogt;

extern "C" ogt_status ogt_module_open(const char *path, const ogt_load *load, ogt_module **module, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require_started();
        require(path != nullptr, "path");
        require(load != nullptr, "load");
        require(module != nullptr, "module");
        *module = nullptr;
        const std::string bytes = read_file(path, load->max_bytes == 0 ? default_most_bytes : load->max_bytes);
        *module = new ogt_module{load_module(bytes, *load)};
    });
}

extern "C" ogt_status ogt_module_from_memory(const void *data, uint64_t size, const ogt_load *load, ogt_module **module, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require_started();
        require(data != nullptr, "data");
        require(load != nullptr, "load");
        require(module != nullptr, "module");
        *module = nullptr;
        *module = new ogt_module{load_module({static_cast<const char *>(data), size}, *load)};
    });
}

extern "C" void ogt_module_free(ogt_module *module)
{
    delete module;
}

extern "C" ogt_status ogt_module_describe(const ogt_module *module, ogt_module_info *info, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require(module != nullptr, "module");
        require(info != nullptr, "info");
        *info = module->loaded->info;
    });
}

extern "C" ogt_status ogt_module_value(const ogt_module *module, uint32_t direction, uint32_t index, ogt_value *value, ogt_error *error)
{
    return guarded(error, OGT_SYSTEM, [&] {
        require(module != nullptr, "module");
        require(value != nullptr, "value");
        if (direction != OGT_INPUT && direction != OGT_OUTPUT) throw fault(OGT_OUT_OF_RANGE, "no direction has number " + std::to_string(direction));
        const signature &values = module->loaded->values;
        const auto &side = direction == OGT_INPUT ? values.inputs : values.outputs;
        if (index >= side.size()) throw fault(OGT_OUT_OF_RANGE, "there are " + std::to_string(side.size()) + " values");
        *value = describe(values, side[index]);
    });
}
