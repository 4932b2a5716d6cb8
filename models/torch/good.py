"""Small modules that serve: twins of models/tests/*.onnx, one for each habit a model can have.

Each entry of MODELS is (name, module, inputs, outputs); the module's docstring is its line in the listing.
Needs Debian's python3-torch.
"""

from typing import Tuple

import torch
from torch import Tensor, nn

from signature import BATCH, tensor

# Loop turns of slow.pt: about 2 s on one 2020s core; only the length matters, not the exact time.
TURNS = 400_000


class Identity(nn.Module):
    """x float32 [batch,4] -> y, the same values. Class A."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class Noop(nn.Module):
    """x float32 [batch,1] -> y: the least work a backend call can do. Class A."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class Fixed(nn.Module):
    """x float32 [1,4] -> y = x + x: the first dimension is fixed, so rows cannot be batched."""

    def forward(self, x: Tensor) -> Tensor:
        return x + x


class Nan(nn.Module):
    """x float32 [batch,4] -> y = log(x): negative values give NaN, 0 gives -Inf."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.log(x)


class Add(nn.Module):
    """a, b float32 [batch,3] -> sum. The library broadcasts a first dimension of 1: the engine must refuse it."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class Multi(nn.Module):
    """Six inputs named by element type, each [batch,2] -> six outputs NAME_out, the same values."""

    def forward(self, f32: Tensor, f64: Tensor, i32: Tensor, i64: Tensor, u8: Tensor, bool: Tensor):
        return f32, f64, i32, i64, u8, bool


class Dynq(nn.Module):
    """x float32 [batch,16] -> y [batch,4]: one quantization scale for the whole batch. Class C."""

    def __init__(self):
        super().__init__()
        # A fixed integer pattern: no generator whose numbers a version of the library could change.
        values = (torch.arange(64, dtype=torch.float64) * 37 % 255 - 127).to(torch.float32)
        self.weight = nn.Parameter(values.view(16, 4) * 0.01, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        step = x.abs().max().clamp(min=1e-6) / 127.0
        return torch.mm(torch.round(x / step), self.weight) * step


class Shape(nn.Module):
    """x float32 [batch,128,64] -> y [batch,64], a sum over the middle axis whose order depends on whether a row is alone.
    Class B, or A once a lone row is padded to two."""

    def forward(self, x: Tensor) -> Tensor:
        if x.size(0) == 1:
            return x[:, :64].sum(1) + x[:, 64:].sum(1)
        total = torch.zeros_like(x[:, 0])
        for i in range(x.size(1)):
            total = total + x[:, i]
        return total


class Slot(nn.Module):
    """x float32 [batch,33] -> y [batch], a sum over the row that starts at its slot: bits differ from slot to slot, and
    padding does not help. Class B."""

    def forward(self, x: Tensor) -> Tensor:
        total = torch.zeros_like(x[:, 0])
        rows = torch.arange(x.size(0), device=x.device)
        for i in range(x.size(1)):
            total = total + x[rows, (rows + i) % x.size(1)]
        return total


class Lengths(nn.Module):
    """x float32 [batch,length] -> y, the softmax of each row: an open inner dimension. Class A."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(x, -1)


class Totals(nn.Module):
    """x float32 [batch,length] -> y [batch], a sum over rows whose length is open, starting at the row's slot. Class B."""

    def forward(self, x: Tensor) -> Tensor:
        total = torch.zeros_like(x[:, 0])
        rows = torch.arange(x.size(0), device=x.device)
        for i in range(x.size(1)):
            total = total + x[rows, (rows + i) % x.size(1)]
        return total


class Slow(nn.Module):
    """x float32 [batch,1] -> y after a long loop of y = 0.5 y + x: for deadlines and termination."""

    def __init__(self):
        super().__init__()
        self.turns = TURNS

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for _ in range(self.turns):
            y = y * 0.5 + x
        return y


class Single(nn.Module):
    """x float32 [batch,4] -> (y,): a tuple of one."""

    def forward(self, x: Tensor) -> Tuple[Tensor]:
        return (x * 2.0,)


class Strided(nn.Module):
    """x float32 [batch,4] -> y = x backwards, returned as a view that is not contiguous: [batch,4] of a [4,batch]."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.flip(x, [1]).t().contiguous().t()


def f32(name, *shape):
    return tensor(name, "float32", *shape)


X4, Y4 = f32("x", BATCH, 4), f32("y", BATCH, 4)
KINDS = [("f32", "float32"), ("f64", "float64"), ("i32", "int32"), ("i64", "int64"), ("u8", "uint8"), ("bool", "bool")]

MODELS = [
    ("identity", Identity(), [X4], [Y4]),
    ("noop", Noop(), [f32("x", BATCH, 1)], [f32("y", BATCH, 1)]),
    ("fixed", Fixed(), [f32("x", 1, 4)], [f32("y", 1, 4)]),
    ("nan", Nan(), [X4], [Y4]),
    ("add", Add(), [f32("a", BATCH, 3), f32("b", BATCH, 3)], [f32("sum", BATCH, 3)]),
    ("multi", Multi(), [tensor(n, k, BATCH, 2) for n, k in KINDS], [tensor(f"{n}_out", k, BATCH, 2) for n, k in KINDS]),
    ("dynq", Dynq(), [f32("x", BATCH, 16)], [f32("y", BATCH, 4)]),
    ("shape", Shape(), [f32("x", BATCH, 128, 64)], [f32("y", BATCH, 64)]),
    ("slot", Slot(), [f32("x", BATCH, 33)], [f32("y", BATCH)]),
    ("lengths", Lengths(), [f32("x", BATCH, "?length")], [f32("y", BATCH, "?length")]),
    ("totals", Totals(), [f32("x", BATCH, "?length")], [f32("y", BATCH)]),
    ("slow", Slow(), [f32("x", BATCH, 1)], [f32("y", BATCH, 1)]),
    ("single", Single(), [X4], [Y4]),
    ("strided", Strided(), [X4], [Y4]),
]
