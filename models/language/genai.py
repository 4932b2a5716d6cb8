#!/usr/bin/env python3
"""Writes a language model with random weights as a folder in ONNX Runtime GenAI's layout.

The graph is the one that exporters write for Llama and Qwen2: GroupQueryAttention with its rotary embedding, past and present
key-values, MatMulNBits for quantized weights. Weights come from a seeded generator, so the text it writes means nothing.

Needs Debian's python3-onnx and python3-numpy. The same arguments give the same bytes with the same versions.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

MICROSOFT = "com.microsoft"
BLOCK = 32  # inputs per scale: what llama.cpp's formats and the engine's own kernels have

# 125m and 500m: the shapes that make.py gives these names; 500m is Qwen2.5 0.5B's.
PRESETS = {
    "tiny": dict(hidden=64, layers=2, heads=4, kv_heads=2, head=16, intermediate=96, vocabulary=264, context=64),
    "smallest": dict(hidden=32, layers=1, heads=2, kv_heads=1, head=16, intermediate=96, vocabulary=264, context=64),
    "125m": dict(hidden=768, layers=12, heads=12, kv_heads=12, head=64, intermediate=2048, vocabulary=50304, context=2048),
    "500m": dict(hidden=896, layers=24, heads=14, kv_heads=2, head=64, intermediate=4864, vocabulary=151936, context=4096),
}


class Weights:
    """Initializers: inside the model, or appended to one file beside it."""

    def __init__(self, seed, data_file):
        self._random = np.random.default_rng(seed)
        self._file = data_file.open("wb") if data_file else None
        self._location = data_file.name if data_file else None
        self.tensors = []

    def add(self, name, values):
        values = np.require(values, requirements="C")
        tensor = TensorProto(name=name, data_type=helper.mapping.NP_TYPE_TO_TENSOR_TYPE[values.dtype], dims=values.shape)
        if self._file is None or values.nbytes < 1024:
            tensor.raw_data = values.tobytes()
        else:
            self._file.write(b"\0" * (-self._file.tell() % 64))
            for key, text in (("location", self._location), ("offset", self._file.tell()), ("length", values.nbytes)):
                entry = tensor.external_data.add()
                entry.key, entry.value = key, str(text)
            tensor.data_location = TensorProto.EXTERNAL
            values.tofile(self._file)
        self.tensors.append(tensor)
        return name

    def normal(self, shape, scale, kind):
        return (self._random.standard_normal(shape, dtype=np.float32) * np.float32(scale)).astype(kind)

    def packed(self, outputs, inputs, bits):
        """Quantized weights as MatMulNBits holds them: [outputs, blocks, bytes]."""
        count = outputs * (inputs // BLOCK) * (BLOCK * bits // 8)
        return np.frombuffer(self._random.bytes(count), dtype=np.uint8).reshape(outputs, inputs // BLOCK, BLOCK * bits // 8)

    def close(self):
        if self._file is not None:
            self._file.close()


class Decoder:
    """The nodes of one model."""

    def __init__(self, shape, weights, bits, accuracy, kind, biases, theta):
        self.shape, self.weights, self.bits, self.accuracy, self.kind, self.biases, self.theta = shape, weights, bits, accuracy, kind, biases, theta
        self.nodes = []
        self.inputs = [self.value(name, np.int64, ["batch_size", length]) for name, length in (("input_ids", "sequence_length"), ("attention_mask", "total_sequence_length"))]
        self.outputs = []

    def value(self, name, kind, shape):
        return helper.make_tensor_value_info(name, helper.mapping.NP_TYPE_TO_TENSOR_TYPE[np.dtype(kind)], shape)

    def node(self, operator, inputs, outputs, domain="", **attributes):
        outputs = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(helper.make_node(operator, inputs, outputs, name="/" + outputs[0], domain=domain, **attributes))
        return outputs[0]

    def linear(self, x, name, inputs, outputs, bias=False):
        spread = 1.0 / np.sqrt(inputs)
        if self.bits == 0:
            y = self.node("MatMul", [x, self.weights.add(f"{name}.weight", self.weights.normal((inputs, outputs), spread, self.kind))], f"{name}.out")
        else:
            # Uniform over all values of the format, scaled to the spread that float weights would have.
            scale = spread / (2 ** self.bits / np.sqrt(12))
            scales = np.abs(self.weights.normal((outputs * (inputs // BLOCK),), 0.1, np.float32) + 1).astype(np.float32) * np.float32(scale)
            names = [x, self.weights.add(f"{name}.weight_q", self.weights.packed(outputs, inputs, self.bits)), self.weights.add(f"{name}.scales", scales.astype(self.kind))]
            y = self.node("MatMulNBits", names, f"{name}.out", MICROSOFT, K=inputs, N=outputs, bits=self.bits, block_size=BLOCK, accuracy_level=self.accuracy)
        if bias:
            y = self.node("Add", [y, self.weights.add(f"{name}.bias", self.weights.normal((outputs,), 0.1, self.kind))], f"{name}.biased")
        return y

    def norm_weight(self, name):
        return self.weights.add(f"{name}.weight", (1 + self.weights.normal((self.shape["hidden"],), 0.1, np.float32)).astype(self.kind))

    def build(self):
        s, w = self.shape, self.weights
        one = w.add("one", np.array([1], dtype=np.int64))
        index = w.add("index_one", np.array(1, dtype=np.int64))
        lengths = self.node("ReduceSum", ["attention_mask", one], "attn_mask.sum", keepdims=1)
        seqlens = self.node("Cast", [self.node("Sub", [lengths, one], "attn_mask.last")], "seqlens_k", to=TensorProto.INT32)
        total = self.node("Gather", [self.node("Shape", ["attention_mask"], "attn_mask.shape"), index], "attn_mask.total", axis=0)
        total = self.node("Cast", [total], "total_seq_len", to=TensorProto.INT32)
        angles = np.outer(np.arange(s["context"], dtype=np.float64), self.theta ** (-np.arange(0, s["head"], 2, dtype=np.float64) / s["head"]))
        cos, sin = w.add("cos_cache", np.cos(angles).astype(self.kind)), w.add("sin_cache", np.sin(angles).astype(self.kind))

        x = self.node("Gather", [w.add("embed_tokens.weight", w.normal((s["vocabulary"], s["hidden"]), 0.5, self.kind)), "input_ids"], "embed_tokens", axis=0)
        y = self.node("SimplifiedLayerNormalization", [x, self.norm_weight("layers.0.input_norm")], "layers.0.input_norm", axis=-1, epsilon=1e-5, stash_type=1)
        for layer in range(s["layers"]):
            x, y = self.layer(layer, x, y, (seqlens, total, cos, sin))
        self.linear_head(y)
        return self.nodes

    def layer(self, layer, x, y, attention):
        s, name = self.shape, f"layers.{layer}"
        width, kv_width = s["heads"] * s["head"], s["kv_heads"] * s["head"]
        q = self.linear(y, f"{name}.q_proj", s["hidden"], width, self.biases)
        k = self.linear(y, f"{name}.k_proj", s["hidden"], kv_width, self.biases)
        v = self.linear(y, f"{name}.v_proj", s["hidden"], kv_width, self.biases)
        present = [f"present.{layer}.key", f"present.{layer}.value"]
        past = [f"past_key_values.{layer}.key", f"past_key_values.{layer}.value"]
        cache = lambda names, length: [self.value(each, self.kind, ["batch_size", s["kv_heads"], length, s["head"]]) for each in names]
        self.inputs += cache(past, "past_sequence_length")
        self.outputs += cache(present, "total_sequence_length")
        a = self.node("GroupQueryAttention", [q, k, v, *past, *attention], [f"{name}.attention", *present], MICROSOFT,
                      num_heads=s["heads"], kv_num_heads=s["kv_heads"], scale=float(1 / np.sqrt(s["head"])), do_rotary=1, rotary_interleaved=0)
        a = self.linear(a, f"{name}.o_proj", width, s["hidden"])
        x, y = self.skip_norm(x, a, f"{name}.post_attention_norm")
        gate, up = self.linear(y, f"{name}.gate_proj", s["hidden"], s["intermediate"]), self.linear(y, f"{name}.up_proj", s["hidden"], s["intermediate"])
        gate = self.node("Mul", [gate, self.node("Sigmoid", [gate], f"{name}.sigmoid")], f"{name}.silu")
        down = self.linear(self.node("Mul", [gate, up], f"{name}.gated"), f"{name}.down_proj", s["intermediate"], s["hidden"])
        last = layer + 1 == s["layers"]
        return self.skip_norm(x, down, "final_norm" if last else f"layers.{layer + 1}.input_norm", "hidden_states" if last else None)

    def skip_norm(self, x, add, name, output=None):
        y = output or name
        self.node("SkipSimplifiedLayerNormalization", [x, add, self.norm_weight(name)], [y, "", "", f"{name}.sum"], MICROSOFT, epsilon=1e-5)
        return f"{name}.sum", y

    def linear_head(self, y):
        s = self.shape
        out = self.linear(y, "lm_head", s["hidden"], s["vocabulary"])
        self.nodes[-1].output[0] = "logits"
        assert out == "lm_head.out"
        rows = lambda name, width: self.value(name, self.kind, ["batch_size", "sequence_length", width])
        self.outputs = [rows("logits", s["vocabulary"]), rows("hidden_states", s["hidden"]), *self.outputs]


def config(shape, architecture):
    return {
        "model": {
            "bos_token_id": 256,
            "context_length": shape["context"],
            "decoder": {
                "session_options": {"log_id": "onnxruntime-genai", "provider_options": []},
                "filename": "model.onnx",
                "head_size": shape["head"],
                "hidden_size": shape["hidden"],
                "inputs": {
                    "input_ids": "input_ids",
                    "attention_mask": "attention_mask",
                    "past_key_names": "past_key_values.%d.key",
                    "past_value_names": "past_key_values.%d.value",
                },
                "outputs": {"logits": "logits", "present_key_names": "present.%d.key", "present_value_names": "present.%d.value"},
                "num_attention_heads": shape["heads"],
                "num_hidden_layers": shape["layers"],
                "num_key_value_heads": shape["kv_heads"],
            },
            "eos_token_id": 257,
            "pad_token_id": 257,
            "type": architecture,
            "vocab_size": shape["vocabulary"],
        },
        "search": {"do_sample": False, "max_length": shape["context"], "past_present_share_buffer": True, "temperature": 1.0, "top_k": 1, "top_p": 1.0},
    }


def byte_letters():
    """The printable letter that stands for each byte in byte-level vocabularies: itself where it prints, else the next free one from U+0100."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        letters.setdefault(byte, chr(0x100 + len(letters) - len(printable)))
    return [letters[byte] for byte in range(256)]


