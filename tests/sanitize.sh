#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Programs of tests/c on a library that is built with a sanitizer, in a folder of
# its own: sh tests/sanitize.sh address|thread. Each section of a program is a
# child process; any report fails the run. Needs the nightly toolchain; `thread`
# builds the standard library too (rustup component add rust-src --toolchain
# nightly).
set -eu
cd "$(dirname "$0")/.."

kind=$1
case $kind in
  address) std= ;;
  # What is not instrumented would be taken for a race.
  thread) std=-Zbuild-std ;;
  *) echo "usage: sh tests/sanitize.sh address|thread" >&2; exit 2 ;;
esac

target=${CARGO_TARGET_DIR:-target}/$kind
triple=$(uname -m)-unknown-linux-gnu
# shellcheck disable=SC2086
RUSTFLAGS="-Zsanitizer=$kind" CFLAGS="-fsanitize=$kind" \
  cargo +nightly build -q $std -p oxisasl --target "$triple" --target-dir "$target"
lib=$target/run
mkdir -p "$lib"
cp "$target/$triple/debug/libsasl2.so" "$lib/libsasl2.so.2"
lib=$(cd "$lib" && pwd)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/empty" "$scratch/conf"

export ASAN_OPTIONS=exitcode=99:detect_leaks=1:detect_stack_use_after_return=1
export TSAN_OPTIONS=exitcode=99:halt_on_error=0:second_deadlock_stack=1
export LD_LIBRARY_PATH="$lib" SASL_PATH=./empty SASL_CONF_PATH=./conf

# What rustc's instrumentation calls and gcc's runtime has under other names.
cat > "$scratch/names.c" <<'END'
#include <string.h>
void *__tsan_memcpy(void *to, const void *from, size_t size) { return memcpy(to, from, size); }
void *__tsan_memmove(void *to, const void *from, size_t size) { return memmove(to, from, size); }
void *__tsan_memset(void *to, int byte, size_t size) { return memset(to, byte, size); }
END
failed=0

# A program and its arguments, run to its end.
run() {
  if reports "$@"; then
    echo "$kind: $* ended with $status"
    head -60 "$scratch/err"
    failed=1
  else
    echo "$kind: $*: clean"
  fi
}

# Whether something is wrong.
reports() {
  source=$1
  shift
  binary=$scratch/$(basename "$source" .c)
  gcc -std=gnu11 -g -O1 -D_GNU_SOURCE "-fsanitize=$kind" -Wno-format -Iinclude -rdynamic \
    "$source" "$scratch/names.c" -o "$binary" -lsasl2 -lpthread
  status=0
  # Without random addresses, which the thread sanitizer cannot always place.
  (cd "$scratch" && timeout -s KILL 300 setarch -R "$binary" "$@" > out 2> err) || status=$?
  [ "$status" != 0 ] || grep -q Sanitizer "$scratch/err" ||
    grep -q -e 'died of signal' -e 'exited with' "$scratch/out"
}

if [ "$kind" = address ]; then
  for source in tests/c/*.c tests/c/ours/*.c; do
    run "$source"
  done
  run tests/c/figures/figures.c leaks 200
fi
if [ "$kind" = thread ] && ! reports tests/c/threads/duplex.c shared 4 1000; then
  echo "thread: a race that is there was not found"
  failed=1
fi
run tests/c/threads/logins.c login 8 300
run tests/c/threads/logins.c login 8 100 mutex
run tests/c/threads/logins.c life 4 50
run tests/c/threads/duplex.c both 4 500
run tests/c/threads/logins.c fork
exit $failed
