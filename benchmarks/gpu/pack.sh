#!/usr/bin/env bash
# Makes the kit that benchmarks the engine on a machine with CUDA and torch in Python, but without .NET and without network:
# a trimmed self-contained publish, the shim's sources, models and scripts. Run it where the project builds.
# Usage: benchmarks/gpu/pack.sh [FOLDER]     (default artifacts/gpu-kit); then copy the folder and run its run.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
kit=${1:-artifacts/gpu-kit}
limit_mib=60
tree=artifacts/gpu-build

fail() { printf '[pack] error: %s\n' "$*" >&2; exit 1; }
for tool in dotnet python3 tar; do command -v $tool >/dev/null || fail "$tool is missing"; done
attest=build/release/native/libog_attest.so
[ -f $attest ] || fail "$attest is missing: cmake --preset release && cmake --build --preset release --target og_attest"

# A copy without lock files: they list no runtime packs, which only a self-contained publish takes.
rm -rf "$tree" "$kit"
mkdir -p "$tree" "$kit"
tar cf - --exclude=packages.lock.json --exclude=__pycache__ Directory.Build.props Directory.Packages.props global.json \
  src/Formats src/Native src/Engine src/Attestation benchmarks/Torch benchmarks/Shared benchmarks/Engine | tar xf - -C "$tree"
dotnet publish "$tree/benchmarks/Torch" -c Release -r linux-x64 --self-contained -p:PublishTrimmed=true -p:RunAnalyzers=false \
  -p:DebugType=none -p:UseSharedCompilation=false -v quiet -nologo -o "$kit/bench" >&2
rm -f "$kit"/bench/*.xml "$kit"/bench/createdump

mkdir -p "$kit/native" "$kit/benchmarks/native" "$kit/benchmarks/Torch" "$kit/models" "$kit/lib"
python3 models/torch/fill.py models/torch/digits >&2
cp benchmarks/gpu/run.sh benchmarks/gpu/CMakeLists.txt benchmarks/gpu/README.md LICENSE THIRD-PARTY-NOTICES.md "$kit/"
cp -r native/torch native/include "$kit/native/"
cp -r benchmarks/native/torch "$kit/benchmarks/native/"
cp benchmarks/Torch/plain.py "$kit/benchmarks/Torch/"
mkdir -p "$kit/models/digits"
cp models/torch/{archive,large,modules,signature}.py "$kit/models/"
cp models/torch/digits/model.pt models/torch/digits/model.json "$kit/models/digits/"
cp $attest "$kit/bench/"
# Taken on the other machine only where it has none of its own.
for library in libsecp256k1.so.1 libcrypto.so.3 libssl.so.3; do
  found=$(ldconfig -p | awk -v name="$library" '$1 == name && /x86-64/ && !seen++ { print $NF }')
  [ -n "$found" ] || fail "$library is missing here"
  cp -L "$found" "$kit/lib/"
done
git rev-parse --short=12 HEAD >"$kit/commit" 2>/dev/null || echo unknown >"$kit/commit"

size=$(du -sm "$kit" | cut -f1)
[ "$size" -lt $limit_mib ] || fail "the kit has $size MiB; it must stay under $limit_mib"
echo "$kit: $size MiB; there: $kit/run.sh [--device cuda|cpu] [--quick]"
