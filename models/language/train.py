#!/usr/bin/python3
"""Trains the shipped language model and writes it as a Hugging Face folder of the Llama architecture.

A byte-level BPE tokenizer and a small decoder, both from the King James Bible as Debian carries it. Time is the
budget: the learning rate falls to zero as `--minutes` pass, and the folder is written every few minutes, so that
stopping at any time leaves a usable one.

Needs Debian's python3-torch, bible-kjv and bible-kjv-text. Run with /usr/bin/python3.
"""

import argparse
import json
import os
import random
import struct
import sys
import time
from pathlib import Path

# Debian 12's OpenBLAS takes newer Intel server processors for old ones; the hint costs nothing elsewhere.
os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.dont_write_bytecode = True

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

import bytepairs  # noqa: E402
import scripture  # noqa: E402

SEED = 6
VOCABULARY = 2048
CONTEXT = 512
HIDDEN, LAYERS, HEADS, KEY_HEADS, HEAD, INNER = 256, 5, 4, 2, 64, 576
EPSILON, THETA = 1e-5, 10000.0
STEP_TOKENS = 4096
# One chapter in twenty is held back: its text is in no training row and no dialogue.
HELD_BACK = 20
MATRIX_RATE, VECTOR_RATE = 0.02, 2e-3
TEMPLATE = """{{- bos_token }}
{%- for message in messages %}
    {%- if message['role'] not in ['system', 'user', 'assistant'] %}
        {{- raise_exception('This model knows the roles system, user and assistant, not ' + message['role']) }}
    {%- endif %}
    {{- '<|' + message['role'] + '|>' }}
    {%- if message['content'] is string %}
        {{- message['content'] | trim }}
    {%- else %}
        {%- for part in message['content'] %}
            {{- part['text'] | trim }}
        {%- endfor %}
    {%- endif %}
    {{- eos_token }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>' }}
{%- endif %}
"""


class Norm(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(HIDDEN))

    def forward(self, rows):
        rows = rows.float()
        return rows * torch.rsqrt(rows.square().mean(-1, keepdim=True) + EPSILON) * self.weight


def linear(inputs, outputs, scale=1.0):
    layer = torch.nn.Linear(inputs, outputs, bias=False)
    torch.nn.init.normal_(layer.weight, std=scale * inputs ** -0.5)
    return layer


