#!/usr/bin/python3
"""Makes a TorchScript twin of a shipped ONNX model, from the same weights, and compares their answers.

  twins.py digits | encoder            the two in this folder
  twins.py --onnx FILE --out FOLDER    a twin of another file of models/encoder/make.py, for benchmarks

Needs Debian's python3-torch. Run with /usr/bin/python3. What it writes does not depend on where it runs.
"""

import argparse
import hashlib
import io
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.dont_write_bytecode = True

import numpy as np  # noqa: E402
import torch  # noqa: E402

import reference  # noqa: E402
from archive import normalise, pack, save, write_json  # noqa: E402
from fill import fill  # noqa: E402
from modules import Digits, Encoder, Weights  # noqa: E402
from signature import BATCH, sign, tensor  # noqa: E402

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent
# Of a float32 answer against the same sums in float64; ONNX Runtime's answers stay within it too (tests/Engine).
TOLERANCE = 2e-5


def signature_of(module, weights):
    if isinstance(module, Digits):
        return [tensor("pixels", "float32", BATCH, 64)], [tensor("logits", "float32", BATCH, 10), tensor("label", "int64", BATCH)]
    sequence, hidden = weights.shape("places")
    return [tensor(name, "int64", BATCH, sequence) for name in ("input_ids", "attention_mask")], [tensor("embedding", "float32", BATCH, hidden)]


def entries_of(module, weights):
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(module.eval()), buffer)
    return sign(normalise(buffer.getvalue()), *signature_of(module, weights))


def skeleton(entries, weights):
    """The archive without its storages, and which weight fills which."""
    names = {raw: name for name, raw in reversed(weights.used.items())}
    kept = {name: value for name, value in entries.items() if not name.startswith("data/")}
    storages = {name.split("/")[1]: names[value] for name, value in entries.items() if name.startswith("data/")}
    return {**kept, "weights.json": json.dumps(storages, sort_keys=True, separators=(",", ":")).encode("utf-8")}


def shipped(name, file):
    """The shipped inputs, one tensor per input."""
    items = json.loads((MODELS / name / "inputs" / file).read_text(encoding="utf-8"))
    columns = zip(*([given["data"] for given in item["request"]["inputs"]] for item in items))
    return [np.array(list(column)) for column in columns], items


def check_digits(module, weights):
    (pixels,), items = shipped("digits", "held-back.json")
    logits, label = module(torch.tensor(pixels, dtype=torch.float32))
    correct = sum(int(item["label"]) == int(found) for item, found in zip(items, label))
    assert correct == 352, f"{correct} held-back images right, the ONNX twin has 352"
    return close(logits, reference.digits(weights, pixels))


def check_encoder(module, weights):
    sequence = weights.shape("places")[0]
    found, _ = shipped("encoder", "sentences.json")
    ids, mask = (np.pad(column, ((0, 0), (0, sequence - column.shape[1]))) for column in found)
    # A row without any position: zeros, and not a division by zero.
    ids, mask = np.vstack([ids, 0 * ids[:1]]), np.vstack([mask, 0 * mask[:1]])
    embedding = module(torch.tensor(ids), torch.tensor(mask))
    return close(embedding, reference.encoder(weights, ids, mask))


def close(found, expected):
    difference = float(np.abs(found.double().numpy() - expected).max())
    assert difference <= TOLERANCE, f"differs by {difference} from the same sums in float64"
    return difference


def describe(onnx, entries, data, file):
    """The twin's model.json: the ONNX model's, with what differs."""
    description = json.loads((onnx.parent / "model.json").read_text(encoding="utf-8"))
    description["file"] = file
    description["sha256"] = hashlib.sha256(data).hexdigest()
    description["description"] += " TorchScript, the weights of the ONNX file."
    description.pop("accuracy", None)
    return description


def make(onnx, out, kept):
    """Writes archive (or skeleton) and description; returns the largest difference and the archive's bytes."""
    torch.set_num_threads(1)
    weights = Weights(onnx)
    module = (Digits if "w0" in weights else Encoder)(weights).eval()
    difference = (check_digits if isinstance(module, Digits) else check_encoder)(module, weights)
    entries = entries_of(module, weights)
    data = pack(entries)
    description = describe(onnx, entries, data, "model.pt")
    out.mkdir(parents=True, exist_ok=True)
    if not kept:
        save(out / "skeleton.zip", skeleton(entries, weights))
        description["twin"] = os.path.relpath(onnx, out)
        assert fill(out / "skeleton.zip", onnx) == data, "the filled skeleton is another archive"
    (out / "model.pt").write_bytes(data)
    write_json(out / "model.json", description)
    return difference, data


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", choices=["digits", "encoder"])
    parser.add_argument("--onnx", type=Path, help="an ONNX file with a model.json beside it")
    parser.add_argument("--out", type=Path, help="folder to write to")
    options = parser.parse_args()
    if (options.model is None) == (options.onnx is None) or (options.onnx is not None and options.out is None):
        parser.error("name digits or encoder, or give --onnx and --out")
    onnx = (options.onnx or MODELS / options.model / "model.onnx").resolve()
    # The encoder's archive is committed; the classifier's is too large for that, and is made from its skeleton.
    difference, data = make(onnx, (options.out or HERE / options.model).resolve(), kept=options.model != "digits")
    print(f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}, within {difference:.2g} of float64")


if __name__ == "__main__":
    main()
