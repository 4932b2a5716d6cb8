#!/bin/sh
# Exports of the library and functions declared in the header are the same set.
# Usage: exports.sh NM LIBRARY HEADER
set -eu
exported=$("$1" -D --defined-only "$2" | awk '{ print $3 }' | sort)
declared=$(sed -n 's/^OG_API [^(]*[ *]\(og_[a-z0-9_]*\)(.*/\1/p' "$3" | sort)
[ -n "$declared" ] || { echo "no declarations found in $3"; exit 1; }
[ "$exported" = "$declared" ] && exit 0
printf 'exported:\n%s\ndeclared:\n%s\n' "$exported" "$declared"
exit 1
