#include "graph.h"

#include <cstring>

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

#include "fault.h"

namespace ogt {

namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;

constexpr size_t operators_between = 16, deepest_block = 200;
constexpr const char *checkpoint_name = "opengradient::checkpoint";

thread_local const std::atomic<bool> *stop_of_thread = nullptr;

/* Side effects as far as passes know, so that none of them moves or removes it. */
const torch::jit::RegisterOperators registered({torch::jit::Operator(
    "opengradient::checkpoint() -> ()",
    [](torch::jit::Stack &) {
        if (stop_of_thread != nullptr && stop_of_thread->load(std::memory_order_relaxed)) throw fault(OGT_TERMINATED, "terminated");
    },
    c10::AliasAnalysisKind::CONSERVATIVE)});

/* Files, other threads and processes are not a model's. */
bool is_refused(const Node &node)
{
    const char *name = node.kind().toQualString();
    for (const char *each : {"aten::from_file", "aten::save", "prim::fork", "prim::rpc_async", "prim::rpc_sync", "prim::rpc_remote", "prim::PythonOp",
                             "prim::CallMethod", "prim::CallFunction", "prim::awaitable", "aten::_awaitable", "prim::CudaFusionGroup"})
        if (std::strcmp(name, each) == 0) return true;
    return false;
}

template <typename Visit> void each_node(const Block *block, const Visit &visit, size_t depth = 0)
{
    if (depth > deepest_block) throw fault(OGT_UNSUPPORTED, "forward nests blocks too deep");
    for (const Node *node : block->nodes()) {
        visit(*node);
        for (const Block *inner : node->blocks()) each_node(inner, visit, depth + 1);
    }
}

uint32_t add_to_block(Graph &graph, Block *block, bool turns, size_t depth)
{
    if (depth > deepest_block) throw fault(OGT_UNSUPPORTED, "forward nests blocks too deep");
    uint32_t added = 0;
    size_t since = turns ? operators_between : 0;
    for (Node *node : block->nodes()) {
        if (node->kind() == c10::prim::Constant || node->kind() == c10::prim::Param) continue;
        if (since >= operators_between) {
            graph.create(c10::Symbol::fromQualString(checkpoint_name), 0)->insertBefore(node);
            since = 0;
            added++;
        }
        since++;
        for (Block *inner : node->blocks()) added += add_to_block(graph, inner, node->kind() == c10::prim::Loop, depth + 1);
    }
    if (turns && since == operators_between) { /* a loop without a body still turns */
        graph.create(c10::Symbol::fromQualString(checkpoint_name), 0)->insertBefore(block->return_node());
        added++;
    }
    return added;
}

} // namespace

void check_graph(const std::shared_ptr<Graph> &graph, tensor_check &constants)
{
    torch::jit::Inline(*graph);
    each_node(graph->block(), [&](const Node &node) {
        if (is_refused(node)) throw fault(OGT_UNSUPPORTED, std::string("forward uses ") + node.kind().toQualString() + ", which is not served");
        if (node.kind() != c10::prim::Constant) return;
        if (const auto value = torch::jit::toIValue(node.output())) constants.value("a constant of forward", *value);
    });
}

graph_facts read_graph(const std::shared_ptr<Graph> &graph)
{
    graph_facts facts;
    const torch::jit::AliasDb aliases(graph);
    const auto inputs = graph->inputs();
    for (size_t i = 1; i < inputs.size(); i++) facts.writes_input.push_back(aliases.hasWriters(inputs[i]));
    each_node(graph->block(), [&](const Node &node) {
        facts.random |= node.isNondeterministic();
        facts.stateful |= node.kind() == c10::prim::SetAttr;
        if (node.kind() != c10::prim::GetAttr && node.kind() != c10::prim::Constant) return;
        if (node.output()->type()->kind() != c10::TypeKind::ClassType) facts.stateful |= aliases.hasWriters(node.output());
    });
    return facts;
}

uint32_t add_checkpoints(Graph &graph)
{
    return add_to_block(graph, graph.block(), false, 0);
}

stop_scope::stop_scope(const std::atomic<bool> &stop) noexcept : outer_(stop_of_thread)
{
    stop_of_thread = &stop;
}

stop_scope::~stop_scope()
{
    stop_of_thread = outer_;
}

} // namespace ogt
