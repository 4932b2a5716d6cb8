#!/usr/bin/env bash
# A real host under load, a real node, faults from one seed; at the end everything acknowledged must be final, once. See docs/testing.md.
# Usage: scripts/soak.sh [--minutes 20] [--seed N] [--help]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./scripts/setup.sh bench
exec artifacts/bin/OpenGradient.Engine.SettlementBench/release/OpenGradient.Engine.SettlementBench soak "$@"
