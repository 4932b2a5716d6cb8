#!/usr/bin/python3
"""Makes the tiny models that tests load, one function each, and lists them in models.json.

Needs Debian's python3-onnx. Run with /usr/bin/python3.
"""

import argparse
import inspect
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

import numpy as np  # noqa: E402

from onnx import helper  # noqa: E402

from builder import BATCH, TYPES, ExternalFiles, Graph, write_json  # noqa: E402

HERE = Path(__file__).resolve().parent
SEED = 20
LIMIT = 10_000
# Loop turns of slow.onnx: about 2 s on one 2020s core; only the length matters, not the exact time.
TURNS = 1_750_000


def unary(operator, kind, shape, out_shape=None, **attributes):
    graph = Graph(operator.lower())
    graph.node(operator, [graph.input("x", kind, shape)], "y", **attributes)
    graph.output("y", kind, out_shape or shape)
    return graph


def identity():
    """x float32 [batch,4] -> y, the same values. Class A."""
    return unary("Identity", "f32", [BATCH, 4])


def noop():
    """x float32 [batch,1] -> y: the least work a backend call can do. Class A."""
    return unary("Identity", "f32", [BATCH, 1])


def fixed():
    """x float32 [1,4] -> y = x + x: the first dimension is fixed, so rows cannot be batched."""
    graph = Graph("fixed")
    x = graph.input("x", "f32", [1, 4])
    graph.node("Add", [x, x], "y")
    graph.output("y", "f32", [1, 4])
    return graph


def nan():
    """x float32 [batch,4] -> y = log(x): negative values give NaN, 0 gives -Inf."""
    return unary("Log", "f32", [BATCH, 4])


def add():
    """a, b float32 [batch,3] -> sum. ONNX Runtime broadcasts a first dimension of 1: the engine must refuse it."""
    graph = Graph("add")
    graph.node("Add", [graph.input("a", "f32", [BATCH, 3]), graph.input("b", "f32", [BATCH, 3])], "sum")
    graph.output("sum", "f32", [BATCH, 3])
    return graph


def multi():
    """Six inputs named by element type, each [batch,2] -> six outputs NAME_out, the same values."""
    graph = Graph("multi")
    for kind in TYPES:
        graph.node("Identity", [graph.input(kind, kind, [BATCH, 2])], f"{kind}_out")
        graph.output(f"{kind}_out", kind, [BATCH, 2])
    return graph


def dynq():
    """x float32 [batch,16] -> y [batch,4]: one quantization scale for the whole batch. Class C."""
    graph, random = Graph("dynq"), np.random.default_rng(SEED)
    last, width = graph.input("x", "f32", [BATCH, 16]), 16
    for i, units in enumerate([16, 4]):
        weights = graph.weight(f"w{i}", random.integers(-127, 128, (width, units)).astype(np.int8))
        scale = graph.weight(f"scale{i}", np.float32(0.01))
        levels, step, zero = graph.node("DynamicQuantizeLinear", [last], [f"levels{i}", f"step{i}", f"zero{i}"])
        product = graph.node("MatMulInteger", [levels, weights, zero], f"product{i}")
        real = graph.node("Cast", [product], f"real{i}", to=TYPES["f32"])
        factor = graph.node("Mul", [step, scale], f"factor{i}")
        last = graph.node("Mul", [real, factor], f"scaled{i}" if i == 0 else "y")
        if i == 0:
            last = graph.node("Relu", [last], "hidden")
        width = units
    graph.output("y", "f32", [BATCH, 4])
    return graph


def reduction(name, shape, out_shape, axis):
    graph = Graph(name)
    axes = graph.weight("axes", np.array([axis], dtype=np.int64))
    graph.node("ReduceSum", [graph.input("x", "f32", shape), axes], "y", keepdims=0)
    graph.output("y", "f32", out_shape)
    return graph


def shape():
    """x float32 [batch,128,64] -> y [batch,64], a sum over the middle axis: bits of a lone row differ from those
    in a batch of two or more. Class B, or A once a lone row is padded to two."""
    return reduction("shape", [BATCH, 128, 64], [BATCH, 64], 1)


