#!/usr/bin/python3
"""Makes larger modules of the shipped shapes with RANDOM weights, for benchmarks; they answer nothing of use.

  large.py mlp --hidden 4096 --out DIR
  large.py encoder --layers 6 --hidden 384 --heads 12 --sequence 128 --vocabulary 30522 --out DIR

Needs torch in Python (Debian's python3-torch, or any later one). The bytes depend on torch's generator and version.
"""

import argparse
import io
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import torch  # noqa: E402
from torch import nn  # noqa: E402

from archive import SIGNATURE, normalise, save, write_json  # noqa: E402
from modules import Digits, Encoder  # noqa: E402
from signature import BATCH, sign, tensor  # noqa: E402

SEED = 20


class Random:
    """Weights by name from a seed, in the place of an ONNX file's."""

    def __init__(self, shapes, heads_shape=None):
        self._shapes, self._heads_shape = shapes, heads_shape
        self._generator = torch.Generator().manual_seed(SEED)

    def __contains__(self, name):
        return name in self._shapes

    def __getitem__(self, name):
        shape = self._shapes[name]
        if len(shape) == 1:
            value = torch.ones(shape) if name.endswith(".scale") else torch.zeros(shape)
        else:
            # Scaled by fan-in, so that activations keep their size through the layers.
            value = torch.randn(shape, generator=self._generator)
            value = value if name in ("tokens", "places") else value / shape[0] ** 0.5
        return nn.Parameter(value, requires_grad=False)

    def integers(self, name):
        assert name == "heads_shape"
        return self._heads_shape


def mlp(options):
    h = options.hidden
    module = Digits(Random({"w0": [64, h], "b0": [h], "w1": [h, h], "b1": [h], "w2": [h, 10], "b2": [10]}))
    return module, [tensor("pixels", "float32", BATCH, 64)], [tensor("logits", "float32", BATCH, 10), tensor("label", "int64", BATCH)]


def encoder(options):
    h, s = options.hidden, options.sequence
    shapes = {"tokens": [options.vocabulary, h], "places": [s, h], "embedded.scale": [h], "embedded.bias": [h]}
    for i in range(options.layers):
        for name, rows, columns in [(f"attention.{part}", h, h) for part in ("query", "key", "value", "out")] + [("wide", h, 4 * h), ("narrow", 4 * h, h)]:
            shapes[f"layer{i}.{name}.weight"], shapes[f"layer{i}.{name}.bias"] = [rows, columns], [columns]
        for name in ("norm1", "norm2"):
            shapes[f"layer{i}.{name}.scale"], shapes[f"layer{i}.{name}.bias"] = [h], [h]
    module = Encoder(Random(shapes, [0, s, options.heads, h // options.heads]))
    return module, [tensor(name, "int64", BATCH, s) for name in ("input_ids", "attention_mask")], [tensor("embedding", "float32", BATCH, h)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["mlp", "encoder"])
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--hidden", type=int, default=384)
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--sequence", type=int, default=128)
    parser.add_argument("--vocabulary", type=int, default=30522)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    options = parser.parse_args()
    module, inputs, outputs = (mlp if options.kind == "mlp" else encoder)(options)
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(module.eval()), buffer)
    entries = sign(normalise(buffer.getvalue()), inputs, outputs)
    digest, size = save(options.out / "model.pt", entries)
    # Written last: whoever finds it finds the archive whole.
    write_json(options.out / "model.json", {"name": options.out.name, "version": "1", "file": "model.pt", "sha256": digest, "weights": "random", "maxBatch": 64})
    print(f"RANDOM weights, {size} bytes, sha256 {digest}\n{entries[SIGNATURE].decode()}", end="")


if __name__ == "__main__":
    main()
