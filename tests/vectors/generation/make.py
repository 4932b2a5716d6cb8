#!/usr/bin/env python3
"""Writes ../generation.json: golden vectors of docs/formats.md, "Random draws", "Generation parameters" and "Generation row".

Written from that page and from nothing else, in plain Python: no step here shares code with src/LanguageModels.
"""

import hashlib
import json
import math
import pathlib
import random
import struct


def f32(x):
    """The nearest float32. One operation on float32 operands in double precision, rounded so, is the float32 operation."""
    try:
        return struct.unpack("<f", struct.pack("<f", x))[0]
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def bits(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def draw(seed, index):
    words = philox([index & 0xFFFFFFFF, index >> 32, 0, 0], [seed & 0xFFFFFFFF, seed >> 32])
    return words[0] | words[1] << 32


def exp32(x):
    whole = math.floor(f32(f32(x * f32(1.44269504)) + 0.5))
    rest = f32(f32(x - f32(whole * 0.693359375)) - f32(whole * f32(-2.12194440e-4)))
    total = f32(1 / 5040)
    for coefficient in (f32(1 / 720), f32(1 / 120), f32(1 / 24), f32(1 / 6), 0.5, 1.0, 1.0):
        total = f32(f32(total * rest) + coefficient)
    return f32(total * 2.0 ** whole)


def weight(logit, largest, scale):
    x = f32(f32(logit - largest) * scale)
    return math.floor(exp32(x if x > -64 else -64.0) * 2 ** 30)


def choose(logits, p, seed, index, prompt, answer):
    row = list(logits)
    if p["repetition_penalty"] != 1:
        for token in set(prompt) | set(answer):
            row[token] = f32(row[token] / p["repetition_penalty"]) if row[token] > 0 else f32(row[token] * p["repetition_penalty"])
    if p["presence_penalty"] != 0 or p["frequency_penalty"] != 0:
        for token in set(answer):
            row[token] = f32(row[token] - f32(p["frequency_penalty"] * answer.count(token)))
            row[token] = f32(row[token] - p["presence_penalty"])
    for token, bias in p["logit_bias"]:
        row[token] = f32(row[token] + bias)
    if p["allowed"] is not None:
        row = [x if i in p["allowed"] else -math.inf for i, x in enumerate(row)]
    largest = max(row)
    if p["temperature"] < 2.0 ** -10:
        return row.index(largest)
    weights = [weight(x, largest, f32(1 / p["temperature"])) for x in row]
    order = sorted((i for i in range(len(row)) if weights[i] > 0), key=lambda i: (-weights[i], i))
    if p["top_k"] > 0:
        order = order[: p["top_k"]]
    if p["top_p"] < 1:
        total = sum(weights[i] for i in order)
        needed, kept, reached = min(max(math.ceil(p["top_p"] * float(total)), 1), total), [], 0
        while reached < needed:
            kept.append(order[len(kept)])
            reached += weights[kept[-1]]
        order = kept
    if p["min_p"] > 0:
        order = [i for i in order if weights[i] >= max(1, math.ceil(p["min_p"] * 2.0 ** 30))]
    total = sum(weights[i] for i in order)
    target = draw(seed, index) * total >> 64
    for token in sorted(order):
        if target < weights[token]:
            return token
        target -= weights[token]
    raise AssertionError


def head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << 8 * size:
            return bytes([major << 5 | info]) + value.to_bytes(size, "big")
    raise AssertionError


def cbor(value):
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(cbor(item) for item in value)
    return head(5, len(value)) + b"".join(cbor(key) + cbor(value[key]) for key in sorted(value))


def tag(text):
    return text.encode().ljust(16, b"\0")


def tensor(name, element, dimensions, data):
    header = len(name).to_bytes(2, "big") + name.encode() + bytes([element, len(dimensions)])
    return header + b"".join(d.to_bytes(8, "big") for d in dimensions) + len(data).to_bytes(8, "big") + data


def tensors(parts):
    return hashlib.sha256(tag("OGE tensors v1") + len(parts).to_bytes(4, "big") + b"".join(parts)).hexdigest()


def int32(tokens):
    return b"".join(struct.pack("<i", token) for token in tokens)


def row_vector(prompt, answer, finish, previous):
    return {
        "prompt": prompt, "answer": answer, "finish": finish, "previous": previous.hex(),
        "request": tensors([tensor("prompt", 6, [len(prompt)], int32(prompt))]),
        "output": tensors([
            tensor("finish", 2, [1], bytes([finish])), tensor("previous", 2, [32], previous), tensor("tokens", 6, [len(answer)], int32(answer)),
        ]),
    }


def parameter_vector(p):
    entries = {
        1: 1, 2: p["seed"], 3: p["max_tokens"], 4: bits(p["temperature"]), 5: p["top_k"], 6: bits(p["top_p"]), 7: bits(p["min_p"]),
        8: bits(p["repetition_penalty"]), 9: bits(p["presence_penalty"]), 10: bits(p["frequency_penalty"]),
    }
    if p["logit_bias"]:
        entries[11] = {token: bits(bias) for token, bias in p["logit_bias"]}
    if p["top_logprobs"] is not None:
        entries[12] = p["top_logprobs"]
    if p["stop"]:
        entries[13] = p["stop"]
    if p["ignore_eos"]:
        entries[14] = 1
    if p["constraint"] is not None:
        entries[15] = hashlib.sha256(p["constraint"].encode()).digest()
    if p["end_tokens"]:
        entries[16] = sorted(set(p["end_tokens"]))
    encoded = cbor(entries)
    return {**p, "cbor": encoded.hex(), "digest": hashlib.sha256(tag("OGE params v1") + encoded).hexdigest()}


PLAIN = {
    "temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0,
    "logit_bias": [], "allowed": None,
}


def sample_vectors():
    source = random.Random(4711)
    vectors = []
    for case in range(120):
        columns = source.choice([3, 17, 33, 64, 130])
        spread = source.choice([1.0, 4.0, 12.0])
        logits = [f32(source.gauss(0, spread)) for _ in range(columns)]
        if case % 10 == 0:
            # Ties: the lowest id.
            logits = [f32(round(x)) for x in logits]
        p = dict(PLAIN)
        p["temperature"] = f32(source.choice([0.0, 0.0005, 0.3, 0.7, 1.0, 1.0, 1.7, 100.0]))
        if source.random() < 0.4:
            p["top_k"] = source.choice([1, 2, 5, 40])
        if source.random() < 0.4:
            p["top_p"] = f32(source.choice([0.05, 0.5, 0.9, 0.99]))
        if source.random() < 0.3:
            p["min_p"] = f32(source.choice([0.01, 0.1, 0.5, 1.0]))
        if source.random() < 0.3:
            p["repetition_penalty"] = f32(source.choice([0.8, 1.1, 1.5]))
        if source.random() < 0.3:
            p["presence_penalty"] = f32(source.choice([-1.0, 0.3, 2.0]))
        if source.random() < 0.3:
            p["frequency_penalty"] = f32(source.choice([-0.5, 0.2, 2.0]))
        if source.random() < 0.3:
            p["logit_bias"] = [[token, f32(source.uniform(-5, 5))] for token in sorted(source.sample(range(columns), 2))]
        if source.random() < 0.3:
            p["allowed"] = sorted(source.sample(range(columns), max(1, columns // 3)))
        prompt = [source.randrange(columns) for _ in range(source.randrange(1, 6))]
        answer = [source.randrange(columns) for _ in range(source.randrange(0, 6))]
        seed = source.getrandbits(64)
        vectors.append({
            **p, "logits": [bits(x) for x in logits], "seed": str(seed), "prompt": prompt, "answer": answer,
            "token": choose(logits, p, seed, len(answer), prompt, answer),
            **{name: bits(p[name]) for name in ("temperature", "top_p", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty")},
            "logit_bias": [[token, bits(bias)] for token, bias in p["logit_bias"]],
        })
    return vectors


def main():
    known = [
        ([0, 0, 0, 0], [0, 0]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2),
        ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0]),
    ]
    # The three known answers that the generator's authors publish.
    assert philox(*known[0]) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox(*known[1]) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    assert philox(*known[2]) == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]
    most = parameter_vector({
        "seed": 2**64 - 1, "max_tokens": 4096, "temperature": f32(0.7), "top_k": 40, "top_p": f32(0.95), "min_p": f32(0.05), "repetition_penalty": f32(1.1),
        "presence_penalty": -2.0, "frequency_penalty": 0.5, "logit_bias": [[3, -100.0], [300, 1.5]], "top_logprobs": 20, "stop": ["\n\n", "Ende: ü"],
        "ignore_eos": True, "constraint": '{"type":"object"}', "end_tokens": [7, 2, 7],
    })
    least = parameter_vector({
        "seed": 0, "max_tokens": 1, "temperature": 0.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0.0,
        "frequency_penalty": 0.0, "logit_bias": [], "top_logprobs": None, "stop": [], "ignore_eos": False, "constraint": None, "end_tokens": [],
    })
    for vector in (most, least):
        vector["seed"] = str(vector["seed"])
        for name in ("temperature", "top_p", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty"):
            vector[name] = bits(vector[name])
        vector["logit_bias"] = [[token, bits(bias)] for token, bias in vector["logit_bias"]]
    source = random.Random(1)
    vectors = {
        "philox": [{"counter": counter, "key": key, "words": philox(counter, key)} for counter, key in known],
        "draws": [
            {"seed": str(seed), "index": index, "draw": str(draw(seed, index))}
            for seed, index in [(0, 0), (0, 1), (1, 0), (2**64 - 1, 2**32), (0x0123456789ABCDEF, 12345)]
        ],
        "exp": [{"x": bits(x), "y": bits(exp32(x))} for x in [0.0, -1.0, f32(-0.1), f32(-20.7), -64.0] + [f32(-30 * source.random()) for _ in range(40)]],
        "samples": sample_vectors(),
        "parameters": [most, least],
        "rows": [
            row_vector([1, 2, 3], [4, 5], 0, bytes(32)),
            row_vector([151935], [0, 2147483647], 1, hashlib.sha256(b"a head").digest()),
        ],
    }
    path = pathlib.Path(__file__).parent.parent / "generation.json"
    path.write_text(json.dumps(vectors, indent=None, separators=(",", ":"), ensure_ascii=True).replace("},{", "},\n{") + "\n")


if __name__ == "__main__":
    main()
