#!/usr/bin/python3
"""Makes an archive from its skeleton and the weights of its ONNX twin: no torch needed, the same bytes everywhere.

  fill.py models/torch/digits        writes model.pt beside the skeleton, from the ONNX file that model.json names
"""

import hashlib
import json
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from archive import initializers, pack, read  # noqa: E402


def fill(skeleton, onnx):
    """The archive's bytes. The skeleton's weights.json says which weight fills which storage."""
    entries = read(skeleton)
    weights = initializers(onnx)
    for storage, name in json.loads(entries.pop("weights.json")).items():
        entries[f"data/{storage}"] = weights[name][2]
    return pack(entries)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    target = folder / description["file"]
    if target.exists() and hashlib.sha256(target.read_bytes()).hexdigest() == description["sha256"]:
        return
    data = fill(folder / "skeleton.zip", folder / description["twin"])
    digest = hashlib.sha256(data).hexdigest()
    if digest != description["sha256"]:
        sys.exit(f"{target}: made {digest}, but model.json says {description['sha256']}")
    # Renamed when whole, under a name of this process: an interrupted run leaves none, and two at once do not meet.
    part = target.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(target)
    print(f"{target}: {len(data)} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
