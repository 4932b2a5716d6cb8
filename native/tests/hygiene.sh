#!/bin/sh
# Comparisons of native/attest that may end early must each be listed with a reason why what they compare is public;
# secrets are compared by CRYPTO_memcmp alone. Nothing there prints, and nothing clears with a call that may be dropped.
set -eu
folder=$1 list=$2
failed=0
cd "$folder"
for file in *.c *.h; do
  found=$(grep -oE '\b(memcmp|bcmp|strcmp|strncmp|strcasecmp)\(' "$file" | wc -l)
  allowed=$(sed -n "s/^$file \([0-9]*\) ..*/\1/p" "$list")
  if [ "$found" -ne "${allowed:-0}" ]; then
    echo "$file: $found comparisons that may end early, ${allowed:-0} are listed in $list"
    failed=1
  fi
done
while read -r file rest; do
  [ -f "$file" ] || { echo "$list names $file, which is not there ($rest)"; failed=1; }
done < "$list"
if grep -nE '\b(printf|fprintf|dprintf|vprintf|puts|fputs|perror|syslog|putchar)\(' ./*.c; then
  echo "the library prints"
  failed=1
fi
if grep -nE '\b(memset|bzero)\([^;]*(secret|nonce32|seed|password|private)' ./*.c; then
  echo "cleared by a call that a compiler may drop: use explicit_bzero"
  failed=1
fi
exit $failed
