#!/usr/bin/python3
"""Makes a residual convolution network with RANDOM weights, for benchmarks. Its output is not committed.

Input image float32 [batch,3,SIZE,SIZE], output logits float32 [batch,CLASSES].
The defaults have the shape of ResNet-18 at 96x96 (about 45 MB).

Needs Debian's python3-onnx. Run with /usr/bin/python3.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "models"))
sys.dont_write_bytecode = True

import numpy as np  # noqa: E402

from builder import BATCH, Graph  # noqa: E402

SEED = 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=96, help="edge of the image, a multiple of 32")
    parser.add_argument("--channels", type=int, nargs="+", default=[64, 128, 256, 512], help="one per stage")
    parser.add_argument("--blocks", type=int, default=2, help="residual blocks per stage")
    parser.add_argument("--classes", type=int, default=1000)
    # artifacts/ is where build outputs go; git ignores it.
    parser.add_argument("--out", type=Path, default=ROOT / "artifacts" / "models" / "resnet.onnx")
    return parser.parse_args()


class Network:
    """Convolutions with folded batch normalisation, as an exported network has them."""

    def __init__(self):
        self.graph = Graph("resnet-with-random-weights")
        self.random = np.random.Generator(np.random.PCG64(SEED))

    def convolution(self, x, name, channels, kernel, stride):
        source, target = channels
        spread = np.float32(np.sqrt(2 / (source * kernel * kernel)))
        shape = (target, source, kernel, kernel)
        weight = self.graph.weight(f"{name}.weight", self.random.standard_normal(shape, dtype=np.float32) * spread)
        bias = self.graph.weight(f"{name}.bias", np.zeros(target, dtype=np.float32))
        edge = kernel // 2
        return self.graph.node("Conv", [x, weight, bias], name, kernel_shape=[kernel] * 2,
                               strides=[stride] * 2, pads=[edge] * 4)

    def relu(self, x, name):
        return self.graph.node("Relu", [x], name)

    def block(self, x, name, source, target, stride):
        first = self.relu(self.convolution(x, f"{name}.conv1", (source, target), 3, stride), f"{name}.relu1")
        second = self.convolution(first, f"{name}.conv2", (target, target), 3, 1)
        if stride != 1 or source != target:
            x = self.convolution(x, f"{name}.shortcut", (source, target), 1, stride)
        return self.relu(self.graph.node("Add", [second, x], f"{name}.sum"), name)

    def build(self, options):
        g = self.graph
        x = g.input("image", "f32", [BATCH, 3, options.size, options.size])
        source = options.channels[0]
        x = self.relu(self.convolution(x, "stem", (3, source), 7, 2), "stem.relu")
        x = g.node("MaxPool", [x], "stem.pool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
        for stage, target in enumerate(options.channels):
            for i in range(options.blocks):
                stride = 2 if stage > 0 and i == 0 else 1
                x = self.block(x, f"stage{stage}.block{i}", source, target, stride)
                source = target
        x = g.node("Flatten", [g.node("GlobalAveragePool", [x], "pooled")], "flat", axis=1)
        weight = self.random.standard_normal((source, options.classes), dtype=np.float32) / np.float32(np.sqrt(source))
        names = [g.weight("head.weight", weight), g.weight("head.bias", np.zeros(options.classes, dtype=np.float32))]
        g.node("Gemm", [x, *names], "logits")
        g.output("logits", "f32", [BATCH, options.classes])
        return g


def main():
    options = arguments()
    digest, size = Network().build(options).save(options.out)
    print(f"{options.out}: RANDOM weights, {size} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