def slot():
    """x float32 [batch,33] -> y [batch], a sum over rows whose address alignment depends on the slot: bits differ
    from slot to slot, and padding does not help. Class B."""
    return reduction("slot", [BATCH, 33], [BATCH], 1)


def lengths():
    """x float32 [batch,length] -> y, the softmax of each row: an open inner dimension. Class A."""
    return unary("Softmax", "f32", [BATCH, "length"], axis=-1)


def totals():
    """x float32 [batch,length] -> y [batch], a sum over rows whose length is open: bits depend on the slot for most
    lengths. Class B."""
    return reduction("totals", [BATCH, "length"], [BATCH], 1)


def slow():
    """x float32 [batch,1] -> y after a long loop of y = 0.5 y + x: for deadlines and termination."""
    body = Graph("turn")
    body.input("turn", "i64", [])
    body.input("go", "bool", [])
    body.input("state", "f32", [BATCH, 1])
    body.node("Identity", ["go"], "go_on")
    body.node("Add", [body.node("Mul", ["state", "half"], "halved"), "x"], "next")
    body.output("go_on", "bool", [])
    body.output("next", "f32", [BATCH, 1])

    graph = Graph("slow")
    x = graph.input("x", "f32", [BATCH, 1])
    graph.weight("half", np.float32(0.5))
    turns, go = graph.weight("turns", np.int64(TURNS)), graph.weight("start", np.bool_(True))
    graph.node("Loop", [turns, go, x], "y", body=body.body())
    graph.output("y", "f32", [BATCH, 1])
    return graph


def external():
    """x float32 [batch,8] -> y, weights in external.data and external.parts/bias.data: of the main graph by reference, of
    an attribute, both branches of an If, a function and a sparse tensor. Class A."""
    files, random = ExternalFiles(), np.random.default_rng(SEED)
    main, parts = "external.data", "./external.parts//bias.data"

    def values(*shape):
        return random.standard_normal(shape).astype(np.float32)

    def branch(name, bias):
        body = Graph(name)
        body.node("Add", ["mixed", body.tensor(files.move(f"{name}_bias", bias, parts))], name)
        body.output(name, "f32", [BATCH, 8])
        return body.body()

    graph = Graph("external")
    x = graph.input("x", "f32", [BATCH, 8])
    weights = graph.tensor(files.move("weights", values(8, 8), main))
    diagonal = graph.sparse(files.move_sparse("diagonal", values(8), np.arange(8) * 9, [8, 8], main))
    mixed = graph.node("MatMul", [graph.node("MatMul", [x, weights], "product"), diagonal], "scaled")
    constant = graph.node("Constant", [], "shift", value=files.move("shift_value", values(8), main))
    graph.node("Add", [mixed, constant], "mixed")
    # True for every batch, and known only when it runs: nothing folds the branches away.
    size = graph.node("ReduceProd", [graph.node("Shape", ["mixed"], "size")], "elements", keepdims=0)
    some = graph.node("Greater", [size, graph.weight("zero", np.int64(0))], "some")
    graph.node("If", [some], "chosen", then_branch=branch("above", values(8)), else_branch=branch("below", values(8)))
    inner = [
        helper.make_node("Constant", [], ["step"], value=files.move("step_value", values(8), main)),
        helper.make_node("Add", ["a", "step"], ["b"]),
    ]
    graph.function("Step", ["a"], ["b"], inner)
    graph.node("Step", ["chosen"], "y", domain="og")
    graph.output("y", "f32", [BATCH, 8])
    graph.files = files
    return graph


MODELS = [external, identity, add, noop, multi, fixed, dynq, shape, slot, lengths, totals, nan, slow]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to")
    options = parser.parse_args()
    listing = []
    for make in MODELS:
        file = f"{make.__name__}.onnx"
        digest, size = make().save(options.out / file)
        assert size < LIMIT, f"{file}: {size} bytes"
        listing.append({"file": file, "sha256": digest, "description": " ".join(inspect.getdoc(make).split())})
        print(f"{file}: {size} bytes, sha256 {digest}")
    write_json(options.out / "models.json", listing)


if __name__ == "__main__":
    main()
