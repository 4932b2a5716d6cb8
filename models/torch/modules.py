"""The shipped models as modules over the weights of their ONNX twins, layer by layer as the ONNX graphs have them.

Weights are [inputs, outputs], as ONNX keeps them, so that a storage is an initialiser byte for byte.
Needs Debian's python3-torch.
"""

import numpy as np
import torch
from torch import Tensor, nn

from archive import initializers

KINDS = {1: np.float32, 7: np.int64}


class Weights:
    """Tensors of an ONNX file by name; remembers which were asked for."""

    def __init__(self, path):
        self._raw = initializers(path)
        self.used = {}

    def __contains__(self, name):
        return name in self._raw

    def __getitem__(self, name):
        dimensions, kind, raw = self._raw[name]
        self.used[name] = raw
        return nn.Parameter(torch.from_numpy(np.frombuffer(raw, dtype=KINDS[kind]).reshape(dimensions).copy()), requires_grad=False)

    def shape(self, name):
        return self._raw[name][0]

    def integers(self, name):
        return np.frombuffer(self._raw[name][2], dtype=np.int64).tolist()


class Dense(nn.Module):
    """x [rows, inputs] -> [rows, outputs]."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = weight, bias

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x, self.weight)


class Digits(nn.Module):
    """pixels float32 [batch,64], 0..16 -> logits float32 [batch,10], label int64 [batch]."""

    def __init__(self, weights):
        super().__init__()
        self.first = Dense(weights["w0"], weights["b0"])
        self.second = Dense(weights["w1"], weights["b1"])
        self.last = Dense(weights["w2"], weights["b2"])

    def forward(self, pixels: Tensor):
        x = torch.relu(self.first(pixels * 0.0625))
        logits = self.last(torch.relu(self.second(x)))
        return logits, torch.argmax(logits, 1)


class Norm(nn.Module):
    def __init__(self, weights, name):
        super().__init__()
        self.scale, self.bias = weights[f"{name}.scale"], weights[f"{name}.bias"]

    def forward(self, x: Tensor) -> Tensor:
        return torch.layer_norm(x, [x.size(-1)], self.scale, self.bias, 1e-5)


def dense(weights, name):
    return Dense(weights[f"{name}.weight"], weights[f"{name}.bias"])


class Attention(nn.Module):
    def __init__(self, weights, name, heads):
        super().__init__()
        self.query, self.key = dense(weights, f"{name}.query"), dense(weights, f"{name}.key")
        self.value, self.out = dense(weights, f"{name}.value"), dense(weights, f"{name}.out")
        self.heads = heads

    def split(self, x: Tensor, sequence: int) -> Tensor:
        return x.view(-1, sequence, self.heads, x.size(1) // self.heads).transpose(1, 2)

    def forward(self, x: Tensor, mask_bias: Tensor, sequence: int) -> Tensor:
        query = self.split(self.query(x), sequence)
        key, value = self.split(self.key(x), sequence), self.split(self.value(x), sequence)
        scores = torch.matmul(query, key.transpose(2, 3)) * (query.size(3) ** -0.5) + mask_bias
        mixed = torch.matmul(torch.softmax(scores, -1), value)
        return self.out(mixed.transpose(1, 2).reshape(-1, x.size(1)))


class Layer(nn.Module):
    def __init__(self, weights, name, heads):
        super().__init__()
        self.attention = Attention(weights, f"{name}.attention", heads)
        self.norm1, self.norm2 = Norm(weights, f"{name}.norm1"), Norm(weights, f"{name}.norm2")
        self.wide, self.narrow = dense(weights, f"{name}.wide"), dense(weights, f"{name}.narrow")

    def forward(self, x: Tensor, mask_bias: Tensor, sequence: int) -> Tensor:
        x = self.norm1(x + self.attention(x, mask_bias, sequence))
        return self.norm2(x + self.narrow(nn.functional.gelu(self.wide(x))))


class Encoder(nn.Module):
    """input_ids, attention_mask int64 [batch,S] -> embedding float32 [batch,H]: the mean over the positions in the mask."""

    def __init__(self, weights):
        super().__init__()
        self.tokens, self.places = weights["tokens"], weights["places"]
        self.embedded = Norm(weights, "embedded")
        heads = weights.integers("heads_shape")[2]
        layers = sum(f"layer{i}.wide.weight" in weights for i in range(1000))
        self.layers = nn.ModuleList([Layer(weights, f"layer{i}", heads) for i in range(layers)])

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        mask = attention_mask.to(torch.float32)
        mask_bias = ((mask - 1.0) * 10000.0).unsqueeze(1).unsqueeze(1)
        sequence, hidden = self.places.size(0), self.places.size(1)
        x = self.embedded(torch.embedding(self.tokens, input_ids) + self.places).view(-1, hidden)
        for layer in self.layers:
            x = layer(x, mask_bias, sequence)
        # A sum over the last axis, as in the ONNX graph: one over a middle axis changes bits with the batch size.
        kept = x.view(-1, sequence, hidden).transpose(1, 2).contiguous() * mask.unsqueeze(1)
        return kept.sum(-1) / mask.sum(-1, keepdim=True).clamp(min=1.0)
