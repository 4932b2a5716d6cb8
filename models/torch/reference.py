"""The two shipped models in float64 with NumPy, written from the ONNX graphs: what a twin's answers are compared with."""

import math

import numpy as np

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _weight(weights, name):
    return weights[name].double().numpy()


def _dense(weights, x, name):
    return x @ _weight(weights, f"{name}.weight") + _weight(weights, f"{name}.bias")


def _norm(weights, x, name):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * _weight(weights, f"{name}.scale") + _weight(weights, f"{name}.bias")


def digits(weights, pixels):
    """Logits [rows,10]."""
    x = np.asarray(pixels, dtype=np.float64) / 16
    for i in range(3):
        x = x @ _weight(weights, f"w{i}") + _weight(weights, f"b{i}")
        x = np.maximum(x, 0) if i < 2 else x
    return x


def encoder(weights, ids, mask):
    """Embeddings [rows,H]."""
    _, sequence, heads, size = weights.integers("heads_shape")
    x = _norm(weights, _weight(weights, "tokens")[ids] + _weight(weights, "places"), "embedded")
    bias = (mask - 1.0)[:, None, None, :] * 10000
    layer = 0
    while f"layer{layer}.wide.weight" in weights:
        name = f"layer{layer}"
        parts = [_dense(weights, x, f"{name}.attention.{part}").reshape(-1, sequence, heads, size) for part in ("query", "key", "value")]
        query, key, value = (part.transpose(0, 2, 1, 3) for part in parts)
        scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(size) + bias
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (shares / shares.sum(-1, keepdims=True)) @ value
        x = _norm(weights, x + _dense(weights, mixed.transpose(0, 2, 1, 3).reshape(x.shape), f"{name}.attention.out"), f"{name}.norm1")
        wide = _dense(weights, x, f"{name}.wide")
        x = _norm(weights, x + _dense(weights, wide * (1 + _erf(wide / math.sqrt(2))) / 2, f"{name}.narrow"), f"{name}.norm2")
        layer += 1
    return (x * mask[:, :, None]).sum(1) / np.maximum(mask.sum(1, keepdims=True), 1)
