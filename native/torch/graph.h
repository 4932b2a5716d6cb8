/* What forward's graph says of it, and the places in it where a termination is noticed. */
#ifndef OG_TORCH_GRAPH_H
#define OG_TORCH_GRAPH_H

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

#include "tensor_check.h"

namespace ogt {

struct graph_facts {
    bool stateful = false;
    bool random = false;
    std::vector<bool> writes_input; /* by parameter without self */
};

/* Calls inlined, operators that are not served refused (OGT_UNSUPPORTED), constants checked. Runs nothing. */
void check_graph(const std::shared_ptr<torch::jit::Graph> &graph, tensor_check &constants);

graph_facts read_graph(const std::shared_ptr<torch::jit::Graph> &graph);

/* Puts checkpoints into a graph that nothing has executed yet: in each turn of each loop, and every few operators. How many. */
uint32_t add_checkpoints(torch::jit::Graph &graph);

/* While it lives, checkpoints on this thread throw once `stop` is set. */
class stop_scope {
public:
    explicit stop_scope(const std::atomic<bool> &stop) noexcept;
    ~stop_scope();
    stop_scope(const stop_scope &) = delete;
    stop_scope &operator=(const stop_scope &) = delete;

private:
    const std::atomic<bool> *outer_;
};

} // namespace ogt

#endif
