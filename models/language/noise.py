"""Seeded random weights by the gigabyte, without NumPy.

A floating-point number with random bits in its low bytes is uniform within an octave, or a pair of octaves. Its high byte,
with sign and exponent, is looked up in a table of 256 entries that mixes magnitudes so that the variance is the wanted one.
Both are operations on whole byte strings. The distribution has mean zero and the exact variance to a 256th.
"""

import random
import struct

BLOCK = 1 << 20  # elements made at a time


def pack(dtype, value):
    if dtype == "f32":
        return struct.pack("<f", value)
    if dtype == "f16":
        return struct.pack("<e", value)
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    return struct.pack("<H", (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)


class Noise:
    def __init__(self, dtype, seed):
        self.dtype = dtype
        self.width = 4 if dtype == "f32" else 2
        self.random = random.Random(seed)

    def blocks(self, size, mean, deviation):
        """Byte blocks, `size` bytes in all."""
        count = size // self.width
        if mean:  # norms: few numbers, around one
            yield b"".join(pack(self.dtype, self.random.gauss(mean, deviation)) for _ in range(count))
            return
        table = self.table(deviation)
        for start in range(0, count, BLOCK):
            yield self.block(min(BLOCK, count - start), table)

    def block(self, count, table):
        raw = self.random.randbytes(count * self.width)
        block = bytearray(raw)
        block[self.width - 1::self.width] = raw[self.width - 1::self.width].translate(table)
        return block

    def variance(self, high):
        """Mean square of the numbers whose high byte this is, the other bytes being random."""
        if self.dtype == "f16":
            exponent, quarter = (high >> 2 & 31) - 15, (high & 3) / 4
            low, top = (1 + quarter) * 2.0 ** exponent, (1.25 + quarter) * 2.0 ** exponent
            return (top ** 3 - low ** 3) / (3 * (top - low))
        # bf16 and f32: the exponent's lowest bit is in the next byte, so both octaves are equally likely
        exponent = 2 * (high & 127) - 127
        return (2.0 ** (2 * exponent)) * (7 / 3) * (1 + 4) / 2

    def table(self, deviation):
        """High bytes, half of them negative, mixed of the two magnitudes around the wanted variance."""
        wanted = deviation ** 2
        above = next(high for high in range(1, 127) if self.variance(high) >= wanted)
        below = above - 1
        share = (wanted - self.variance(below)) / (self.variance(above) - self.variance(below))
        larger = round(128 * share)
        half = [above] * larger + [below] * (128 - larger)
        return bytes(half + [high | 128 for high in half])
