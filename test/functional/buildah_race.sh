#!/bin/sh
# A process in the container changes names into links and back while lade copies: nothing leaves the container
# and nothing of the host comes in.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
b() { run buildah --root "$work/root" --runroot "$work/runroot" --storage-driver vfs "$@"; }

mkdir outside data; echo secret >outside/secret
for n in 1 2 3 4 5 6 7 8; do mkdir "data/$n"; echo "$n" >"data/$n/file"; done
b from --name c scratch; b mount c; mounted=$(cat out)
b from --name taker scratch; b mount taker; taken=$(cat out)
# swap PATH TARGET: until the file `stop` is there.
swap() {
  while [ ! -e "$work/stop" ]; do
    rm -rf "$1" 2>/dev/null; mkdir -p "$1"; echo inside >"$1/secret"
    rm -rf "$1" 2>/dev/null; ln -s "$2" "$1"
  done
}
rounds=20

swap "$mounted/place" "$work/outside" & swapper=$!
swap "$mounted/deep" ../../../../../../../../../../"$work/outside" & second=$!
n=0; while [ $n -lt $rounds ]; do b copy --quiet c data /place; b copy --quiet c data /deep/er; n=$((n + 1)); done
touch stop; wait $swapper $second; rm stop
holds "what is copied stays in the container" test "$(ls outside)" = secret

mkdir "$mounted/source"
swap "$mounted/source" "$work/outside" & swapper=$!
n=0; while [ $n -lt $rounds ]; do b copy --quiet --from c taker /source "/got/$n"; n=$((n + 1)); done
touch stop; wait $swapper; rm stop
holds "what is copied from a container is the container's" sh -c "! grep -rq '^secret' '$taken' 2>/dev/null"
holds "and something was copied" sh -c "grep -rq '^inside' '$taken' || test -d '$taken/got'"

rm -rf "$mounted/place"
swap "$mounted/place" "$work/outside" & swapper=$!
n=0; while [ $n -lt $rounds ]; do b config --workingdir "/place/$n" c; b commit --quiet c image >/dev/null; n=$((n + 1)); done
touch stop; wait $swapper; rm stop
b from --name from-image image; b mount from-image
holds "nor does a commit follow links" sh -c "! grep -rq '^secret' '$(cat out)' 2>/dev/null"
holds "and the host is as it was" test "$(cat outside/secret)" = secret
b rm --all; b rmi --all --force
done_testing
