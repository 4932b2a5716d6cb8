#!/usr/bin/python3
"""The baseline of ./bench.sh torch and of benchmarks/gpu: a plain loop in Python over the module that the engine serves.

  plain.py MODEL THREADS DEVICE ROWS      ROWS: each row's inputs in order, their bytes one after the other

It says hello in one line of JSON, then answers commands from standard input, one line each, and sleeps between them:

  fixed BATCH CALLS      all threads share the calls; on a GPU inputs come from page-locked memory and outputs go back to it
  loop BATCH CALLS       the same on one thread
  resident BATCH CALLS   one thread, inputs already on the device and outputs left there: what computing alone takes
  reference FILE         the rows' outputs in float64 on the CPU, written to FILE: outputs in order, each all rows
  settings               what decides bits and speed here
"""

import json
import os
import sys
import threading
import time

import torch

KINDS = {
    "float32": torch.float32, "float64": torch.float64, "float16": torch.float16, "uint8": torch.uint8,
    "int8": torch.int8, "int16": torch.int16, "int32": torch.int32, "int64": torch.int64, "bool": torch.bool,
}
SIGNATURE = "opengradient.signature"
# Rows at once in float64, so that memory stays small.
SLICE = 32


def load(path, device):
    extra = {SIGNATURE: ""}
    module = torch.jit.load(path, map_location=device, _extra_files=extra).eval()
    text = extra[SIGNATURE]
    lines = (text.decode("utf-8") if isinstance(text, bytes) else text).splitlines()
    fields = [line.split(" ") for line in lines if line.startswith("input ")]
    return module, [(KINDS[kind], [int(size) for size in shape[1:]]) for _, _, kind, *shape in fields]