def tokenizer():
    """A token per byte and two special ones: the text means nothing, but any text can be asked."""
    special = lambda number, text: dict(id=number, content=text, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [special(256, "<|begin|>"), special(257, "<|end|>")],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
            "byte_fallback": False, "vocab": {letter: byte for byte, letter in enumerate(byte_letters())}, "merges": [],
        },
    }


def write_json(path, value, indent=2):
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False, separators=None if indent else (",", ":")) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", choices=PRESETS, default="tiny")
    parser.add_argument("--bits", type=int, choices=(0, 4, 8), default=4, help="bits of a weight; 0 keeps floats (4)")
    parser.add_argument("--accuracy", type=int, choices=(0, 1, 4), default=4, help="MatMulNBits' accuracy_level; 4 computes in int8 (4)")
    parser.add_argument("--half", action="store_true", help="float16 activations, caches and logits")
    parser.add_argument("--architecture", choices=("llama", "qwen2"), default="llama", help="qwen2 has biases on q, k and v")
    parser.add_argument("--external", action="store_true", help="weights in model.onnx.data beside the model; always for the large presets")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--name", help="as model.json says it (the folder's name)")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()

    shape = PRESETS[arguments.preset]
    kind = np.dtype(np.float16 if arguments.half else np.float32)
    arguments.out.mkdir(parents=True, exist_ok=True)
    data = arguments.out / "model.onnx.data" if arguments.external or arguments.preset in ("125m", "500m") else None
    weights = Weights(arguments.seed, data)
    decoder = Decoder(shape, weights, arguments.bits, arguments.accuracy, kind, arguments.architecture == "qwen2", 1e6 if arguments.architecture == "qwen2" else 1e4)
    nodes = decoder.build()
    weights.close()
    graph = helper.make_graph(nodes, "decoder", decoder.inputs, decoder.outputs, weights.tensors)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    model = helper.make_model(graph, ir_version=8, opset_imports=opsets, producer_name="opengradient-engine-models")
    (arguments.out / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    write_json(arguments.out / "genai_config.json", config(shape, arguments.architecture))
    write_json(arguments.out / "tokenizer.json", tokenizer(), indent=None)
    template = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    write_json(arguments.out / "tokenizer_config.json", {"bos_token": "<|begin|>", "eos_token": "<|end|>", "chat_template": template, "tokenizer_class": "PreTrainedTokenizerFast"})
    # Last: a folder with it is whole.
    write_json(arguments.out / "model.json", {"name": arguments.name or arguments.out.name, "version": "1", "kind": "language", "weights": "random"})


if __name__ == "__main__":
    main()
