#!/bin/sh
# Nothing is lost: many writers at once, of several programs, and writers that are killed at any moment.
. "$(dirname "$0")/../functional/tap.sh"

command -v podman >/dev/null || { echo "1..0 # SKIP podman is not installed"; exit 0; }
[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
if [ -z "${LADE_OWN_MOUNTS:-}" ]; then
  unshare --mount true 2>/dev/null || { echo "1..0 # SKIP mount namespaces are not to be had"; exit 0; }
  LADE_OWN_MOUNTS=1 exec unshare --mount --propagation private sh "$here/${0##*/}"
fi

root=$work/root runroot=$work/runroot
store() { echo "containers-storage:[overlay@$root+$runroot]$1"; }
podman() {
  command podman --root "$root" --runroot "$runroot" --storage-driver overlay --cgroup-manager cgroupfs \
    --events-backend file "$@"
}
status=-
# file NAME COUNT: a layer of COUNT files.
layer() {
  mkdir -p "layers/$1"
  i=0
  while [ $i -lt "$2" ]; do echo "$1 $i" >"layers/$1/$1-$i"; i=$((i + 1)); done
  tar --numeric-owner -cf "$1.tar" -C "layers/$1" .
}
layer base 50
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do layer "w$n" 3; layer "p$n" 1; done
copy() { $LADE copy --quiet --insecure-policy "$@"; }
copy tarball:base.tar "$(store example.com/base:1)" || { echo "Bail out!"; exit 1; }
# podman before 5 forgets names that another gives to the same image: each gets one of its own.
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do copy "tarball:p$n.tar" "$(store "example.com/p$n:1")"; done
podman images >out 2>err || { echo "Bail out! podman does not open the store"; cat err; exit 1; }

writers=
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
  copy "tarball:base.tar:w$n.tar" "$(store "example.com/w$n:1")" 2>"err-$n" &
  writers="$writers $!"
  podman tag "example.com/p$n:1" "example.com/t$n:1" 2>"err-t$n" &
  writers="$writers $!"
done
failed=0
for writer in $writers; do wait "$writer" || failed=$((failed + 1)); done
cat err-* >err
holds "12 copies of lade and 12 tags of podman at once succeed" [ $failed -eq 0 ]
podman images --format '{{.Repository}}' 2>err | grep -c '^example.com/[wt][0-9]*$' >out
holds "and none is lost" [ "$(cat out)" -eq 24 ]
for n in 1 5 12; do
  copy "$(store "example.com/w$n:1")" "dir:w$n" 2>err
  ok $? "an image of them is whole"
done

layer big 400
layer other 400
tar -cf many.tar -C layers big other
# Pulls that are killed, evenly over the time that one takes and a little more; podman opens the store all the same.
opened=0 killed=0 tries=40
copy tarball:base.tar:many.tar:big.tar oci:image:x || exit 1
begin=$(date +%s%N)
copy oci:image:x "$(store example.com/killed:0)" || exit 1
whole=$(($(date +%s%N) - begin))
podman rmi --force example.com/killed:0 >out 2>err
for try in $(seq $tries); do
  $LADE copy --quiet --insecure-policy oci:image:x "$(store "example.com/killed:$try")" 2>/dev/null &
  victim=$!
  sleep "$(awk "BEGIN { print 1.5 * $whole * $try / $tries / 1e9 }")"
  kill -9 $victim 2>/dev/null
  wait $victim 2>/dev/null || killed=$((killed + 1))
  podman images --format '{{.Repository}}:{{.Tag}}' >out 2>err && opened=$((opened + 1))
  # The image of those that came through would spare the next its work.
  if grep -q killed out; then podman rmi --force "example.com/killed:$try" >/dev/null 2>err; fi
done
echo "# $killed of $tries were killed before their end"
holds "podman opened the store after each of $tries pulls that were killed" [ $opened -eq $tries ]
holds "the names are all there" [ "$(podman images --format '{{.Repository}}' 2>err | grep -c '^example.com/[wt]')" -eq 24 ]
copy oci:image:x "$(store example.com/killed:last)" 2>err
ok $? "the next pull succeeds"
copy "$(store example.com/killed:last)" dir:last 2>err
ok $? "and its image is whole"
copy "$(store example.com/w7:1)" dir:w7 2>err
ok $? "as are those that were there before"
ls -A "$root/overlay/tempdirs" "$root/overlay-layers/tmp" >out 2>&1
holds "what the killed ones left is gone" sh -c "! grep -q temp-dir out"
python3 - "$root" >out 2>&1 <<'PYTHON'
import json, os, sys
root = sys.argv[1]
layers = {l["id"] for l in json.load(open(root + "/overlay-layers/layers.json"))}
on_disk = {d for d in os.listdir(root + "/overlay") if len(d) == 64}
split = {f[:64] for f in os.listdir(root + "/overlay-layers") if f.endswith(".tar-split.gz")}
links = {os.readlink(root + "/overlay/l/" + l).split("/")[1] for l in os.listdir(root + "/overlay/l")}
images = {i["id"] for i in json.load(open(root + "/overlay-images/images.json"))}
for name, found in (("directories", on_disk), ("tar-split files", split), ("links", links)):
    print(name, "without record:", sorted(found - layers), "missing:", sorted(layers - found))
    assert found == layers
assert all(i["layer"] in layers for i in json.load(open(root + "/overlay-images/images.json")))
PYTHON
ok $? "records, directories, links and tar-split files agree"
umount "$root/overlay" 2>/dev/null

# A full disk.
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
