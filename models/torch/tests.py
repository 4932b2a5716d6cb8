#!/usr/bin/python3
"""Makes the small TorchScript files that tests load: good ones, modules that misbehave, files that are none.

Needs Debian's python3-torch. Run with /usr/bin/python3. The same bytes with the same version of it.
"""

import argparse
import hashlib
import inspect
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import bad  # noqa: E402
import good  # noqa: E402
from archive import pack, write_json  # noqa: E402
from signature import sign  # noqa: E402

HERE = Path(__file__).resolve().parent
LIMIT = 10_000


def made():
    """(kind, name, bytes, description) of every file."""
    for kind, models in (("serves", good.MODELS), ("misbehaves", bad.MODELS)):
        for name, module, inputs, outputs in models:
            description = " ".join(inspect.getdoc(type(module)).split())
            yield kind, name, pack(sign(bad.script(module), inputs, outputs)), description
    for name, data, description in bad.files():
        yield "refused", name, data, description


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "tests", help="folder to write to")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    listing = []
    for kind, name, data, description in made():
        assert len(data) < LIMIT or kind == "refused", f"{name}: {len(data)} bytes"
        (options.out / f"{name}.pt").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        listing.append({"file": f"{name}.pt", "kind": kind, "sha256": digest, "description": description})
    write_json(options.out / "models.json", listing)
    print(f"{len(listing)} files in {options.out}")


if __name__ == "__main__":
    main()
