"""Builds ONNX graphs for the scripts in this folder: IR version 8, opset 17, checked before they are written.

Needs Debian's python3-onnx and python3-numpy. Nothing here runs when the engine runs.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 8
OPSET = 17
# The one symbolic dimension: the engine batches along a first dimension of this name.
BATCH = "batch"

TYPES = {
    "f32": TensorProto.FLOAT,
    "f64": TensorProto.DOUBLE,
    "i32": TensorProto.INT32,
    "i64": TensorProto.INT64,
    "u8": TensorProto.UINT8,
    "bool": TensorProto.BOOL,
}


class Graph:
    """Nodes, weights, inputs and outputs of one graph, in the order they were added."""

    def __init__(self, name):
        self.name = name
        self._nodes, self._weights, self._inputs, self._outputs = [], [], [], []

    def input(self, name, kind, shape):
        self._inputs.append(helper.make_tensor_value_info(name, TYPES[kind], shape))
        return name

    def output(self, name, kind, shape):
        self._outputs.append(helper.make_tensor_value_info(name, TYPES[kind], shape))

    def weight(self, name, value):
        # np.require keeps scalars zero-dimensional; np.ascontiguousarray would make them vectors.
        self._weights.append(numpy_helper.from_array(np.require(value, requirements="C"), name))
        return name

    def node(self, operator, inputs, outputs, **attributes):
        """Adds a node; `outputs` is a name or a list of names, and is returned as given."""
        names = [outputs] if isinstance(outputs, str) else outputs
        self._nodes.append(helper.make_node(operator, inputs, names, name=names[0], **attributes))
        return outputs

    def body(self):
        return helper.make_graph(self._nodes, self.name, self._inputs, self._outputs, self._weights)

    def save(self, path):
        """Writes the checked model; returns (SHA-256 as hex, bytes)."""
        model = helper.make_model(
            self.body(),
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="opengradient-engine-models",
        )
        onnx.checker.check_model(model, full_check=True)
        data = model.SerializeToString(deterministic=True)
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return hashlib.sha256(data).hexdigest(), len(data)


def write_json(path, value):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_collection(path, items):
    """A JSON array with one compact item per line, so that it stays small and diffs by item."""
    lines = (json.dumps(item, separators=(",", ":"), ensure_ascii=False) for item in items)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
