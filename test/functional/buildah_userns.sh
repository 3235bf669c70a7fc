#!/bin/sh
# Working containers with ID maps: --userns-uid-map and its like.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
busybox=$(command -v busybox) || { echo "1..0 # SKIP busybox is not installed"; exit 0; }
! ldd "$busybox" >/dev/null 2>&1 || { echo "1..0 # SKIP this busybox is not static"; exit 0; }
unshare --user --mount --pid --fork true 2>/dev/null || { echo "1..0 # SKIP namespaces cannot be had"; exit 0; }
b() { run buildah --root "$work/root" --runroot "$work/runroot" --storage-driver overlay "$@"; }
r() { b run --network none "$@"; }
leave() { b umount --all; umount "$work/root/overlay" 2>/dev/null; clean_up; }
trap leave EXIT

b from --name plain scratch; b mount plain
[ "$status" -eq 0 ] || { echo "1..0 # SKIP overlay cannot be mounted here"; exit 0; }
files=$(cat out); mkdir "$files/bin"; cp "$busybox" "$files/bin/busybox"
for name in sh id cat stat touch readlink grep; do ln -s busybox "$files/bin/$name"; done
echo x >"$files/seven"; chown 7:8 "$files/seven"
b umount plain; b commit --quiet plain base
maps='--userns-uid-map 0:20000:5000 --userns-gid-map 0:30000:4000'
# shellcheck disable=SC2086
b from --name c $maps base; exits 0 "a container has ID maps"
b mount c; [ "$status" -eq 0 ] || { echo "1..0 # SKIP there are no ID-mapped mounts here"; exit 0; }
files=$(cat out)
holds "files of the image are shifted" test "$(stat -c %u:%g "$files/seven")" = 20007:30008
holds "its root too" test "$(stat -c %u:%g "$files")" = 20000:30000
r c cat /proc/self/uid_map; holds "commands are in a user namespace with them" test "$(tr -s ' ' <out)" = " 0 20000 5000"
r c stat -c %u:%g /seven; out_is 7:8 "where files are as the image has them"
r --user 9:9 --workingdir /work c touch made; exits 0 "other users can be had"
holds "what is made belongs to them" test "$(stat -c %u:%g "$files/work/made")" = 20009:30009
r c sh -c 'stat -c %u /etc/hostname && cat /etc/hostname'; out_has 0 "files of the run are root's"
echo y >file; b copy --chown 3:4 --quiet c file /copied
holds "what is copied is shifted" test "$(stat -c %u:%g "$files/copied")" = 20003:30004
b copy --quiet --from c plain /copied /seven /again/; b mount plain
holds "and not so for others" test "$(cd "$(cat out)/again" && stat -c %u:%g copied seven | tr '\n' ' ')" = "3:4 7:8 "
mkdir volume; touch volume/old; r --volume "$work/volume:/v:U" c sh -c 'stat -c %u /v/old; touch /v/new'
out_is 0 "a volume can be given to them"; holds "with what comes into it" test "$(stat -c %u volume/new)" = 20000
b run --network host c readlink /proc/self/ns/net; out_is "$(readlink /proc/self/ns/net)" "the host's network can be used"
r c sh -c ': >/proc/sys/kernel/hostname'; exits 1 "the machine is safe"
holds "nothing is left mounted" test "$(cut -d ' ' -f 2 /proc/self/mounts | grep -c "$work/.*\(/mapped\|/lade-run\)")" -eq 0
for squash in '' --squash; do
  # shellcheck disable=SC2086
  b commit --quiet $squash c result; b from --name "result$squash" result; b mount "result$squash"
  holds "images have the container's IDs ($squash)" test "$(cd "$(cat out)" && stat -c %u:%g copied seven work/made | tr '\n' ' ')" = "3:4 7:8 9:9 "
done
b inspect c; out_has '"hostID": 20000' "they can be seen"
b from --name own --userns container base; r own readlink /proc/self/ns/user
holds "a user namespace can do without" test "$(cat out)" != "$(readlink /proc/self/ns/user)"
b from --userns-uid-map 16 base; err_has 'initializing ID mappings: userns-uid-map setting is malformed expected ["uint32:uint32:uint32"]: ["16"]' "maps have three numbers"
b from --userns-gid-map 0:1:2 base; err_has 'userns-gid-map can not be used without --userns-uid-map' "groups need users"
b from --userns host --userns-uid-map 0:1:2 base; err_has "can not specify ID mappings while using host's user namespace" "the host has its own"
b from --userns /nosuch base; err_has 'checking user namespace: stat /nosuch: no such file or directory' "a namespace has to be there"
run buildah --root "$work/vfs" --runroot "$work/runvfs" --storage-driver vfs from --userns-uid-map 0:1:2 scratch
err_has 'containers with ID maps need the driver overlay' "not every driver can do it"
done_testing
