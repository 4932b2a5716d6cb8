#!/usr/bin/env bash
# Installs what is missing and builds native and managed code. Sourced or run by run.sh, test.sh and bench.sh; safe to repeat.
# Usage: scripts/setup.sh [run|test|bench]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
purpose=${1:-run}

say() { printf '\033[1m[setup]\033[0m %s\n' "$*" >&2; }
fail() { printf '[setup] error: %s\n' "$*" >&2; exit 1; }

command -v dotnet >/dev/null || fail "the .NET 10 SDK is not installed: https://dotnet.microsoft.com/download"

# Debian packages: compiler and headers for the native shim, node for the development chain and ONNX Runtime's library.
packages=(cmake ninja-build gcc libc6-dev pkg-config libsecp256k1-dev libssl-dev)
node_major=$(node --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/' || true)
[ "${node_major:-0}" -ge 18 ] || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)
[ "$purpose" = test ] && packages+=(chromium postgresql swtpm swtpm-tools tpm2-tools libtss2-dev libtss2-tcti-swtpm0)
[ "${OG_SOFTWARE_TPM:-no}" = yes ] && packages+=(swtpm swtpm-tools libtss2-dev libtss2-tcti-swtpm0) # run.sh --attester tpm
[ "$purpose" = bench ] && packages+=(wrk python3-onnx)
# libtorch, a gigabyte: for the tests and benchmarks of the second backend. Without the openmp flavour of OpenBLAS it crawls.
torch=()
if [ "${OG_TORCH:-}" = skip ]; then
  say "OG_TORCH=skip: libtorch is neither installed nor used; what needs it is skipped"
elif [ "$purpose" = test ] || [ "$purpose" = bench ] || [ "${OG_TORCH:-}" = need ]; then
  torch+=(g++ libtorch-dev libopenblas0-openmp)
  if [ "$purpose" = bench ] && [ "${OG_TORCH:-}" = need ]; then torch+=(python3-torch); fi # bench.sh torch: the plain loop
fi

present() { [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]; }
# Those of the named packages that are not here, a line each.
missing_of() {
  local package
  for package in "$@"; do
    case $package in
      cmake) command -v cmake >/dev/null && continue ;;
      ninja-build) command -v ninja >/dev/null && continue ;;
      gcc) command -v gcc >/dev/null && continue ;;
      g++) command -v g++ >/dev/null && continue ;;
      postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && continue ;; # any version's server will do
    esac
    present "$package" || echo "$package"
  done
}

install() {
  local missing as_root=()
  mapfile -t missing < <(missing_of "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing Debian packages: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { say "run as root, or install these packages first: ${missing[*]}"; return 1; }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq >&2 &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

install "${packages[@]}" || fail "Debian packages could not be installed"
# The house stands without its second backend, and says so: in CMake's output, in og doctor and in the tests that are skipped.
install "${torch[@]}" || { [ "${OG_TORCH:-}" != need ] || fail "libtorch could not be installed"; say "libtorch could not be installed: what needs it is skipped"; }

# npm: the development chain (anvil), ONNX Runtime's CPU library, the Solidity compiler; never runs a package's scripts.
if ! cmp -s package-lock.json node_modules/.og-lock 2>/dev/null; then
  say "installing npm packages from package-lock.json"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json node_modules/.og-lock
fi

# The classifier's TorchScript twin, from its ONNX file: 4.5 MB that the repository would hold twice.
if command -v python3 >/dev/null; then python3 models/torch/fill.py models/torch/digits >&2
else say "python3 is missing: models/torch/digits is not made, and what serves or tests it does without"; fi

say "building native code"
cmake --preset release >build-native.log 2>&1 || { cat build-native.log >&2; fail "cmake could not configure"; }
cmake --build --preset release >>build-native.log 2>&1 || { cat build-native.log >&2; fail "the native build failed"; }
rm -f build-native.log

say "restoring and building managed code"
# One compiler process for all projects, stopped afterwards: starting and warming one per project takes longer than compiling.
# Analyzers, twice the compiling, run where tests run.
analyse=false
[ "$purpose" != test ] || analyse=true
dotnet restore OpenGradient.Engine.sln --locked-mode -v quiet >&2
built=0
MSBUILDDISABLENODEREUSE=1 dotnet build OpenGradient.Engine.sln -c Release --no-restore -p:UseSharedCompilation=true -p:RunAnalyzers=$analyse \
  -v quiet -nologo "-clp:ErrorsOnly;NoSummary" >&2 || built=$?
dotnet build-server shutdown --vbcscompiler >/dev/null 2>&1 || true
exit $built
