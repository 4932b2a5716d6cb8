#!/usr/bin/python3
"""Makes a transformer text encoder with RANDOM weights: real arithmetic, meaningless embeddings.

Inputs input_ids int64 [batch,S] in 0..V-1, attention_mask int64 [batch,S] of 0 and 1.
Output embedding float32 [batch,H]: the mean over the positions whose mask is 1.

Needs Debian's python3-onnx. Run with /usr/bin/python3.
A MiniLM-shaped one, for benchmarks:
  make.py --layers 6 --hidden 384 --heads 12 --sequence 128 --vocabulary 30522 --out DIR
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

import numpy as np  # noqa: E402

from builder import BATCH, Graph, write_collection, write_json  # noqa: E402

HERE = Path(__file__).resolve().parent
SEED = 20
BYTES = 256
SENTENCES = ["The proof comes soon after.", "Grüße aus dem Rechenzentrum.", "答えは先、証明は後"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=64, help="a multiple of --heads")
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--sequence", type=int, default=32, help="positions per row")
    parser.add_argument("--vocabulary", type=int, default=BYTES, help="at least 256: tokens are UTF-8 bytes")
    parser.add_argument("--name", default="encoder", help="model name written to model.json")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to")
    options = parser.parse_args()
    if options.hidden % options.heads or options.vocabulary < BYTES or options.sequence < 32:
        parser.error("--hidden must be a multiple of --heads, --vocabulary >= 256, --sequence >= 32")
    return options


class Encoder:
    """A BERT-shaped stack: normalisation after each residual sum, exact GELU, hidden layer of 4H."""

    def __init__(self, options):
        self.layers, self.hidden, self.heads = options.layers, options.hidden, options.heads
        self.sequence, self.vocabulary = options.sequence, options.vocabulary
        self.random = np.random.Generator(np.random.PCG64(SEED))
        self.graph = Graph("encoder-with-random-weights")

    def weight(self, name, rows, columns):
        # Scaled by fan-in, so that activations keep their size through the layers.
        value = self.random.standard_normal((rows, columns), dtype=np.float32) / np.float32(np.sqrt(rows))
        return self.graph.weight(name, value)

    def constant(self, name, value, kind=np.float32):
        return self.graph.weight(name, np.array(value, dtype=kind))

    def dense(self, x, name, rows, columns):
        bias = self.constant(f"{name}.bias", np.zeros(columns))
        product = self.graph.node("MatMul", [x, self.weight(f"{name}.weight", rows, columns)], f"{name}.product")
        return self.graph.node("Add", [product, bias], name)

    def normalise(self, x, name):
        scale = self.constant(f"{name}.scale", np.ones(self.hidden))
        bias = self.constant(f"{name}.bias", np.zeros(self.hidden))
        return self.graph.node("LayerNormalization", [x, scale, bias], name, axis=-1, epsilon=1e-5)

    def split_heads(self, x, name, order):
        shaped = self.graph.node("Reshape", [x, "heads_shape"], f"{name}.shaped")
        return self.graph.node("Transpose", [shaped], f"{name}.heads", perm=order)

    def attention(self, x, name):
        g, h = self.graph, self.hidden
        query = self.split_heads(self.dense(x, f"{name}.query", h, h), f"{name}.query", [0, 2, 1, 3])
        key = self.split_heads(self.dense(x, f"{name}.key", h, h), f"{name}.key", [0, 2, 3, 1])
        value = self.split_heads(self.dense(x, f"{name}.value", h, h), f"{name}.value", [0, 2, 1, 3])
        scores = g.node("MatMul", [query, key], f"{name}.scores")
        scaled = g.node("Mul", [scores, "head_scale"], f"{name}.scaled")
        masked = g.node("Add", [scaled, "mask_bias"], f"{name}.masked")
        shares = g.node("Softmax", [masked], f"{name}.shares", axis=-1)
        mixed = g.node("MatMul", [shares, value], f"{name}.mixed")
        merged = g.node("Transpose", [mixed], f"{name}.merged", perm=[0, 2, 1, 3])
        flat = g.node("Reshape", [merged, "flat_shape"], f"{name}.flat")
        return self.dense(flat, f"{name}.out", h, h)

    def gelu(self, x, name):
        g = self.graph
        erf = g.node("Erf", [g.node("Div", [x, "sqrt2"], f"{name}.scaled")], f"{name}.erf")
        gate = g.node("Add", [erf, "one"], f"{name}.gate")
        return g.node("Mul", [g.node("Mul", [x, gate], f"{name}.gated"), "half"], name)

    def layer(self, x, name):
        g, h = self.graph, self.hidden
        attended = g.node("Add", [x, self.attention(x, f"{name}.attention")], f"{name}.attended")
        x = self.normalise(attended, f"{name}.norm1")
        wide = self.gelu(self.dense(x, f"{name}.wide", h, 4 * h), f"{name}.gelu")
        summed = g.node("Add", [x, self.dense(wide, f"{name}.narrow", 4 * h, h)], f"{name}.sum")
        return self.normalise(summed, f"{name}.norm2")

    def shared_constants(self):
        size = self.hidden // self.heads
        for name, value in [("sqrt2", np.sqrt(2)), ("one", 1), ("half", 0.5), ("head_scale", size ** -0.5),
                            ("mask_lift", -1), ("mask_scale", 10000)]:
            self.constant(name, value)
        # 0 keeps the batch dimension, whatever it is.
        self.constant("heads_shape", [0, self.sequence, self.heads, size], np.int64)
        self.constant("flat_shape", [0, self.sequence, self.hidden], np.int64)
        self.constant("mask_axes", [1, 2], np.int64)
        self.constant("weights_axes", [1], np.int64)
        self.constant("last_axis", [-1], np.int64)

    def embed(self):
        g = self.graph
        ids = g.input("input_ids", "i64", [BATCH, self.sequence])
        mask = g.input("attention_mask", "i64", [BATCH, self.sequence])
        g.node("Cast", [mask], "mask", to=1)
        opened = g.node("Unsqueeze", ["mask", "mask_axes"], "mask.opened")
        lifted = g.node("Add", [opened, "mask_lift"], "mask.lifted")
        g.node("Mul", [lifted, "mask_scale"], "mask_bias")
        # One unit of variance each; row scale is restored by the normalisation that follows.
        tokens = g.weight("tokens", self.random.standard_normal((self.vocabulary, self.hidden), dtype=np.float32))
        places = g.weight("places", self.random.standard_normal((self.sequence, self.hidden), dtype=np.float32))
        found = g.node("Gather", [tokens, ids], "found", axis=0)
        return self.normalise(g.node("Add", [found, places], "placed"), "embedded")

    def pool(self, x):
        """Masked mean as a sum over the last axis: a sum over a middle axis changes bits with the batch size."""
        g = self.graph
        turned = g.node("Transpose", [x], "turned", perm=[0, 2, 1])
        opened = g.node("Unsqueeze", ["mask", "weights_axes"], "weights")
        total = g.node("ReduceSum", [g.node("Mul", [turned, opened], "kept"), "last_axis"], "total", keepdims=0)
        count = g.node("ReduceSum", ["mask", "last_axis"], "count", keepdims=1)
        # At least one, so that a row with an empty mask is zeros and not NaN.
        g.node("Div", [total, g.node("Max", [count, "one"], "divisor")], "embedding")
        g.output("embedding", "f32", [BATCH, self.hidden])

    def build(self):
        self.shared_constants()
        x = self.embed()
        for i in range(self.layers):
            x = self.layer(x, f"layer{i}")
        self.pool(x)
        return self.graph


def item(text, sequence):
    data = text.encode("utf-8")
    padding = [0] * (sequence - len(data))
    columns = {"input_ids": [*data, *padding], "attention_mask": [*[1] * len(data), *padding]}
    inputs = [{"name": n, "shape": [1, sequence], "datatype": "INT64", "data": d} for n, d in columns.items()]
    return {"text": text, "request": {"inputs": inputs}}


def main():
    options = arguments()
    digest, size = Encoder(options).build().save(options.out / "model.onnx")
    write_collection(options.out / "inputs" / "sentences.json", [item(s, options.sequence) for s in SENTENCES])
    write_json(options.out / "model.json", {
        "name": options.name,
        "version": "1",
        "file": "model.onnx",
        "sha256": digest,
        "weights": "random",
        "description": "RANDOM WEIGHTS, NOT TRAINED: its embeddings mean nothing. A transformer text encoder over "
        f"UTF-8 bytes: {options.layers} layers, hidden {options.hidden}, {options.heads} heads, "
        f"sequence {options.sequence}, vocabulary {options.vocabulary}, masked mean pooling.",
        "license": "Apache-2.0",
        "source": "Made by make.py from a seeded random generator.",
        "maxBatch": 64,
    })
    print(f"RANDOM weights, {size} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
