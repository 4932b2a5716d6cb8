#!/usr/bin/env bash
# Builds and runs every test: native (ctest), contract (node), managed (xunit), end to end.
# Its last line is "N passed, N failed, N skipped"; it exits 0 only if nothing failed.
# Usage: ./test.sh [--long]   (--long adds exhaustive and fuzzing modes; see docs/testing.md)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
[ "${1:-}" = --long ] && export OG_LONG=1 OG_SOAK_SEEDS="${OG_SOAK_SEEDS:-200}"
# The end-to-end tests of the scripts build: nothing else may build beside them, and here nothing does.
export OG_E2E_SCRIPTS=1

./scripts/setup.sh test || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }

results=$PWD/artifacts/test-results # kept: what each test said and how long it took
rm -rf "$results"
mkdir -p "$results"
trap 'pkill -TERM -P $$ 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0
count() { passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3)); }
heading() { printf '\n== %s (after %d s)\n' "$*" "$SECONDS"; }

heading "native: harness with AddressSanitizer and UBSan"
# A build that fails leaves the binaries of the one before, which would pass: it counts by itself.
cmake --preset asan >"$results/native.log" 2>&1 && cmake --build --preset asan >>"$results/native.log" 2>&1 || { cat "$results/native.log"; count 0 1 0; }
for preset in release asan; do
  ctest --preset "$preset" --output-on-failure --output-junit "$results/ctest-$preset.xml" | tail -n 40
  [ -f "$results/ctest-$preset.xml" ] || { echo "ctest ($preset) produced no result"; count 0 1 0; continue; }
  attribute() { sed -nE "0,/<testsuite/s/.*<testsuite//; s/.*[[:space:]]$1=\"([0-9]+)\".*/\1/p" "$results/ctest-$preset.xml" | head -n 1; }
  tests=$(attribute tests) fails=$(attribute failures) skips=$(attribute skipped) off=$(attribute disabled)
  [ "${tests:-0}" -gt 0 ] || { echo "ctest ($preset) ran no test"; fails=1; tests=1; }
  count $((tests - ${fails:-0} - ${skips:-0} - ${off:-0})) "${fails:-0}" $((${skips:-0} + ${off:-0}))
done

heading "contract: solc, anvil, viem"
node --test --test-reporter=spec tests/Contracts/*.test.mjs >"$results/node.log" 2>&1
node_status=$?
grep -E '^(✖|ℹ)|not ok|Error' "$results/node.log" | tail -n 30
summary() { sed -nE "s/^ℹ $1 ([0-9]+).*/\1/p" "$results/node.log" | tail -n 1; }
if [ -n "$(summary pass)" ]; then
  fails=$(summary fail); cancelled=$(summary cancelled)
  [ "$(summary pass)" -gt 0 ] || [ "$((fails + cancelled))" -gt 0 ] || { echo "node ran no test"; fails=1; }
  [ "$node_status" -eq 0 ] || [ "$((fails + cancelled))" -gt 0 ] || fails=1
  [ $((fails + cancelled)) -eq 0 ] || cat "$results/node.log"
  count "$(summary pass)" $((fails + cancelled)) "$(summary skipped)"
else
  cat "$results/node.log"; count 0 1 0
fi

heading "managed: xunit"
for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  began=$SECONDS
  dotnet test "$project" -c Release --no-build --nologo -v quiet \
    --logger "console;verbosity=minimal" --logger "trx;LogFileName=$name.trx" --results-directory "$results" >"$results/$name.log" 2>&1
  status=$?
  counters=$(grep -o '<Counters [^>]*>' "$results/$name.trx" 2>/dev/null | head -n 1)
  if [ -n "$counters" ]; then
    counter() { sed -nE "s/.* $1=\"([0-9]+)\".*/\1/p; t; s/.*/0/p" <<<"$counters"; }
    good=$(counter passed) bad=$(($(counter failed) + $(counter error) + $(counter timeout) + $(counter aborted)))
    total=$(counter total)
    [ "$total" -gt 0 ] || { echo "$name ran no test" >>"$results/$name.log"; bad=1; }
    [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    [ "$bad" -eq 0 ] || cat "$results/$name.log"
    printf '%-45s %s passed, %s failed, %s skipped (%d s)\n' "$name" "$good" "$bad" $((total - good - $(counter failed) - $(counter error))) $((SECONDS - began))
    count "$good" "$bad" $((total - good - $(counter failed) - $(counter error)))
    grep -oE 'outcome="NotExecuted"[^>]*' "$results/$name.trx" >/dev/null && \
      sed -nE 's/^ *\[xUnit.*\] +(.*\[SKIP\])/  \1/p' "$results/$name.log" | head -n 20
  else
    cat "$results/$name.log"; echo "$name produced no result"; count 0 1 0
  fi
done

printf '\n%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
