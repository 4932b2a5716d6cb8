"""A byte-level BPE tokenizer of any size: real merges, learnt from a few sentences, then filled up with runs of letters.

Byte-level BPE as published tokenizers have it: every byte has a letter, merges join letters within words. A vocabulary of
150,000 that means something cannot be learnt here, and a model with random weights needs none; but every id should be a
token, so that whatever such a model says can be shown.
"""

from collections import Counter
from itertools import product

LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
LEARNT = 200

TEXT = """
The engine answers at once and proves the answer soon after. A request is admitted, waits its turn, joins a batch and is
computed; the rows are hashed, a tree is built over them, and one signature covers them all. What the caller receives is
the answer and a receipt. Whoever holds the receipt can show what was asked, what was answered, which model it was and
where it ran. The log only grows, and everyone sees the same one. Nothing that was acknowledged is lost when a machine
stops. If the chain forgets a block, the proof is made again. An auditor needs no trust: there is the receipt, there is
the log, there is the contract, and a program that compares them. When the answer is a text, it is written word by word,
and every part of it is signed as it leaves. The same question gives the same words, whoever else is asking.
"""


def byte_letters():
    """GPT-2's alphabet: visible Latin-1 letters stand for themselves, other bytes for the letters from U+0100 on."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters, others = {}, 0
    for value in range(256):
        if value in visible:
            letters[value] = chr(value)
        else:
            letters[value] = chr(0x100 + others)
            others += 1
    return letters


def learn(count):
    """The most frequent pairs within words, one after the other; ties by the pair itself."""
    letters = byte_letters()
    words = Counter()
    for word in TEXT.split():
        words[tuple(letters[byte] for byte in (" " + word).encode())] += 1
    merges = []
    while len(merges) < count:
        pairs = Counter()
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += times
        if not pairs:
            break
        best = max(pairs.items(), key=lambda item: (item[1], item[0]))[0]
        merges.append(best)
        words = Counter({joined(word, best): times for word, times in words.items()})
    return merges


def joined(word, pair):
    out, i = [], 0
    while i < len(word):
        if word[i:i + 2] == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)


def fill():
    """Pairs, triples and quadruples of letters, each made by merging a shorter one with a letter."""
    for length in range(2, 6):
        for run in product(LETTERS, repeat=length):
            yield "".join(run[:-1]), run[-1]


def tokenizer_json(vocabulary, special):
    letters = byte_letters()
    tokens = {letters[value]: value for value in range(256)}
    merges = []

    def add(left, right):
        if left + right not in tokens:
            tokens[left + right] = len(tokens)
            merges.append(f"{left} {right}")

    room = vocabulary - len(special)
    for left, right in learn(min(LEARNT, room - len(tokens))):
        add(left, right)
    for left, right in fill():
        if len(tokens) == room:
            break
        add(left, right)
    added = [
        {"id": len(tokens) + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for i, text in enumerate(special)
    ]
    pieces = {"add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", **pieces},
        "post_processor": {"type": "ByteLevel", **pieces},
        "decoder": {"type": "ByteLevel", **pieces},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": tokens, "merges": merges,
        },
    }
