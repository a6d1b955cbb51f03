#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Fails if `unsafe` is used outside the few files that may use it. Comments do
# not count; `unsafe_code` in a lint attribute does not either.
set -eu
cd "$(dirname "$0")/.."

allowed='^\./(src/ffi/|crates/saslplug/src/(raw|export|utils)|crates/mechplug/src/|(plugins|crates)/[^/]*/src/ffi(\.rs|/)|tools/src/ffi(\.rs|/)|tests/fuzz/src/ffi(\.rs|/))'
found=$(find . -name '*.rs' -not -path './target/*' -not -path './vendor/*' -not -path './tests/fuzz/target/*' |
  grep -Ev "$allowed" | sort |
  xargs grep -nE '(^|[^[:alnum:]_])unsafe([^[:alnum:]_]|$)' |
  grep -Ev '^[^:]*:[0-9]+:[[:space:]]*//' || true)

if [ -n "$found" ]; then
  printf 'unsafe code outside its rooms (docs/architecture.md):\n%s\n' "$found" >&2
  exit 1
fi
