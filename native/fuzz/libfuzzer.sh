#!/bin/sh
# Builds the targets with libFuzzer, AddressSanitizer and UBSan, or runs one. Exit code 77: skipped, with the reason.
# Usage: libfuzzer.sh build CLANG FOLDER PARSER...   once, before the runs
#        libfuzzer.sh run FOLDER PARSER              OG_LONG=1 in the environment: ten million inputs
set -eu
here=$(dirname "$0")
mode=$1
shift

build() {
  clang=$1 folder=$2
  shift 2
  rm -rf "$folder/libfuzzer"
  mkdir -p "$folder/libfuzzer"
  case $clang in ''|*-NOTFOUND) echo "skipped: clang is not installed (Debian: clang)"; exit 77 ;; esac
  sanitizers=-fsanitize=fuzzer,address,undefined
  printf '#include <stddef.h>\nint LLVMFuzzerTestOneInput(const unsigned char *b, size_t s) { return (int)(s & 0) + (b == 0) * 0; }\n' >"$folder/libfuzzer/try.c"
  "$clang" $sanitizers "$folder/libfuzzer/try.c" -o "$folder/libfuzzer/try" 2>/dev/null || { echo "skipped: clang is here without libFuzzer (Debian: libclang-rt-14-dev)"; exit 77; }

  flags="-std=gnu11 -D_GNU_SOURCE -DOG_ATTEST_BUILD -g -O1 -fno-sanitize-recover=all -I$here -I$here/../include -I$here/../attest $(pkg-config --cflags libsecp256k1 libcrypto)"
  # shellcheck disable=SC2086 # flags are words
  for source in "$here"/../attest/*.c; do
    "$clang" -fsanitize=fuzzer-no-link,address,undefined $flags -DOG_VERSION_TEXT='"fuzz"' -c "$source" -o "$folder/libfuzzer/$(basename "$source" .c).o"
  done
  for parser; do
    # shellcheck disable=SC2046,SC2086
    "$clang" $sanitizers $flags "$here/fuzz_$parser.c" "$folder"/libfuzzer/*.o $(pkg-config --libs libsecp256k1 libcrypto) -lpthread -o "$folder/libfuzzer/$parser"
  done
}

run() {
  program=$1/libfuzzer/$2 corpus=$1/libfuzzer/corpus-$2
  [ -x "$program" ] || { echo "skipped: the target was not built with libFuzzer (see attest.libfuzzer.build)"; exit 77; }
  mkdir -p "$corpus"
  "$1/fuzz_$2" --examples "$corpus"
  runs=100000
  [ "${OG_LONG:-}" != 1 ] || runs=10000000
  exec "$program" -runs="$runs" -seed=1 -max_len=4096 -artifact_prefix="$1/libfuzzer/" -print_final_stats=1 "$corpus"
}

"$mode" "$@"
