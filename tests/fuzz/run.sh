#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Runs the fuzz targets, one after the other (docs/fuzzing.md):
#   FUZZ_SECONDS=600   how long each
#   FUZZ_TARGETS="…"   which; all by default
# Prints a table and fails if one of them found something.
set -eu
cd "$(dirname "$0")"

seconds=${FUZZ_SECONDS:-600}
triple=$(rustc -vV | sed -n 's/^host: //p')
work=$(pwd)/target
# Coverage counters for libFuzzer. `--target` keeps them out of build scripts.
counters='-Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares'
# shellcheck disable=SC2086
RUSTFLAGS="--cfg fuzzing $(echo $counters)" \
  cargo build -q --release --locked --target "$triple" --target-dir "$work"
# A copy: a build meanwhile does not disturb a run.
mkdir -p "$work/run"
fuzz=$work/run/fuzz.$$
cp "$work/$triple/release/fuzz" "$fuzz"
trap 'rm -f "$fuzz"' EXIT
trap 'exit 1' INT TERM

targets=${FUZZ_TARGETS:-$("$fuzz")}
failed=0
printf '%-20s %12s %8s %8s  %s\n' target runs edges seconds result
for target in $targets; do
  corpus=$work/corpus/$target
  log=$work/run/$target.log
  findings=artifacts/$target-
  mkdir -p "$corpus" artifacts
  seeds=
  [ ! -d "seeds/$target" ] || seeds=seeds/$target
  result=ok
  # shellcheck disable=SC2086
  FUZZ_TARGET=$target "$fuzz" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=1024 \
    -max_len=4096 -len_control=20 -dict=words.dict -use_value_profile=1 -print_final_stats=1 \
    -artifact_prefix="$findings" "$corpus" $seeds > "$log" 2>&1 || result="FAILED, see $log"
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
  took=$(sed -n 's/^Done [0-9]* runs in \([0-9]*\) .*/\1/p' "$log")
  # A target that never got going has looked at nothing.
  if [ "$result" = ok ] && [ "${runs:-0}" -lt 10 ]; then
    result="FAILED, too few runs, see $log"
  fi
  [ "$result" = ok ] || failed=1
  printf '%-20s %12s %8s %8s  %s\n' "$target" "${runs:--}" "${edges:--}" "${took:--}" "$result"
done
exit $failed
