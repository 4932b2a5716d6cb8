#!/usr/bin/python3
"""Writes unicode-data.txt from the tables of Python's unicodedata.

Lines, all numbers hexadecimal:
  pair POINT FIRST SECOND   canonical decomposition that composition takes back
  alone POINT PARTS...      canonical decomposition that composition leaves
  like POINT PARTS...       compatibility decomposition
  class CLASS FIRST LAST    canonical combining class of a range
Hangul syllables are not listed: they are computed.
"""

import sys
import unicodedata
from pathlib import Path


def lines():
    yield f"# Unicode {unicodedata.unidata_version}, by {Path(__file__).name}."
    for point in range(sys.maxunicode + 1):
        fields = unicodedata.decomposition(chr(point)).split()
        if fields and fields[0].startswith("<"):
            yield f"like {point:04X} {' '.join(fields[1:])}"
        elif fields:
            composed = len(fields) == 2 and unicodedata.normalize("NFC", chr(point)) == chr(point)
            yield f"{'pair' if composed else 'alone'} {point:04X} {' '.join(fields)}"
    start = 0
    for point in range(1, sys.maxunicode + 2):
        before = unicodedata.combining(chr(start))
        if point > sys.maxunicode or unicodedata.combining(chr(point)) != before:
            if before:
                yield f"class {before:X} {start:04X} {point - 1:04X}"
            start = point


Path(__file__).with_name("unicode-data.txt").write_text("\n".join(lines()) + "\n", encoding="ascii")
