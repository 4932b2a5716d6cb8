#!/usr/bin/python3
"""Trains the digits classifier and writes model.onnx, model.json and the held-back images.

Input  pixels float32 [batch,64]: an 8x8 image, row by row, each value 0..16.
Output logits float32 [batch,10], label int64 [batch] (the first index of the largest logit).

Needs Debian's python3-sklearn and python3-onnx. Run with /usr/bin/python3.
"""

import argparse
import os
import sys
import warnings
from pathlib import Path

# One BLAS thread, so that sums are formed in one order on one machine.
os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

import numpy as np  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402

from builder import BATCH, Graph, write_collection, write_json  # noqa: E402

HERE = Path(__file__).resolve().parent
HELD_BACK = 360
SEED = 20
LARGEST_PIXEL = 16


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hidden", type=int, nargs="+", default=[1024, 1024], help="sizes of the hidden layers")
    parser.add_argument("--epochs", type=int, default=60, help="passes over the training images")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to")
    return parser.parse_args()


def split():
    """Training and held-back images, each digit in its proportion; fixed by SEED."""
    digits = load_digits()
    return train_test_split(
        digits.data.astype(np.float32), digits.target, test_size=HELD_BACK, random_state=SEED, stratify=digits.target
    )


def train(images, labels, hidden, epochs):
    warnings.simplefilter("ignore", ConvergenceWarning)
    # No early stopping: the number of epochs is fixed beforehand, so the held-back images choose nothing.
    network = MLPClassifier(
        hidden_layer_sizes=hidden, max_iter=epochs, n_iter_no_change=epochs, batch_size=64,
        learning_rate_init=5e-4, alpha=1e-3, random_state=SEED,
    )
    return network.fit(images / LARGEST_PIXEL, labels)


def build(network):
    graph = Graph("digits")
    last = graph.input("pixels", "f32", [BATCH, 64])
    last = graph.node("Mul", [last, graph.weight("scale", np.float32(1 / LARGEST_PIXEL))], "scaled")
    layers = list(zip(network.coefs_, network.intercepts_))
    for i, (weights, bias) in enumerate(layers):
        names = [graph.weight(f"w{i}", weights.astype(np.float32)), graph.weight(f"b{i}", bias.astype(np.float32))]
        final = i == len(layers) - 1
        last = graph.node("Gemm", [last, *names], "logits" if final else f"dense{i}")
        if not final:
            last = graph.node("Relu", [last], f"hidden{i}")
    graph.node("ArgMax", ["logits"], "label", axis=1, keepdims=0)
    graph.output("logits", "f32", [BATCH, 10])
    graph.output("label", "i64", [BATCH])
    return graph


def request(pixels):
    return {"inputs": [{"name": "pixels", "shape": [1, 64], "datatype": "FP32", "data": [int(p) for p in pixels]}]}


def main():
    options = arguments()
    images, test_images, labels, test_labels = split()
    network = train(images, labels, options.hidden, options.epochs)
    correct = int((network.predict(test_images / LARGEST_PIXEL) == test_labels).sum())
    digest, size = build(network).save(options.out / "model.onnx")
    write_collection(
        options.out / "inputs" / "held-back.json",
        [{"label": int(label), "request": request(pixels)} for pixels, label in zip(test_images, test_labels)],
    )
    write_json(options.out / "model.json", {
        "name": "digits",
        "version": "1",
        "file": "model.onnx",
        "sha256": digest,
        "description": "Classifies 8x8 images of handwritten digits: a perceptron "
        + "-".join(map(str, [64, *options.hidden, 10])) + ", trained on 1437 images.",
        "license": "Weights: Apache-2.0. Data: CC BY 4.0, see models/README.md.",
        "source": "Trained by train.py on the digits of scikit-learn, a copy of the test set of "
        "E. Alpaydin, C. Kaynak (1998), Optical Recognition of Handwritten Digits, "
        "UCI Machine Learning Repository, doi:10.24432/C50P49.",
        "accuracy": {"heldBack": round(correct / HELD_BACK, 6), "correct": correct, "images": HELD_BACK},
        "maxBatch": 64,
    })
    print(f"{correct}/{HELD_BACK} held-back images right, {size} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
