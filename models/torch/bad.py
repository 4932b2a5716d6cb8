"""Files that a backend must refuse, and modules that misbehave when they run. Needs Debian's python3-torch.

FILES: (name, bytes, description), refused when opened. MODELS: like good.MODELS, for what goes wrong in a call.
"""

import io
import pickle
from typing import Dict, List

import torch
from torch import Tensor, nn

from archive import SIGNATURE, normalise, pack
from good import Identity, X4, Y4, f32
from signature import BATCH, sign, tensor


class Raises(nn.Module):
    """x float32 [batch,4] -> y; raises for a negative value."""

    def forward(self, x: Tensor) -> Tensor:
        if bool((x < 0).any()):
            raise ValueError("a value is negative")
        return x


class WrongType(nn.Module):
    """Declares y float32 [batch,4], gives the number of rows: no tensor."""

    def forward(self, x: Tensor) -> int:
        return x.size(0)


class WrongElement(nn.Module):
    """Declares y float32 [batch,4], gives float64."""

    def forward(self, x: Tensor) -> Tensor:
        return x.to(torch.float64)


class WrongShape(nn.Module):
    """Declares y float32 [batch,4], gives [batch,3]."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :3]


class WrongRows(nn.Module):
    """Declares y float32 [batch,4], gives one row for the whole batch."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(0, keepdim=True)


class WrongRank(nn.Module):
    """Declares y float32 [batch,4], gives [batch,2,2]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(-1, 2, 2)


class TooFew(nn.Module):
    """Declares y and z, gives a tuple of one."""

    def forward(self, x: Tensor):
        return (x,)


class TooMany(nn.Module):
    """Declares y, gives three tensors."""

    def forward(self, x: Tensor):
        return x, x, x


class Mixed(nn.Module):
    """Declares y and z, gives a tensor and a text."""

    def forward(self, x: Tensor):
        return x, "text"


class Listed(nn.Module):
    """Declares double and negated, gives a list of them: only a tensor or a tuple is understood."""

    def forward(self, x: Tensor) -> List[Tensor]:
        return [x * 2.0, -x]


class Named(nn.Module):
    """Declares double and negated, gives a dictionary: only a tensor or a tuple is understood."""

    def forward(self, x: Tensor) -> Dict[str, Tensor]:
        return {"negated": -x, "double": x * 2.0}


class Huge(nn.Module):
    """Declares y float32 [batch,4]; asks for 4 EiB where the first value is above 1000."""

    def forward(self, x: Tensor) -> Tensor:
        if float(x[0, 0]) > 1000.0:
            return x + torch.zeros([1 << 60]).sum()
        return x


class MoreInputs(nn.Module):
    """Declares x alone, but its forward takes a second input."""

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        return x + other


Z4 = f32("z", BATCH, 4)
PAIR = [f32("double", BATCH, 4), f32("negated", BATCH, 4)]

MODELS = [
    ("raises", Raises(), [X4], [Y4]),
    ("wrong-type", WrongType(), [X4], [Y4]),
    ("wrong-element", WrongElement(), [X4], [Y4]),
    ("wrong-shape", WrongShape(), [X4], [Y4]),
    ("wrong-rows", WrongRows(), [X4], [Y4]),
    ("wrong-rank", WrongRank(), [X4], [Y4]),
    ("too-few", TooFew(), [X4], [Y4, Z4]),
    ("too-many", TooMany(), [X4], [Y4]),
    ("mixed", Mixed(), [X4], [Y4, Z4]),
    ("listed", Listed(), [X4], PAIR),
    ("named", Named(), [X4], PAIR),
    ("huge", Huge(), [X4], [Y4]),
    ("more-inputs", MoreInputs(), [X4], [Y4]),
]


class Plain(nn.Module):
    """Two layers for a state dictionary."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4, 4), requires_grad=False)


def script(module):
    """Entries of a module's archive."""
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(module.eval()), buffer)
    return normalise(buffer.getvalue())


