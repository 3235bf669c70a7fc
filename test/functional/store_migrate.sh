#!/bin/sh
# lade store migrate: whole stores to other stores and to layouts, and back.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for stores in folders of their own"; exit 0; }
one="[vfs@$work/one+$work/one-run]"
two="[overlay@$work/two+$work/two-run:overlay.skip_mount_home=true]"
mkdir -p two/overlay && printf false >two/overlay/.has-mount-program
three="[vfs@$work/three+$work/three-run]"
in_one() { run podman --root "$work/one" --runroot "$work/one-run" --storage-driver vfs "$@"; }
in_two() { run podman --root "$work/two" --runroot "$work/two-run" --storage-driver overlay --storage-opt overlay.skip_mount_home=true "$@"; }
list='{{.Id}} {{.Digest}} {{.RepoTags}}'

make_image "containers-storage:${one}example.com/app:1"
echo more >files/etc/more
tar -cf more.tar -C files .
$LADE copy --quiet tarball:layer.tar:more.tar "containers-storage:${one}example.com/app:2"
in_one tag example.com/app:2 example.com/second:2
in_one images --no-trunc --digests --format "$list"; sort out >before

run store migrate --dry-run "$one" "$two"; exits 0 "a dry run"
out_has "2 would be copied, 0 already there" "says what would be done"
in_two images --quiet; silent out "and does nothing"
run store migrate "$one" "$two"; exits 0 "a store is copied to one with another driver"
out_has "2 copied, 0 completed, 0 already there, 0 failed" "all of it"
in_two images --no-trunc --digests --format "$list"; sort out >after
holds "with names and digests" cmp before after
run store check "$two"; exits 0 "and it is sound"
run store migrate "$one" "$two"; out_has "0 copied, 0 completed, 2 already there, 0 failed" "again, there is nothing to do"
in_two untag example.com/app:2 example.com/second:2
run store migrate "$one" "$two"; out_has "0 copied, 1 completed, 1 already there" "what is missing comes"
in_two images --quiet --no-trunc example.com/app:2; in_two rmi --force "$(cat out)"
run store migrate "$one" "$two"; out_has "1 copied, 0 completed, 1 already there" "as does what an interrupted one had not reached"

run store migrate "$two" oci:layout; exits 0 "a store becomes a layout"
run inspect --raw "oci:layout:example.com/second:2"; exits 0 "with the names of the store"
run store migrate "$two" oci:layout; out_has "0 copied, 0 completed, 2 already there" "once"
run store migrate oci:layout "$three"; exits 0 "a layout becomes a store"
run store check "$three"; exits 0 "which is sound"
run podman --root "$work/three" --runroot "$work/three-run" --storage-driver vfs images --no-trunc --format '{{.Id}} {{.RepoTags}}'
sort out >after; awk '{ $2 = ""; print }' before | sed 's/  / /' >ids
holds "with the same images" cmp ids after
run store migrate oci:layout "$three"; out_has "2 already there" "once"
$LADE copy --quiet tarball:layer.tar oci:tags:v1
run store migrate oci:tags "$three"; run inspect "containers-storage:${three}localhost/tags:v1"; exits 0 "a tag belongs to its folder"

run store migrate --move "$three" "$one"; exits 0 "images are moved"
out_has "2 removed from the source, 0 not" "out of the source"
run podman --root "$work/three" --runroot "$work/three-run" --storage-driver vfs images --quiet; silent out "where nothing is left"
holds "not even a layer" test -z "$(ls three/vfs/dir)"
run store check "$one"; exits 0 "the destination is sound"

motd=$(find "$work/two/overlay" -path '*/diff/etc/motd' | head -n 1)
echo damaged >"$motd"
run store migrate --move "$two" "[vfs@$work/four+$work/four-run]"; exits 1 "a damaged image is not migrated"
out_has "failed: image" "that is said"
err=$(grep -c '^removed' out); [ "$err" -lt 2 ]; ok $? "and it is not removed"
in_two images --quiet; holds "but stays" test -s out

for pair in "$one $one" "dir:x $one" "$one oci:a:b" "docker-daemon: docker-daemon:" "--move docker-daemon: $one"; do
  # shellcheck disable=SC2086
  run store migrate $pair; exits 125 "migrate $pair is refused"
done
mkdir theirs && chown 12345 theirs
run store migrate "$one" "[vfs@$work/theirs+$work/theirs-run]"; exits 125 "the store of another user is left alone"
err_has "belongs to the user 12345" "that is said"
done_testing
