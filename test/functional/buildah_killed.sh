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

# While a command runs.
busybox=$(command -v busybox)
if [ -n "$busybox" ] && ! ldd "$busybox" >/dev/null 2>&1 && unshare --mount --pid --fork true 2>/dev/null; then
  b rm --all
  b from --name r scratch; b copy --quiet r "$busybox" /bin/busybox
  mounts=$(grep -c "$work" /proc/self/mountinfo)
  # As a killed run leaves it.
  mkdir "$runroot/lade-run-killed"; b mount r; b inspect --format '{{.ContainerID}}' r; tr -d '\n' <out >"$runroot/lade-run-killed/container"
  b run --network none r /bin/busybox true; b mount; silent out "the container of a killed run is unmounted"
  for delay in 0.005 0.01 0.015 0.02 0.03 0.05 0.1; do
    $LADE buildah --root "$root" --runroot "$runroot" --storage-driver vfs run --network none r /bin/busybox sleep 1000 >/dev/null 2>&1 &
    pid=$!
    sleep $delay; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
    ls "$runroot/lade-runtime" >>ids 2>/dev/null
    b run --network none r /bin/busybox true; exits 0 "a run killed after $delay s does not stop the next"
  done
  b run --network none r /bin/busybox true
  holds "no mount is left" test "$(grep -c "$work" /proc/self/mountinfo)" -eq "$mounts"
  holds "no cgroup" test -z "$(while read -r id; do find /sys/fs/cgroup -name "lade-$id" 2>/dev/null; done <ids)"
  holds "and nothing of the run" test -z "$(find "$runroot" -name '*lade-run-*')"
fi
b rm --all; b rmi --all --force
holds "and nothing is left of those that were killed" test -z "$(ls "$root/vfs/dir")" -a -z "$(find "$root/vfs/tempdirs" "$root/vfs-layers/tmp" -name 'temp-dir-*' 2>/dev/null)"
done_testing
