#!/usr/bin/env python3
"""Makes a language model with RANDOM weights in Hugging Face's folder layout: real arithmetic, meaningless text.

Writes config.json, generation_config.json, model.safetensors (or shards with their index), tokenizer.json,
tokenizer_config.json with a chat template, and model.json. Needs Python 3.9 and nothing else. The same arguments give
the same bytes. A billion bytes of weights take some ten seconds.

  make.py --out /tmp/tiny                                  a few hundred kilobytes
  make.py --preset 125m --out artifacts/models/llm-125m    124 million weights, Llama
  make.py --preset 500m --out artifacts/models/llm-500m    494 million weights, the shape of Qwen2.5-0.5B
"""

import argparse
import json
import random
import shutil
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from filler import tokenizer_json  # noqa: E402
from noise import Noise  # noqa: E402

PRESETS = {
    "tiny": dict(architecture="llama", hidden=64, intermediate=96, layers=2, heads=4, kv_heads=2, head_dim=16,
                 vocabulary=512, context=256, tied=True, rope_theta=10000.0),
    "125m": dict(architecture="llama", hidden=768, intermediate=2048, layers=12, heads=12, kv_heads=12, head_dim=64,
                 vocabulary=50304, context=2048, tied=True, rope_theta=10000.0),
    "500m": dict(architecture="qwen2", hidden=896, intermediate=4864, layers=24, heads=14, kv_heads=2, head_dim=64,
                 vocabulary=151936, context=32768, tied=True, rope_theta=1000000.0),
}
CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}
TORCH_TYPES = {"bf16": "bfloat16", "f16": "float16", "f32": "float32"}
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to write to; made when it is not there")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="tiny", help="the shape; the arguments below change it")
    parser.add_argument("--architecture", choices=sorted(CLASSES))
    for name in ("hidden", "intermediate", "layers", "heads", "kv-heads", "head-dim", "vocabulary", "context"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--tied", action=argparse.BooleanOptionalAction, help="whether the output layer is the embedding")
    parser.add_argument("--rope-theta", type=float)
    parser.add_argument("--rope-scaling", type=json.loads, help="rope_scaling as JSON")
    parser.add_argument("--dtype", choices=sorted(TORCH_TYPES), default="bf16")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--tokenizer", type=Path, help="a tokenizer.json to copy instead of making one")
    parser.add_argument("--name", help="written to model.json; the folder's name otherwise")
    parser.add_argument("--scheme", choices=["bf16", "int8", "int4"], default="bf16", help="how it is served unless told otherwise")
    options = parser.parse_args()
    for key, value in PRESETS[options.preset].items():
        if getattr(options, key, None) is None:
            setattr(options, key, value)
    if options.heads % options.kv_heads or options.shards < 1 or options.vocabulary < 256 + len(SPECIAL):
        parser.error(f"--heads must be a multiple of --kv-heads, --shards at least 1, --vocabulary at least {256 + len(SPECIAL)}")
    if options.hidden % 32 or options.intermediate % 32 or options.heads * options.head_dim % 32 or options.head_dim % 2:
        parser.error("--hidden, --intermediate and heads times head-dim must be multiples of 32, head-dim even")
    return options


def tensors(o):
    """Name, dimensions, mean and standard deviation of every tensor.

    Matrices are scaled by fan-in and those that end in the residual stream by depth too, so that activations keep their
    size through the layers. The output layer's scale spreads the logits over some units, as trained models' are.
    """
    spread, depth = 2.5, (2 * o.layers) ** -0.5
    wide, narrow = o.heads * o.head_dim, o.kv_heads * o.head_dim
    yield "model.embed_tokens.weight", (o.vocabulary, o.hidden), 0, spread * o.hidden ** -0.5 if o.tied else 1.0
    for layer in range(o.layers):
        at = f"model.layers.{layer}."
        yield at + "input_layernorm.weight", (o.hidden,), 1, 0.1
        for name, rows in (("q", wide), ("k", narrow), ("v", narrow)):
            yield at + f"self_attn.{name}_proj.weight", (rows, o.hidden), 0, o.hidden ** -0.5
            if o.architecture == "qwen2":
                yield at + f"self_attn.{name}_proj.bias", (rows,), 0, 0.1
        if o.architecture == "qwen3":
            yield at + "self_attn.q_norm.weight", (o.head_dim,), 1, 0.1
            yield at + "self_attn.k_norm.weight", (o.head_dim,), 1, 0.1
        yield at + "self_attn.o_proj.weight", (o.hidden, wide), 0, depth * wide ** -0.5
        yield at + "post_attention_layernorm.weight", (o.hidden,), 1, 0.1
        yield at + "mlp.gate_proj.weight", (o.intermediate, o.hidden), 0, o.hidden ** -0.5
        yield at + "mlp.up_proj.weight", (o.intermediate, o.hidden), 0, o.hidden ** -0.5
        yield at + "mlp.down_proj.weight", (o.hidden, o.intermediate), 0, depth * o.intermediate ** -0.5
    yield "model.norm.weight", (o.hidden,), 1, 0.1
    if not o.tied:
        yield "lm_head.weight", (o.vocabulary, o.hidden), 0, spread * o.hidden ** -0.5


def configuration(o):
    config = {
        "architectures": [CLASSES[o.architecture]], "model_type": o.architecture, "vocab_size": o.vocabulary,
        "hidden_size": o.hidden, "intermediate_size": o.intermediate, "num_hidden_layers": o.layers,
        "num_attention_heads": o.heads, "num_key_value_heads": o.kv_heads, "head_dim": o.head_dim,
        "max_position_embeddings": o.context, "hidden_act": "silu", "rms_norm_eps": 1e-06, "rope_theta": o.rope_theta,
        "tie_word_embeddings": o.tied, "torch_dtype": TORCH_TYPES[o.dtype], "use_cache": True,
    }
    if o.rope_scaling:
        config["rope_scaling"] = o.rope_scaling
    if o.architecture != "qwen2":
        config["attention_bias"] = False
    if o.architecture != "llama":
        config["use_sliding_window"] = False
    return config


def shard(o, listed):
    """Splits the tensors into parts of about equal bytes, in order."""
    total, width = 0, 4 if o.dtype == "f32" else 2
    sizes = []
    for _, shape, _, _ in listed:
        count = width
        for dimension in shape:
            count *= dimension
        sizes.append(count)
        total += count
    parts, filled = [[] for _ in range(o.shards)], 0
    for entry, size in zip(listed, sizes):
        parts[min(o.shards - 1, filled * o.shards // total)].append((entry, size))
        filled += size
    return [part for part in parts if part], total


def write_weights(o, path, part):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for (name, shape, _, _), size in part:
        header[name] = {"dtype": o.dtype.upper(), "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for (name, shape, mean, deviation), size in part:
            noise = Noise(o.dtype, f"{o.seed}/{name}")
            for block in noise.blocks(size, mean, deviation):
                file.write(block)


def write_json(path, value, indent=2):
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    o = arguments()
    o.out.mkdir(parents=True, exist_ok=True)
    for stale in [*o.out.glob("model*.safetensors"), o.out / "model.safetensors.index.json"]:
        stale.unlink(missing_ok=True)

    listed = list(tensors(o))
    parts, total = shard(o, listed)
    if len(parts) == 1:
        write_weights(o, o.out / "model.safetensors", parts[0])
    else:
        weight_map = {}
        for number, part in enumerate(parts, 1):
            file = f"model-{number:05}-of-{len(parts):05}.safetensors"
            write_weights(o, o.out / file, part)
            weight_map.update({name: file for (name, _, _, _), _ in part})
        write_json(o.out / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": weight_map})

    if o.tokenizer:
        shutil.copyfile(o.tokenizer, o.out / "tokenizer.json")
    else:
        write_json(o.out / "tokenizer.json", tokenizer_json(o.vocabulary, SPECIAL), indent=None)
    added = {entry["content"]: entry["id"] for entry in json.loads((o.out / "tokenizer.json").read_text("utf-8")).get("added_tokens", [])}
    ends = [added[text] for text in ("<|im_end|>", "<|endoftext|>") if text in added]
    config = configuration(o)
    config.update({"bos_token_id": added.get("<|endoftext|>"), "eos_token_id": ends[0] if ends else None})
    write_json(o.out / "config.json", config)
    write_json(o.out / "generation_config.json", {"eos_token_id": ends})
    write_json(o.out / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": None, "eos_token": "<|im_end|>" if ends else None,
        "model_max_length": o.context, "chat_template": TEMPLATE})
    write_json(o.out / "model.json", {
        "name": o.name or o.out.resolve().name, "version": "1", "kind": "language", "scheme": o.scheme, "weights": "random"})
    width = 4 if o.dtype == "f32" else 2
    print(f"{o.out}: {o.architecture}, {total // width:,} random weights in {o.dtype}, {total:,} bytes in {len(parts)} file(s)")


if __name__ == "__main__":
    main()
