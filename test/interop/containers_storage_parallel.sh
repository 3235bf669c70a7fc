#!/bin/sh
# Nothing is lost of what many writers of several programs write at once. LADE_WRITERS: how many of each.
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

writers=${LADE_WRITERS:-12}
layer base 50
for n in $(seq "$writers"); do layer "w$n" 3; layer "p$n" 1; done
copy tarball:base.tar "$(store example.com/base:1)" || { echo "Bail out!"; exit 1; }
# podman before 5 forgets names that another gives to the same image: each gets one of its own.
for n in $(seq "$writers"); do copy "tarball:p$n.tar" "$(store "example.com/p$n:1")"; done
podman images >out 2>err || { echo "Bail out! podman does not open the store"; cat err; exit 1; }

processes=
for n in $(seq "$writers"); do
  copy "tarball:base.tar:w$n.tar" "$(store "example.com/w$n:1")" 2>"err-$n" &
  processes="$processes $!"
  podman tag "example.com/p$n:1" "example.com/t$n:1" 2>"err-t$n" &
  processes="$processes $!"
done
failed=0
for process in $processes; do wait "$process" || failed=$((failed + 1)); done
cat err-* >err
holds "$writers copies of lade and $writers tags of podman at once succeed" [ $failed -eq 0 ]
podman images --format '{{.Repository}}' 2>err | grep -c '^example.com/[wt][0-9]*$' >out
holds "and none is lost" [ "$(cat out)" -eq $((2 * writers)) ]
for n in 1 $((writers / 2)) "$writers"; do
  copy "$(store "example.com/w$n:1")" "dir:w$n" 2>err
  ok $? "an image of them is whole"
done
check_remains
umount "$root/overlay" 2>/dev/null
done_testing
