#!/bin/sh
# lade store check: what it says of sound and damaged stores, and what it mends.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
root=$work/root
store="[vfs@$work/root+$work/runroot]"
overlay="[overlay@$work/overlay+$work/overlay-run:overlay.skip_mount_home=true]"

run store check "$store"; exits 125 "where there is no store, that is said"
err_has "Error: there is no store in $work/root" "with its place"
make_image "containers-storage:${store}example.com/app:1"
run store check "$store"; exits 0 "a sound store is sound"
silent out "and there is nothing to say"
run store --root "$work/root" --runroot "$work/runroot" --storage-driver vfs check; exits 0 "the store may be named by options"
run store check --root "$root" --runroot "$work/runroot" --storage-driver vfs containers-storage:; exits 0 "global options say which store is meant"
run store check --json "$store"; out_is '[]' "no finding is an empty list"
run store check --force "$store"; exits 125 "--force alone means nothing"
run store check dir:image; exits 125 "only stores can be checked"

orphan=$(printf '%064d' 0)
mkdir -p "$root/vfs/dir/$orphan"
run store check --quick "$store"; exits 1 "findings have a status of their own"
out_is "store: these files belong to no layer [$root/vfs/dir/$orphan]; with --repair, it is removed" "each is a line"
run store check --json "$store"; out_has '"mend": "repair"' "or an object"
run store check --repair "$store"; exits 0 "what was mended is no finding any more"
out_is "store: these files belong to no layer [$root/vfs/dir/$orphan]; mended: it is removed" "but is told"
run store check "$store"; exits 0 "the store is sound again"

layer=$(ls "$root/vfs/dir")
image=$(cd "$root/vfs-images" && ls -d ????????????????????????????????????????????????????????????????)
echo other >"$root/vfs/dir/$layer/etc/motd"
run store check --quick "$store"; exits 0 "quickly, contents are not read"
run store check "$store"; exits 1 "otherwise a changed file is found"
out_has "layer $layer: its tar " "in its layer"
out_has "image $image (example.com/app:1): its layer $layer is damaged; with --repair --force, the image is removed" "and its image"
run store check --repair "$store"; exits 1 "images are not given up lightly"
run inspect --raw "containers-storage:${store}example.com/app:1"; exits 0 "the image is still there"
run store check --repair --force "$store"; exits 0 "but by force"
out_has "mended: the image is removed" "which is told"
run inspect --raw "containers-storage:${store}example.com/app:1"; exits 2 "the image is gone"
run store check "$store"; exits 0 "and the store is sound"

# Links are overlay's; its format is chosen without mounting anything.
mkdir -p overlay/overlay && printf false >overlay/overlay/.has-mount-program
make_image "containers-storage:${overlay}example.com/app:1"
run store check "$overlay"; exits 0 "overlay stores are checked as well"
rm "$work"/overlay/overlay/l/*
run store check --quick "$overlay"; exits 1 "a missing link is found"
out_has "is missing or leads elsewhere" "and named"
run store check --repair "$overlay"; exits 0 "it is made again"
out_has "mended: its links are written again" "which is told"
echo '[{"id":1}]' >overlay/overlay-layers/layers.json
run store check --repair --force "$overlay"; exits 1 "records that nobody can read are found"
out_has "no tool can use this store" "and left to people"
done_testing
