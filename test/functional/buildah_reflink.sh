#!/bin/sh
# buildah commit where files can share their data: the layer takes no further space.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a file system of its own"; exit 0; }
command -v mkfs.xfs >/dev/null || { echo "1..0 # SKIP mkfs.xfs is not installed"; exit 0; }
truncate -s 400M image; mkdir disk
mkfs.xfs -q image && mount -o loop image disk 2>/dev/null || { echo "1..0 # SKIP XFS cannot be mounted"; exit 0; }
at_end() { grep -o " $work/disk[^ ]*" /proc/self/mountinfo | sort -ur | while read -r point; do umount "$point"; done; }
trap 'at_end; rm -rf "$work"' EXIT
b() { run buildah --root "$work/disk/root" --runroot "$work/disk/run" --storage-driver overlay "$@"; }

head -c 60000000 /dev/urandom >large; head -c 100000 large >small
b from --name c scratch || { echo "1..0 # SKIP overlays cannot be had"; exit 0; }
b copy --quiet c large /large; b copy --quiet c small /small
sync; before=$(df --output=used -k disk | tail -1)
b commit --quiet c image; exits 0 "a container is committed"
sync; after=$(df --output=used -k disk | tail -1)
holds "its large file is not written again" test $((after - before)) -lt 20000
b from --name check image; b mount check; mounted=$(cat out)
holds "and is in the image" cmp large "$mounted/large"; holds "as is the small one" cmp small "$mounted/small"
b mount c; echo more >>"$(cat out)/large"
holds "what the container changes later does not change the image" cmp large "$mounted/large"
run store check "[overlay@$work/disk/root+$work/disk/run]"; exits 0 "the store is sound"
b umount --all; b rm --all
done_testing
