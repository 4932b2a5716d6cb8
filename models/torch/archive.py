"""TorchScript archives as bytes, and ONNX initialisers as bytes: what the scripts here share. Standard library only.

An archive is a zip file whose entries lie under one folder: code, pickled structure, and one entry per tensor storage.
torch.jit.save writes the folder after the file and adds the script's own lines; written here, neither is in the file,
so that the same model has the same bytes wherever it was made.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path

FOLDER = "archive"
# libtorch maps a storage where it lies when it begins at such an address.
ALIGNMENT = 64
SIGNATURE = "extra/opengradient.signature"


def read(source):
    """Entries by name, without the folder; `source` is a path or bytes."""
    with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
        return {info.filename.split("/", 1)[1]: archive.read(info) for info in archive.infolist()}


def pack(entries):
    """The archive's bytes: stored, no times, storages aligned, names sorted with the storages last."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries, key=lambda name: (name.startswith("data/"), len(name), name)):
            info = zipfile.ZipInfo(f"{FOLDER}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 0
            start = out.tell() + 30 + len(info.filename)
            padding = -(start + 4) % ALIGNMENT
            # A private extra field: two letters, its length, padding up to the next boundary.
            info.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
            archive.writestr(info, entries[name])
    return out.getvalue()


def normalise(data):
    """Entries of what torch.jit.save wrote, without the source lines of the script that made it."""
    return {name: value for name, value in read(data).items() if not name.endswith(".debug_pkl")}


def save(path, entries):
    """Writes an archive; returns (SHA-256 as hex, bytes)."""
    data = pack(entries)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest(), len(data)


def write_json(path, value):
    Path(path).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def initializers(path):
    """Little-endian bytes of every float or integer weight of an ONNX file: name -> (dimensions, data type, bytes)."""
    graph = next(value for field, value in _fields(memoryview(Path(path).read_bytes())) if field == 7)
    found = {}
    for field, value in _fields(graph):
        if field != 5:
            continue
        dimensions, kind, name, raw = [], 0, "", b""
        for inner, content in _fields(value):
            if inner == 1:
                dimensions += [content] if isinstance(content, int) else list(_varints(content))
            elif inner == 2:
                kind = content
            elif inner == 8:
                name = bytes(content).decode("utf-8")
            elif inner == 9:
                raw = bytes(content)
        found[name] = (dimensions, kind, raw)
    return found


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _varints(data):
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _fields(data):
    """(number, value) of a protobuf message's fields; a value is an integer or the bytes of a length-prefixed field."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
        elif wire == 2:
            length, at = _varint(data, at)
            yield number, data[at : at + length]
            at += length
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError(f"protobuf wire type {wire}")
