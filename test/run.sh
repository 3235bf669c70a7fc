#!/bin/sh
# Builds lade and runs all its tests; the last line counts them.
#   sh test/run.sh          release build
#   sh test/run.sh asan     the same under AddressSanitizer and UndefinedBehaviorSanitizer
#   sh test/run.sh tsan     the concurrent parts under ThreadSanitizer
#   sh test/run.sh fuzz [SECONDS]   each libFuzzer harness for so long (default 60; needs clang)
set -eu
cd "$(dirname "$0")/.."
. test/support/install.sh

mode=${1:-release}
case $mode in
  release) build=build; setup=; tests= ;;
  asan)
    build=build-asan; tests=
    setup='-Ddebug=true -Db_ndebug=false -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false' ;;
  tsan)
    build=build-tsan; tests='base io config registry transport copy contract'
    setup='-Ddebug=true -Db_ndebug=false -Doptimization=1 -Db_sanitize=thread -Db_lundef=false' ;;
  fuzz) install_packages build; exec sh test/fuzz/run.sh "${2:-60}" ;;
  *) echo "usage: sh test/run.sh [asan|tsan|fuzz [SECONDS]]" >&2; exit 2 ;;
esac

install_packages build test
[ -f $build/build.ninja ] || meson setup $setup $build >/dev/null
ninja -C $build --quiet

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1
# ThreadSanitizer wants its addresses where newer kernels put others.
wrapper=
[ $mode = tsan ] && command -v setarch >/dev/null && wrapper='setarch -R'
status=0
meson test -C $build --no-rebuild --num-processes "$(nproc)" --timeout-multiplier 4 ${wrapper:+--wrapper "$wrapper"} $tests || status=$?
python3 test/support/count_tests.py $build/meson-logs/testlog.json || status=1
exit $status
