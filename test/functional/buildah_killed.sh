#!/bin/sh
# kill -9 while an image is committed or a command runs: the store stays sound, and the next command goes on.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
root=$work/root runroot=$work/runroot
b() { run buildah --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }
b from --name c scratch; b mount c; mounted=$(cat out)
for n in 1 2 3 4 5 6 7 8 9; do mkdir "$mounted/$n"; for m in a b c d e f g h; do head -c 200000 /dev/urandom >"$mounted/$n/$m"; done; done

for delay in 0.01 0.03 0.05 0.08 0.12 0.2; do
  $LADE buildah --root "$root" --runroot "$runroot" --storage-driver vfs commit --quiet c image >/dev/null 2>&1 &
  pid=$!
  sleep $delay; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
  b images --quiet; exits 0 "killed after $delay s, the store opens"
  b containers --quiet; exits 0 "and has its container"
done
b commit --quiet c last; exits 0 "the next commit goes through"
b inspect --type image --format '{{len .OCIv1.RootFS.DiffIDs}}' last; holds "with its layer" grep -qx 1 out
b from --name check last; b mount check; holds "and all its files" diff -r "$mounted" "$(cat out)"
b rm --all; b rmi --all --force
holds "and nothing is left of those that were killed" test -z "$(ls "$root/vfs/dir")" -a -z "$(find "$root/vfs/tempdirs" "$root/vfs-layers/tmp" -name 'temp-dir-*' 2>/dev/null)"
done_testing
