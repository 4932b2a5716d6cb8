"""A byte-level BPE tokenizer: trained, applied, and written as a Hugging Face tokenizer.json.

Words are divided as GPT-2 divides them. The pattern here says so in Python's `re`, which is the same for the Latin
text that this is trained on; the file names the `ByteLevel` pre-tokenizer, which is exact for every script.
"""

import collections
import json
import re

WORDS = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_letters():
    """The printable letter that stands for each byte in the file: itself where it is printable, else from U+0100 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return {byte: chr(byte if byte in plain else next(others)) for byte in range(256)}


LETTERS = byte_letters()


class Tokenizer:
    def __init__(self, merges, special):
        self.merges = merges
        self.tokens = [LETTERS[byte] for byte in range(256)] + [left + right for left, right in merges] + special
        self.special = special
        self.ids = {token: index for index, token in enumerate(self.tokens)}
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._known = {}

    def encode(self, text):
        """Ids of plain text; it holds no special tokens."""
        return [token for word in WORDS.findall(text) for token in self._word(word)]

    def decode(self, ids):
        bytes_of = {letter: byte for byte, letter in LETTERS.items()}
        parts = [self.tokens[each].encode() if self.tokens[each] in self.special else bytes(bytes_of[letter] for letter in self.tokens[each]) for each in ids]
        return b"".join(parts).decode("utf-8", "replace")

    def _word(self, word):
        if word not in self._known:
            symbols = [LETTERS[byte] for byte in word.encode()]
            while len(symbols) > 1:
                rank, at = min((self._ranks.get(pair, len(self._ranks)), index) for index, pair in enumerate(zip(symbols, symbols[1:])))
                if rank == len(self._ranks):
                    break
                symbols[at:at + 2] = [symbols[at] + symbols[at + 1]]
            self._known[word] = [self.ids[symbol] for symbol in symbols]
        return self._known[word]

    def file(self, begin):
        """The content of tokenizer.json. `begin` is put before a text when special tokens are asked for."""
        added = [
            {"id": self.ids[token], "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
            for token in self.special]
        sequence = lambda name, kind: {"Sequence": {"id": name, "type_id": kind}}
        start = lambda kind: {"SpecialToken": {"id": begin, "type_id": kind}}
        return {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            "post_processor": {
                "type": "TemplateProcessing", "single": [start(0), sequence("A", 0)], "pair": [start(0), sequence("A", 0), start(1), sequence("B", 1)],
                "special_tokens": {begin: {"id": begin, "ids": [self.ids[begin]], "tokens": [begin]}}},
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {
                "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                "vocab": {token: index for index, token in enumerate(self.tokens) if token not in self.special},
                "merges": [[left, right] for left, right in self.merges]}}

    def write(self, path, begin):
        path.write_text(json.dumps(self.file(begin), ensure_ascii=False) + "\n", encoding="utf-8")


def train(text, size, special):
    """Learns merges until there are `size` tokens, bytes and special tokens counted in. Ties go to the pair that sorts first."""
    counts = collections.Counter(WORDS.findall(text))
    words = [[LETTERS[byte] for byte in word.encode()] for word in counts]
    weights = list(counts.values())
    pairs, where = collections.Counter(), collections.defaultdict(set)
    for index, symbols in enumerate(words):
        for pair in zip(symbols, symbols[1:]):
            pairs[pair] += weights[index]
            where[pair].add(index)

    merges = []
    while len(merges) < size - 256 - len(special):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for index in where.pop(best):
            symbols = words[index]
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] -= weights[index]
            merged, at = [], 0
            while at < len(symbols):
                both = at + 1 < len(symbols) and (symbols[at], symbols[at + 1]) == best
                merged.append(symbols[at] + symbols[at + 1] if both else symbols[at])
                at += 2 if both else 1
            words[index] = merged
            for pair in zip(merged, merged[1:]):
                pairs[pair] += weights[index]
                where[pair].add(index)
        del pairs[best]
    return Tokenizer(merges, special)
