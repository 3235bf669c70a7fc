#!/bin/sh
# Runs every harness for SECONDS (default 60); fails at the first crash. Needs clang and its runtime.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ -f build-fuzz/build.ninja ] ||
  CC=clang CXX=clang++ meson setup -Dfuzz=true --buildtype=debugoptimized \
    -Db_sanitize=address,undefined -Db_lundef=false build-fuzz >/dev/null
ninja -C build-fuzz --quiet
passed=0
for harness in build-fuzz/test/fuzz/fuzz_*; do
  [ -f "$harness" ] && [ -x "$harness" ] || continue
  corpus=build-fuzz/corpus/$(basename "$harness")
  mkdir -p "$corpus"
  seeds=test/data/fuzz/$(basename "$harness")
  [ -d "$seeds" ] || seeds=
  "$harness" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=16384 \
    -artifact_prefix="build-fuzz/$(basename "$harness")-" -print_final_stats=1 "$corpus" $seeds 2>&1 |
    grep -E 'ERROR|SUMMARY|stat::number_of_executed_units|crash|timeout' || true
  if ls build-fuzz/"$(basename "$harness")"-* >/dev/null 2>&1; then
    echo "FAILED $(basename "$harness")"
    exit 1
  fi
  passed=$((passed + 1))
  echo "$(basename "$harness"): $seconds s clean"
done
echo "$passed passed, 0 failed"
