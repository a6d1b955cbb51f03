#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# The programs of tests/c on a library that is built with AddressSanitizer, in a
# folder of its own. Each section of a program is a child process; any report
# fails the run. Needs the nightly toolchain.
set -eu
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}/asan
triple=$(uname -m)-unknown-linux-gnu
RUSTFLAGS=-Zsanitizer=address cargo +nightly build -q -p oxisasl --target "$triple" --target-dir "$target"
lib=$target/run
mkdir -p "$lib"
cp "$target/$triple/debug/libsasl2.so" "$lib/libsasl2.so.2"
lib=$(cd "$lib" && pwd)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/empty" "$scratch/conf"

export ASAN_OPTIONS=exitcode=99:detect_leaks=1:detect_stack_use_after_return=1
export LD_LIBRARY_PATH="$lib" SASL_PATH=./empty SASL_CONF_PATH=./conf

run() {
  source=$1
  shift
  binary=$scratch/$(basename "$source" .c)
  gcc -std=gnu11 -g -O1 -D_GNU_SOURCE -fsanitize=address -Wno-format -Iinclude \
    "$source" -o "$binary" -lsasl2 -lpthread
  status=0
  (cd "$scratch" && timeout -s KILL 300 "$binary" "$@" > out 2> err) || status=$?
  if [ "$status" != 0 ] || grep -q Sanitizer "$scratch/err" || grep -q 'died of signal' "$scratch/out"; then
    echo "asan: $source $* ended with $status"
    head -60 "$scratch/err"
    return 1
  fi
  echo "asan: $source $*: clean"
}

failed=0
for source in tests/c/*.c tests/c/ours/*.c; do
  run "$source" || failed=1
done
run tests/c/threads/logins.c login 8 300 || failed=1
run tests/c/threads/logins.c life 4 50 || failed=1
run tests/c/threads/logins.c fork || failed=1
run tests/c/figures/figures.c leaks 200 || failed=1
exit $failed
