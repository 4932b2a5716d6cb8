#!/usr/bin/env bash
# Runs a benchmark; its last line is one JSON object. See benchmarks/README.md.
# Usage: ./bench.sh load [--quick]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
case ${1:-} in
  load) shift; ./scripts/setup.sh bench; exec artifacts/bin/OpenGradient.Engine.Load/release/OpenGradient.Engine.Load "$@" ;;
  *) sed -n '2,3s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