def state():
    """What torch.save makes of a state dictionary."""
    buffer = io.BytesIO()
    torch.save(Plain().state_dict(), buffer)
    return buffer.getvalue()


def legacy():
    """How torch.save's files of before zip archives begin: a magic number, a protocol, the machine, then the value."""
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    return b"".join(pickle.dumps(part, protocol=2) for part in (0x1950A86A20F9469CFC6C, 1001, machine, {"weight": [1.0] * 4}))


def files():
    good = sign(script(Identity()), [X4], [Y4])
    whole = pack(good)
    code = next(name for name in good if name.endswith(".py"))

    def spoiled(name, value):
        return pack({**good, name: value})

    def replaced(old, new):
        return spoiled(code, good[code].replace(old.encode(), new.encode()))

    unsigned = {name: value for name, value in good.items() if name != SIGNATURE}
    return [
        ("pickle", pickle.dumps({"weight": [1.0] * 4}, protocol=2), "A pickle of a dictionary: no archive."),
        ("legacy-pickle", legacy(), "torch.save in the format of before zip files."),
        ("state-dict", pack(normalise(state())), "An archive of a state dictionary: weights without code."),
        ("empty", b"", "No bytes at all."),
        ("truncated", whole[: len(whole) // 2], "The first half of an archive."),
        ("no-end", whole[:-22], "An archive without its directory's end."),
        ("missing-operator", replaced("return x", "return ops.nobody.knows(x)"), "Calls an operator of a library that is not there."),
        ("missing-builtin", replaced("return x", "return torch.no_such_operation(x)"), "Calls an operator that no version has."),
        ("no-code", pack({name: value for name, value in good.items() if not name.startswith("code/")}), "An archive whose code is missing."),
        ("no-forward", replaced("def forward", "def backward"), "A module without forward."),
        ("code-syntax", replaced("return x", "return x +"), "Code that does not parse."),
        ("class-assignment", replaced("  training : bool", "  other[\"0\"] = bool\n  training : bool"), "A class that assigns to a name without a type."),
        ("future-version", spoiled("version", b"9999\n"), "Says that a later version wrote it."),
        ("no-version", pack({name: value for name, value in good.items() if name != "version"}), "Does not say which version wrote it."),
        ("other-class", spoiled("data.pkl", good["data.pkl"].replace(b"Identity", b"Idontity")), "Its structure names a class that its code does not have."),
        ("unsigned", pack(unsigned), "A good module that declares nothing."),
        ("signature-word", spoiled(SIGNATURE, b"input x float32 ?batch 4\nresult y float32 ?batch 4\n"), "A line that is neither input nor output."),
        ("signature-spaces", spoiled(SIGNATURE, b"input  x float32 ?batch 4\noutput y float32 ?batch 4\n"), "Two spaces between fields."),
        ("signature-bytes", spoiled(SIGNATURE, b"input \xff\xfe float32 ?batch 4\noutput y float32 ?batch 4\n"), "A name that is no UTF-8."),
        ("signature-no-inputs", pack(sign(unsigned, [], [Y4])), "Declares no inputs, but forward takes one."),
        ("signature-no-outputs", pack(sign(unsigned, [X4], [])), "Declares no outputs, but forward gives one."),
        ("signature-twice", pack(sign(unsigned, [X4], [Y4, Y4])), "Declares the same output twice."),
        ("signature-type", pack(sign(unsigned, [tensor("x", "float31", BATCH, 4)], [Y4])), "Declares an element type that does not exist."),
        ("signature-negative", pack(sign(unsigned, [tensor("x", "float32", BATCH, -4)], [Y4])), "Declares a negative dimension."),
        ("signature-rank", pack(sign(unsigned, [tensor("x", "float32", *range(1, 10))], [Y4])), "Declares nine dimensions."),
        ("signature-many", pack(sign(unsigned, [X4], [tensor(f"y{i}", "float32", 1) for i in range(65)])), "Declares sixty-five outputs."),
        ("signature-long", spoiled(SIGNATURE, b"input x float32 ?batch 4\n" * 4000), "A signature of a hundred thousand bytes."),
    ]
