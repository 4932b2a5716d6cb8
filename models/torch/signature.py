"""What an archive declares beside its code, since TorchScript knows neither shapes nor names of outputs.

The form is that of native/include/og_torch.h: a line of plain text per value, in the order of forward's parameters and
results, in the archive's extra file.
"""

from archive import SIGNATURE

# The first dimension of everything that can be batched; open, and the same wherever it stands.
BATCH = "?batch"


def tensor(name, kind, *shape):
    """A value: `kind` is float32, int64, ...; a dimension is a number, or `?name` for an open one."""
    return " ".join([name, kind, *map(str, shape)])


def sign(entries, inputs, outputs):
    """The entries with their signature."""
    lines = [f"input {value}" for value in inputs] + [f"output {value}" for value in outputs]
    return {**entries, SIGNATURE: ("\n".join(lines) + "\n").encode("utf-8")}
