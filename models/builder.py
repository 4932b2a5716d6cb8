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
        self._sparse, self._functions = [], []
        self.files = None

    def input(self, name, kind, shape):
        self._inputs.append(helper.make_tensor_value_info(name, TYPES[kind], shape))
        return name

    def output(self, name, kind, shape):
        self._outputs.append(helper.make_tensor_value_info(name, TYPES[kind], shape))

    def weight(self, name, value):
        # np.require keeps scalars zero-dimensional; np.ascontiguousarray would make them vectors.
        self._weights.append(numpy_helper.from_array(np.require(value, requirements="C"), name))
        return name

    def tensor(self, tensor):
        """Adds a ready-made weight."""
        self._weights.append(tensor)
        return tensor.name

    def sparse(self, tensor):
        self._sparse.append(tensor)
        return tensor.values.name

    def function(self, name, inputs, outputs, nodes):
        self._functions.append(helper.make_function("og", name, inputs, outputs, nodes, [helper.make_opsetid("", OPSET)]))

    def node(self, operator, inputs, outputs, **attributes):
        """Adds a node; `outputs` is a name or a list of names, and is returned as given."""
        names = [outputs] if isinstance(outputs, str) else outputs
        self._nodes.append(helper.make_node(operator, inputs, names, name=names[0], **attributes))
        return outputs

    def body(self):
        return helper.make_graph(self._nodes, self.name, self._inputs, self._outputs, self._weights, sparse_initializer=self._sparse)

    def save(self, path):
        """Writes the checked model; returns (SHA-256 as hex, bytes)."""
        model = helper.make_model(
            self.body(),
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)] + ([helper.make_opsetid("og", 1)] if self._functions else []),
            functions=self._functions,
            producer_name="opengradient-engine-models",
        )
        if self.files is None:
            onnx.checker.check_model(model, full_check=True)
        else:
            self.files.save(Path(path).parent)  # the checker knows no external data in memory
        data = model.SerializeToString(deterministic=True)
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return hashlib.sha256(data).hexdigest(), len(data)


class ExternalFiles:
    """Files of weights beside a model, each filled in the order of moving."""

    def __init__(self):
        self._files = {}

    def move(self, name, value, location):
        """A tensor whose bytes are appended to the file at `location`, 64-byte aligned."""
        tensor = numpy_helper.from_array(np.require(value, requirements="C"), name)
        content = self._files.setdefault(location, bytearray())
        content.extend(b"\0" * (-len(content) % 64))
        for key, text in (("location", location), ("offset", len(content)), ("length", len(tensor.raw_data))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, str(text)
        content.extend(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        return tensor

    def move_sparse(self, name, values, indices, shape, location):
        sparse = onnx.SparseTensorProto(dims=shape)
        sparse.values.CopyFrom(self.move(name, values, location))
        sparse.indices.CopyFrom(numpy_helper.from_array(np.asarray(indices, dtype=np.int64), ""))
        return sparse

    def save(self, folder):
        for location, content in self._files.items():
            path = Path(folder) / location
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


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
