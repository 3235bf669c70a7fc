#!/bin/sh
# Nothing is lost by writers that are killed at any moment, or find the disk full. LADE_KILLS: how many of them.
. "$(dirname "$0")/../functional/tap.sh"

command -v podman >/dev/null || { echo "1..0 # SKIP podman is not installed"; exit 0; }
[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
if [ -z "${LADE_OWN_MOUNTS:-}" ]; then
  unshare --mount true 2>/dev/null || { echo "1..0 # SKIP mount namespaces are not to be had"; exit 0; }
  LADE_OWN_MOUNTS=1 exec unshare --mount --propagation private sh "$here/${0##*/}"
fi

root=$work/root runroot=$work/runroot inside=
store() { echo "containers-storage:[overlay@$root+$runroot]$1"; }
podman() {
  command podman --root "$root" --runroot "$runroot" --storage-driver overlay --cgroup-manager cgroupfs \
    --events-backend file "$@"
}
status=-
. "$here/killed_pulls.sh"

layer base 50
layer kept 3
copy tarball:base.tar:kept.tar "$(store example.com/kept:1)" || { echo "Bail out!"; exit 1; }
podman images >out 2>err || { echo "Bail out! podman does not open the store"; cat err; exit 1; }
kill_pulls "${LADE_KILLS:-20}"
copy "$(store example.com/kept:1)" dir:kept 2>err
ok $? "what was there before is whole"

# A full disk.
umount "$root/overlay" 2>/dev/null
mkdir full && mount -t tmpfs -o size=1600k none full || exit 1
root=$work/full/root
copy tarball:base.tar "$(store example.com/base:1)" 2>err || exit 1
run copy --quiet oci:image:x "$(store example.com/x:1)"; exits 1 "a pull onto a full disk fails"
err_has "no space left on device" "with the reason"
podman images >out 2>err
ok $? "podman opens the store"
copy "$(store example.com/base:1)" dir:full-base 2>err
ok $? "what was there is whole"
mount -o remount,size=100m full
run copy --quiet oci:image:x "$(store example.com/x:1)"; exits 0 "with more room it succeeds"
umount "$root/overlay" 2>/dev/null
umount full
done_testing
