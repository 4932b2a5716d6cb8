#!/usr/bin/env bash
# One command on a machine with torch in Python, a C++ compiler and cmake: builds the shim against that torch, makes the models
# that the kit does not hold, and runs the benchmark. The last line of standard output is one JSON object.
# Usage: run.sh [--device cuda|cuda:N|cpu] [--quick] [benchmark options]     (default cuda; see bench/OpenGradient.Engine.TorchBench --help)
# Environment: OG_PYTHON (default python3), CXX, CUDA_HOME, OG_BUILD (default build beside this script)
set -euo pipefail
kit=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf '[gpu] %s\n' "$*" >&2; }
fail() { printf '[gpu] error: %s\n' "$*" >&2; exit 2; }

device=cuda:0 options=()
while [ $# -gt 0 ]; do
  case $1 in
    --device) device=${2:-}; shift $(($# > 1)) ;;
    --help|-h) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) options+=("$1") ;;
  esac
  shift
done
case $device in
  cpu) ;;
  cuda) device=cuda:0 ;;
  cuda:[0-9]|cuda:[0-9][0-9]) ;;
  *) fail "--device is cpu, cuda or cuda:N, not '$device'" ;;
esac
[ -x "$kit/bench/OpenGradient.Engine.TorchBench" ] || fail "this is no kit: benchmarks/gpu/pack.sh makes one"

python=$(command -v "${OG_PYTHON:-python3}") || fail "there is no ${OG_PYTHON:-python3}; name a Python with torch in OG_PYTHON"
"$python" -c 'import torch' 2>/dev/null || fail "$python has no torch; name one that has in OG_PYTHON"
command -v cmake >/dev/null || fail "cmake is missing"
command -v make >/dev/null || command -v ninja >/dev/null || fail "neither make nor ninja is there"
# No nvcc: nothing of the kit is compiled for the device, libtorch brings its kernels.
compiler=
for name in ${CXX:+"$CXX"} c++ g++ clang++; do
  if command -v "$name" >/dev/null; then compiler=$name; break; fi
done
[ -n "$compiler" ] || fail "there is no C++ compiler (c++, g++ or clang++); name one in CXX"
[ "${CXX:-$compiler}" = "$compiler" ] || fail "CXX names '$CXX', which is not there"
export CXX=$compiler
root=$("$python" -c 'import torch; print(torch.__path__[0])')
say "torch $("$python" -c 'import torch; print(torch.__version__)') in $root"
configure=(-DOG_TORCH=ON -DCMAKE_BUILD_TYPE=Release)
# Debian's torch has its libraries in the system's folders and links in Python's; everybody else's is in Python's.
case $(readlink -f "$root/lib/libtorch_cpu.so") in
  "$(readlink -f "$root")"/*) configure+=("-DTORCH_ROOT=$root") ;;
esac

if [ "$device" != cpu ]; then
  "$python" -c 'import sys, torch; sys.exit(0 if torch.cuda.is_available() else 1)' || fail "torch sees no GPU here; --device cpu runs everything else"
  include='' cudart=''
  for folder in ${CUDA_HOME:+"$CUDA_HOME/include"} /usr/local/cuda/include "$root"/../nvidia/cu13/include "$root"/../nvidia/cuda_runtime/include; do
    if [ -f "$folder/cuda_runtime_api.h" ]; then include=$folder; break; fi
  done
  [ -n "$include" ] || fail "cuda_runtime_api.h was not found; name CUDA's folder in CUDA_HOME"
  # The runtime that torch itself loads comes first: one process must not hold two.
  for library in "$root"/../nvidia/cu13/lib/libcudart.so.* "$root"/../nvidia/cuda_runtime/lib/libcudart.so.* "$root"/lib/libcudart*.so.* "$include"/../lib64/libcudart.so; do
    if [ -f "$library" ]; then cudart=$library; break; fi
  done
  [ -n "$cudart" ] || fail "libcudart was not found; name CUDA's folder in CUDA_HOME"
  configure+=("-DCUDA_INCLUDE=$include" "-DCUDART=$cudart")
  options+=(--cuda "${device#cuda:}")
fi

build=${OG_BUILD:-$kit/build}
mkdir -p "$build"
say "building the shim and the plain loop (log: $build/build.log)"
{ cmake -S "$kit" -B "$build" "${configure[@]}" && cmake --build "$build" --parallel "$(nproc)" --target og_torch og_torch_plain; } >"$build/build.log" 2>&1 \
  || { tail -n 40 "$build/build.log" >&2; fail "the native build failed"; }

if [ ! -f "$build/models/minilm/model.json" ]; then
  say "making the encoder"
  "$python" "$kit/models/large.py" encoder --out "$build/models/minilm" >&2
fi

# Libraries of the kit where the machine has none.
mkdir -p "$build/lib"
known=$(ldconfig -p)
for library in "$kit"/lib/*; do
  grep -q "^[[:space:]]*$(basename "$library") " <<<"$known" || cp -n "$library" "$build/lib/"
done
export LD_LIBRARY_PATH="$build/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
# What the published program has no repository to ask for.
OG_COMMIT=$(cat "$kit/commit")
export OG_COMMIT
exec "$kit/bench/OpenGradient.Engine.TorchBench" --library "$build/native/libog_torch.so" --models "$kit/models" --made "$build/models" \
  --python "$python" --script "$kit/benchmarks/Torch/plain.py" --loop "$build/benchmarks/og_torch_plain" "${options[@]}"