class Block(torch.nn.Module):
    """One decoder layer; the names are those of a Hugging Face Llama file."""

    def __init__(self):
        super().__init__()
        self.input_layernorm, self.post_attention_layernorm = Norm(), Norm()
        self.self_attn, self.mlp = torch.nn.Module(), torch.nn.Module()
        self.self_attn.q_proj = linear(HIDDEN, HEADS * HEAD)
        self.self_attn.k_proj = linear(HIDDEN, KEY_HEADS * HEAD)
        self.self_attn.v_proj = linear(HIDDEN, KEY_HEADS * HEAD)
        self.self_attn.o_proj = linear(HEADS * HEAD, HIDDEN, 0.3)
        self.mlp.gate_proj, self.mlp.up_proj = linear(HIDDEN, INNER), linear(HIDDEN, INNER)
        self.mlp.down_proj = linear(INNER, HIDDEN, 0.3)

    def forward(self, rows, turn, mask):
        batch, length, _ = rows.shape
        normed, part = self.input_layernorm(rows), self.self_attn
        query = rotate(part.q_proj(normed).view(batch, length, HEADS, HEAD).transpose(1, 2), turn)
        key = rotate(part.k_proj(normed).view(batch, length, KEY_HEADS, HEAD).transpose(1, 2), turn)
        value = part.v_proj(normed).view(batch, length, KEY_HEADS, HEAD).transpose(1, 2)
        key, value = (each.repeat_interleave(HEADS // KEY_HEADS, 1) for each in (key, value))
        weight = ((query @ key.transpose(2, 3)).float() * HEAD ** -0.5 + mask).softmax(-1)
        mixed = (weight.to(value.dtype) @ value).transpose(1, 2).reshape(batch, length, HEADS * HEAD)
        rows = rows + part.o_proj(mixed)
        normed = self.post_attention_layernorm(rows)
        return rows + self.mlp.down_proj(F.silu(self.mlp.gate_proj(normed)) * self.mlp.up_proj(normed))


def rotate(heads, turn):
    cosine, sine = turn
    left, right = heads.float().chunk(2, -1)
    return torch.cat((left * cosine - right * sine, right * cosine + left * sine), -1).to(heads.dtype)


class Decoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = torch.nn.Embedding(VOCABULARY, HIDDEN)
        torch.nn.init.normal_(self.embed_tokens.weight, std=0.02)
        self.layers = torch.nn.ModuleList([Block() for _ in range(LAYERS)])
        self.norm = Norm()

    def forward(self, tokens):
        """Logits of every position; the head shares the embedding's weights."""
        length = tokens.shape[1]
        angles = torch.arange(length)[:, None] * THETA ** (-torch.arange(0, HEAD, 2) / HEAD)
        mask = torch.full((length, length), float("-inf")).triu(1)
        rows = self.embed_tokens(tokens)
        for layer in self.layers:
            rows = layer(rows, (angles.cos(), angles.sin()), mask)
        return F.linear(self.norm(rows), self.embed_tokens.weight).float()

    def loss(self, rows):
        return F.cross_entropy(self(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())


class Muon:
    """Momentum whose matrices are made near-orthogonal before they are applied, by a fixed Newton-Schulz iteration."""

    def __init__(self, matrices):
        self._matrices, self._momentum = matrices, [torch.zeros_like(each) for each in matrices]

    @torch.no_grad()
    def step(self, rate, half):
        for matrix, momentum in zip(self._matrices, self._momentum):
            momentum.mul_(0.95).add_(matrix.grad)
            update = matrix.grad.add(momentum, alpha=0.95)
            tall = update.shape[0] > update.shape[1]
            update = (update.t() if tall else update) / (update.norm() + 1e-7)
            update = update.bfloat16() if half else update
            for _ in range(5):
                square = update @ update.t()
                update = 3.4445 * update + (-4.7750 * square + 2.0315 * square @ square) @ update
            update = (update.t() if tall else update).to(matrix.dtype)
            matrix.mul_(1 - 0.1 * rate).add_(update, alpha=-rate * max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5)


class Rows:
    """Training rows: as many of running chapters as of dialogues, each stream cut where a row is full."""

    def __init__(self, chapters, dialogues, tokenizer):
        self._chapters, self._dialogues, self._tokenizer = chapters, dialogues, tokenizer
        self._random, self._order = random.Random(SEED), []
        self._rest = {self._chapter: [], self._dialogues.one: []}
        self.seen = 0

    def batch(self, length):
        rows = [self._row(source, length + 1) for source in self._rest for _ in range(STEP_TOKENS // length // 2)]
        self.seen += STEP_TOKENS
        return torch.tensor(rows)

    def reorder(self, seed):
        """Takes chapters in another order than the run before did."""
        self._random.seed(SEED + seed)

    def _row(self, source, size):
        rest = self._rest[source]
        while len(rest) < size:
            rest += source()
        row, rest[:] = rest[:size], rest[size - 1:]
        return row

    def _chapter(self):
        if not self._order:
            self._order = self._random.sample(self._chapters, len(self._chapters))
        return document(self._order.pop(), self._tokenizer)


def document(text, tokenizer):
    return [tokenizer.ids[scripture.BEGIN], *tokenizer.encode(text), tokenizer.ids[scripture.END]]


@torch.no_grad()
def held_back_loss(model, documents, half):
    """Nats per token over the held-back chapters, in rows of the full context from each chapter's beginning."""
    total, count = 0.0, 0
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        for ids in documents:
            row = torch.tensor([ids[:CONTEXT + 1]])
            total += model.loss(row).item() * (row.shape[1] - 1)
            count += row.shape[1] - 1
    return total / count


@torch.no_grad()
def sample(model, tokenizer, start, limit, seed, temperature=0.7, top=40):
    """A continuation of `start`, up to `limit` tokens or the end token."""
    generator, ids = torch.Generator().manual_seed(seed), list(start)
    for _ in range(limit):
        best = model(torch.tensor([ids[-CONTEXT:]]))[0, -1].topk(top)
        choice = best.indices[torch.multinomial((best.values / temperature).softmax(-1), 1, generator=generator)].item()
        if choice == tokenizer.ids[scripture.END]:
            break
        ids.append(choice)
    return tokenizer.decode(ids[len(start):])


def samples(model, tokenizer):
    ids, shown = tokenizer.ids, []
    for seed, text in enumerate(["In the beginning", "And it came to pass in those days, that"]):
        shown.append({"prompt": text, "answer": sample(model, tokenizer, [ids[scripture.BEGIN], *tokenizer.encode(text)], 90, seed)})
    for seed, text in enumerate(["The Lord is my shepherd", "Tell me of the sea.", "Who are you?", "Blessed are they that"]):
        start = [ids[scripture.BEGIN], ids[scripture.USER], *tokenizer.encode(text), ids[scripture.END], ids[scripture.ASSISTANT]]
        shown.append({"user": text, "assistant": sample(model, tokenizer, start, 90, seed)})
    return shown


def write_tensors(path, tensors):
    """A safetensors file: the header's length, the header, then the tensors, bf16, rounded to nearest even."""
    header, parts, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, tensor in sorted(tensors.items()):
        data = tensor.detach().bfloat16().contiguous().view(torch.int16).numpy().tobytes()
        header[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


def read_tensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=torch.bfloat16).float().view(entry["shape"])
    return tensors


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_folder(folder, model, tokenizer, training):
    folder.mkdir(parents=True, exist_ok=True)
    begin, end = tokenizer.ids[scripture.BEGIN], tokenizer.ids[scripture.END]
    write_tensors(folder / "model.safetensors", {"model." + name: value for name, value in model.state_dict().items()})
    write_json(folder / "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16", "hidden_act": "silu",
        "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "intermediate_size": INNER, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KEY_HEADS, "head_dim": HEAD, "max_position_embeddings": CONTEXT,
        "rms_norm_eps": EPSILON, "rope_theta": THETA, "rope_scaling": None, "attention_bias": False, "mlp_bias": False,
        "tie_word_embeddings": True, "use_cache": True, "bos_token_id": begin, "eos_token_id": end,
        "pad_token_id": tokenizer.ids[scripture.PAD]})
    write_json(folder / "generation_config.json", {
        "bos_token_id": begin, "eos_token_id": end, "pad_token_id": tokenizer.ids[scripture.PAD], "do_sample": True, "temperature": 0.7, "top_k": 40})
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": CONTEXT, "bos_token": scripture.BEGIN, "eos_token": scripture.END,
        "pad_token": scripture.PAD, "clean_up_tokenization_spaces": False, "chat_template": TEMPLATE})
    tokenizer.write(folder / "tokenizer.json", scripture.BEGIN)
    write_json(folder / "model.json", {"name": "scripture", "version": "1", "kind": "language", "scheme": "int8"})
    write_json(folder / "training.json", training)
    size = sum(file.stat().st_size for file in folder.iterdir())
    if size > 8 << 20:
        raise SystemExit(f"{folder} has {size} bytes, more than 8 MiB")


def faster_in_half(model, rows, optimizer_step):
    """Whether bf16 products are faster here than fp32, by three steps of each; processors with AMX say yes."""
    times = {}
    for half in (False, True):
        for attempt in range(4):
            if attempt == 1:
                started = time.monotonic()
            learn(model, rows.batch(256), half)
            optimizer_step(0.0, half)
        times[half] = time.monotonic() - started
    print(f"three steps: {times[False]:.1f} s in fp32, {times[True]:.1f} s in bf16", flush=True)
    return times[True] < times[False]


def learn(model, batch, half):
    model.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        loss = model.loss(batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    return loss.item()


def arguments():
    here = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=35, help="how long to train; the learning rate follows it")
    parser.add_argument("--save-every", type=float, default=4, help="minutes between written folders")
    parser.add_argument("--threads", type=int, default=1, help="threads of the matrix products")
    parser.add_argument("--out", type=Path, default=here / "scripture", help="folder to write to")
    parser.add_argument("--resume", action="store_true", help="go on from the weights in that folder; the tokenizer comes out the same")
    return parser.parse_args()


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)

    found = scripture.verses()
    texts = scripture.chapters(found)
    held = {key for index, key in enumerate(texts) if index % HELD_BACK == HELD_BACK - 1}
    taught = [text for key, text in texts.items() if key not in held]
    tokenizer = bytepairs.train("\n".join(taught), VOCABULARY, scripture.SPECIAL)
    documents = [document(texts[key], tokenizer) for key in texts if key in held]
    dialogues = scripture.Dialogues([each for each in found if each[:2] not in held], tokenizer, SEED)
    rows = Rows(taught, dialogues, tokenizer)
    bytes_per_token = sum(len(text.encode()) for text in taught) / sum(len(tokenizer.encode(text)) for text in taught)
    print(f"{len(found)} verses, {len(held)} of {len(texts)} chapters held back, {bytes_per_token:.2f} bytes per token", flush=True)

    model = Decoder()
    parameters = sum(each.numel() for each in model.parameters())
    matrices = [each for name, each in model.named_parameters() if each.dim() == 2 and "embed" not in name]
    others = [each for name, each in model.named_parameters() if each.dim() == 1 or "embed" in name]
    muon, adam = Muon(matrices), torch.optim.AdamW(others, lr=0, betas=(0.9, 0.95), weight_decay=0.0)

    def optimizer_step(share, half):
        """`share` of the peak rates; zero leaves the weights as they are."""
        adam.param_groups[0]["lr"] = share * VECTOR_RATE
        adam.step()
        muon.step(share * MATRIX_RATE, half)

    before = {"steps": 0, "tokens": 0, "minutes": 0}
    if options.resume:
        before = json.loads((options.out / "training.json").read_text(encoding="utf-8"))
        model.load_state_dict({name[len("model."):]: value for name, value in read_tensors(options.out / "model.safetensors").items()})
        rows.reorder(before["steps"])
    half = faster_in_half(model, rows, optimizer_step)
    rows.seen, step, started, saved, average = 0, 0, time.monotonic(), time.monotonic(), None
    while True:
        progress = (time.monotonic() - started) / (60 * options.minutes)
        done = progress >= 1
        if done or time.monotonic() - saved > 60 * options.save_every:
            saved, loss = time.monotonic(), held_back_loss(model, documents, half)
            bits = loss / 0.6931471805599453 / bytes_per_token
            training = {
                "text": "King James Bible, Debian's bible-kjv-text; public domain", "parameters": parameters, "steps": before["steps"] + step,
                "tokens": before["tokens"] + rows.seen, "minutes": round(before["minutes"] + (saved - started) / 60, 1), "held_back_nats_per_token": round(loss, 4), "held_back_bits_per_byte": round(bits, 4),
                "finished": done, "samples": samples(model, tokenizer)}
            write_folder(options.out, model, tokenizer, training)
            print(f"held back: {loss:.4f} nats per token, {bits:.4f} bits per byte\n{json.dumps(training['samples'], indent=1)}", flush=True)
        if done:
            break
        loss = learn(model, rows.batch(256 if progress < 0.6 else CONTEXT), half)
        optimizer_step(min(1, (step + 1) / 50) * min(1, (1 - progress) / 0.7), half)
        average, step = loss if average is None else 0.95 * average + 0.05 * loss, step + 1
        if step % 20 == 0:
            print(f"step {step}, {rows.seen} tokens, {progress:.3f} of the time, loss {average:.4f}", flush=True)


if __name__ == "__main__":
    main()