def rows_of(path, inputs):
    """One tensor per input, [rows, ...]."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    widths = []
    for kind, shape in inputs:
        count = 1
        for size in shape:
            count *= size
        widths.append(count * torch.empty(0, dtype=kind).element_size())
    table = torch.frombuffer(data, dtype=torch.uint8).view(-1, sum(widths))
    columns, start = [], 0
    for (kind, shape), width in zip(inputs, widths):
        part = table[:, start : start + width].contiguous()
        columns.append(part.view(-1).view(kind).view([-1, *shape]))
        start += width
    return columns


def tuple_of(outputs):
    return outputs if isinstance(outputs, tuple) else (outputs,)


class Plain:
    def __init__(self, path, threads, device, rows):
        self.path, self.threads, self.device = path, threads, torch.device(device)
        loaded, self.inputs = load(path, self.device)
        # Frozen, as the engine's shim does it: the loop is not to be slower for want of it.
        self.module = torch.jit.freeze(loaded)
        self.rows = rows_of(rows, self.inputs)
        self.cuda = self.device.type == "cuda"

    def batch(self, size):
        """The first rows, again from the start when there are fewer."""
        index = torch.arange(size) % self.rows[0].size(0)
        chosen = [column[index] for column in self.rows]
        return [tensor.pin_memory() for tensor in chosen] if self.cuda else chosen

    def call(self, given, kept):
        if not self.cuda:
            return tuple_of(self.module(*given))
        outputs = tuple_of(self.module(*[tensor.to(self.device, non_blocking=True) for tensor in given]))
        if not kept:
            kept.extend(torch.empty(output.shape, dtype=output.dtype, pin_memory=True) for output in outputs)
        for target, output in zip(kept, outputs):
            target.copy_(output, non_blocking=True)
        torch.cuda.current_stream(self.device).synchronize()
        return kept

    def window(self, batch, calls, threads):
        given = self.batch(batch)
        share = [calls // threads + (i < calls % threads) for i in range(threads)]
        ready, go = threading.Barrier(threads + 1), threading.Event()

        def work(count):
            stream = torch.cuda.Stream(self.device) if self.cuda else None
            with torch.inference_mode(), torch.cuda.stream(stream):
                kept = []
                self.call(given, kept)
                ready.wait()
                go.wait()
                for _ in range(count):
                    self.call(given, kept)

        return self.timed(batch, calls, [threading.Thread(target=work, args=(count,)) for count in share], ready, go)

    def timed(self, batch, calls, workers, ready, go):
        for worker in workers:
            worker.start()
        ready.wait()
        start, cpu = time.perf_counter(), time.process_time()
        go.set()
        for worker in workers:
            worker.join()
        seconds, used = time.perf_counter() - start, time.process_time() - cpu
        each = seconds / max(1, calls) * 1e6 * len(workers)
        return {"batch": batch, "requests": batch * calls, "seconds": seconds, "cpu_seconds": used, "p50_us": each, "p99_us": each}

    def loop(self, batch, calls):
        """On this thread, with each call's time."""
        given, kept, times = self.batch(batch), [], []
        with torch.inference_mode():
            self.call(given, kept)
            cpu, start = time.thread_time(), time.perf_counter()
            for _ in range(calls):
                before = time.perf_counter()
                self.call(given, kept)
                times.append(time.perf_counter() - before)
            seconds, used = time.perf_counter() - start, time.thread_time() - cpu
        times.sort()
        at = [times[min(len(times) - 1, int(len(times) * part))] * 1e6 for part in (0.5, 0.99)]
        return {"batch": batch, "requests": batch * calls, "seconds": seconds, "cpu_seconds": used, "p50_us": at[0], "p99_us": at[1]}

    def resident(self, batch, calls):
        given = [tensor.to(self.device) for tensor in self.batch(batch)]
        with torch.inference_mode():
            self.module(*given)
            self.wait()
            cpu, start = time.process_time(), time.perf_counter()
            for _ in range(calls):
                self.module(*given)
            self.wait()
            seconds, used = time.perf_counter() - start, time.process_time() - cpu
        each = seconds / max(1, calls) * 1e6
        return {"batch": batch, "requests": batch * calls, "seconds": seconds, "cpu_seconds": used, "p50_us": each, "p99_us": each}

    def wait(self):
        if self.cuda:
            torch.cuda.synchronize(self.device)

    def reference(self, path):
        module, _ = load(self.path, torch.device("cpu"))
        module = module.double()
        wide = [column.double() if column.is_floating_point() else column for column in self.rows]
        parts = []
        with torch.inference_mode():
            for start in range(0, wide[0].size(0), SLICE):
                parts.append(tuple_of(module(*[column[start : start + SLICE] for column in wide])))
        with open(path, "wb") as file:
            for output in zip(*parts):
                file.write(torch.cat(output).contiguous().numpy().tobytes())
        return {"rows": wide[0].size(0)}

    def settings(self):
        found = {"torch": torch.__version__, "threads": torch.get_num_threads(), "cuda": torch.version.cuda, "device": str(self.device)}
        if self.cuda:
            found |= {"tf32": torch.backends.cuda.matmul.allow_tf32, "name": torch.cuda.get_device_name(self.device)}
        return found


def main():
    path, threads, device, rows = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    torch.set_num_threads(1)
    # The engine's precision: TF32 off, fusers and profiling off, so that the first call computes as every later one does.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    for switch in ("_jit_set_profiling_mode", "_jit_set_texpr_fuser_enabled"):
        getattr(torch._C, switch, lambda on: None)(False)
    plain = Plain(path, threads, device, rows)
    answers = {
        "fixed": lambda batch, calls: plain.window(int(batch), int(calls), threads),
        "loop": lambda batch, calls, *_: plain.loop(int(batch), int(calls)),
        "resident": lambda batch, calls: plain.resident(int(batch), int(calls)),
        "reference": plain.reference,
        "settings": plain.settings,
    }
    print(json.dumps(plain.settings() | {"process": os.getpid()}), flush=True)
    for line in sys.stdin:
        name, *given = line.split()
        print(json.dumps(answers[name](*given)), flush=True)


if __name__ == "__main__":
    main()
