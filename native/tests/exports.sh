#!/bin/sh
# Exports of the library and functions declared in the header are the same set.
# Usage: exports.sh NM LIBRARY HEADER [MACRO PREFIX]   MACRO marks declarations (OG_API), PREFIX begins names (og_)
set -eu
macro=${4:-OG_API} prefix=${5:-og_}
exported=$("$1" -D --defined-only "$2" | awk '{ print $3 }' | sort)
declared=$(sed -n "s/^$macro [^(]*[ *]\\($prefix[a-z0-9_]*\\)(.*/\\1/p" "$3" | sort)
[ -n "$declared" ] || { echo "no declarations found in $3"; exit 1; }
[ "$exported" = "$declared" ] && exit 0
printf 'exported:\n%s\ndeclared:\n%s\n' "$exported" "$declared"
exit 1
