#!/bin/sh
# Runs every harness for SECONDS (default 60); fails at the first crash. Needs clang and its runtime.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ -f build-fuzz/build.ninja ] ||
  CC=clang CXX=clang++ meson setup -Dfuzz=true --buildtype=debugoptimized \
    -Db_sanitize=address,undefined -Db_lundef=false build-fuzz >/dev/null
harnesses=$(for source in test/fuzz/fuzz_*.cpp; do basename "$source" .cpp; done)
# shellcheck disable=SC2046,SC2086
ninja -C build-fuzz --quiet $(printf 'test/fuzz/%s ' $harnesses)
passed=0
for name in $harnesses; do
  corpus=build-fuzz/corpus/$name
  log=build-fuzz/$name.log
  mkdir -p "$corpus"
  seeds=test/data/fuzz/$name
  [ -d "$seeds" ] || seeds=
  # shellcheck disable=SC2086
  if ! "build-fuzz/test/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=16384 \
    -artifact_prefix="build-fuzz/$name-" -print_final_stats=1 "$corpus" $seeds >"$log" 2>&1; then
    grep -E 'ERROR|SUMMARY|runtime error|Test unit written' "$log" || tail -n 20 "$log"
    echo "FAILED $name (see $log)"
    exit 1
  fi
  passed=$((passed + 1))
  echo "$name: $seconds s clean, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") executions"
done
echo "$passed passed, 0 failed"
