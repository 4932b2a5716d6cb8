#!/usr/bin/env bash
# Runs a benchmark; its last line is one JSON object. See benchmarks/README.md.
# Usage: ./bench.sh engine|load|settlement|llm|torch [--quick] [--help], or ./bench.sh attest
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Models that the repository does not hold: made once, from fixed seeds, into a folder that git ignores.
make_models() {
  local made=artifacts/models
  if [ ! -f $made/minilm/model.json ]; then
    echo "making the benchmark's encoder" >&2
    /usr/bin/python3 models/encoder/make.py --layers 6 --hidden 384 --heads 12 --sequence 128 --vocabulary 30522 --name minilm --out $made/minilm >&2
  fi
  if [ ! -f $made/resnet.onnx ]; then
    echo "making the benchmark's residual network" >&2
    # Moved when it is whole, so that an interrupted run leaves none.
    /usr/bin/python3 models/tests/resnet.py --out $made/resnet.tmp >&2 && mv $made/resnet.tmp $made/resnet.onnx
  fi
}

# Language models with random weights: for the engine's kernels, and for ONNX Runtime. The benchmark itself makes llama.cpp's.
make_language_models() {
  local made=artifacts/models size
  for size in 125m 500m; do
    # model.json is the last file that either script writes.
    if [ ! -f $made/llm-$size/model.json ]; then /usr/bin/python3 models/language/make.py --preset $size --out $made/llm-$size >&2; fi
    if [ ! -f $made/llm-$size-genai/model.json ]; then
      echo "making $made/llm-$size-genai" >&2
      /usr/bin/python3 models/language/genai.py --preset $size --out $made/llm-$size-genai >&2
    fi
  done
}

# TorchScript: the classifier from its skeleton, and an encoder with random weights.
make_torch_models() {
  python3 models/torch/fill.py models/torch/digits >&2
  [ -f artifacts/models/torch/minilm/model.json ] || /usr/bin/python3 models/torch/large.py encoder --out artifacts/models/torch/minilm >&2
}

# The attestation shim needs neither .NET nor the rest of the native code.
build_attest() {
  cmake --preset attest >/dev/null 2>&1 || { ./scripts/setup.sh bench; cmake --preset attest >&2; }
  cmake --build --preset attest --target og_attest_bench >&2
}

case ${1:-} in
  attest) build_attest; exec build/attest/native/og_attest_bench ;;
  engine) shift; ./scripts/setup.sh bench; make_models; exec artifacts/bin/OpenGradient.Engine.Benchmarks/release/OpenGradient.Engine.Benchmarks "$@" ;;
  settlement) shift; ./scripts/setup.sh bench; exec artifacts/bin/OpenGradient.Engine.SettlementBench/release/OpenGradient.Engine.SettlementBench "$@" ;;
  llm) shift; ./scripts/setup.sh bench; make_language_models; exec artifacts/bin/OpenGradient.Engine.LanguageModelBench/release/OpenGradient.Engine.LanguageModelBench "$@" ;;
  torch)
    shift
    [ "${OG_TORCH:-}" != skip ] || { echo "bench.sh torch needs libtorch, and OG_TORCH=skip leaves it out" >&2; exit 2; }
    OG_TORCH=need ./scripts/setup.sh bench; make_torch_models
    exec artifacts/bin/OpenGradient.Engine.TorchBench/release/OpenGradient.Engine.TorchBench "$@" ;;
  load) shift; ./scripts/setup.sh bench; exec artifacts/bin/OpenGradient.Engine.Load/release/OpenGradient.Engine.Load "$@" ;;
  *) sed -n '2,3s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
