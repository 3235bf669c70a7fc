#!/bin/sh
# Working containers: from, containers, config, copy, add, commit, mount, inspect, rename, rm.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
for driver in vfs overlay; do
root=$work/root-$driver runroot=$work/runroot-$driver
b() { run buildah --root "$root" --runroot "$runroot" --storage-driver $driver "$@"; }
if [ $driver = overlay ]; then
  b from scratch; [ "$status" -eq 0 ] && b mount "$(cat out)"
  [ "$status" -eq 0 ] || { echo "# overlay cannot be mounted here"; continue; }
  b rm --all
fi
make_image dir:image-$driver
b pull --quiet dir:image-$driver; b tag "$(cat out)" base

b from base; out_is 'base-working-container' "$driver: a container is named after its image"
b from --name mine --cidfile cid scratch; out_is 'mine' "or as one likes"
holds "its ID is in a file" grep -Eqx '[0-9a-f]{64}' cid
b from --name mine base; exits 125 "a name cannot be had twice"
b from; err_has 'an image name (or "scratch") must be specified' "an image is wanted"
b from base --quiet; err_has 'no options (--quiet) can be specified after the image or container name' "options come first"
b from --pull=never nosuch; err_has 'image not known' "what is not there is not known"
b containers; out_has 'CONTAINER ID  BUILDER  IMAGE ID     IMAGE NAME                       CONTAINER NAME' "containers have a heading"
out_has 'base-working-container' "and rows"; out_has 'scratch' "those of no image too"
b containers --quiet --filter name=mine; holds "filters choose" test "$(tr -d ' \n' <out)" = "$(cat cid)"
b containers --json; out_has '"containername": "mine"' "and as JSON"

b config --env A=1 --env 'B=$A-2' --label l=v --cmd '["/bin/x","y z"]' --entrypoint 'echo hi' --workingdir /w --port 80 --user 5 \
  --annotation n=a base-working-container; exits 0 "settings are changed"
b inspect --format '{{.OCIv1.Config.Env}} {{.Docker.Config.Cmd}} {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.WorkingDir}}' base-working-container
holds "in both forms" grep -qx '\[A=1 B=1-2\] \[/bin/x y z\] \[/bin/sh -c echo hi\] /w' out
b config --env B- --label - base-working-container
b inspect --format '{{.OCIv1.Config.Env}} {{.Docker.Config.Labels}}' base-working-container
holds "and taken back" grep -qx '\[A=1\] map\[\]' out
b config --env NOSUCHVARIABLE base-working-container; err_has 'setting env "NOSUCHVARIABLE": no value given' "a variable needs a value"

mkdir -p ctx/sub; echo one >ctx/one; echo two >ctx/sub/two; printf 'sub\n' >ctx/.containerignore
b copy --contextdir ctx base-working-container . /all/; exits 0 "a directory is copied"
holds "and its digest told" grep -Eqx '[0-9a-f]{64}' out
b mount base-working-container; mounted=$(cat out)
holds "what is in it is there" test -f "$mounted/all/one"
holds "but not what is ignored" test ! -e "$mounted/all/sub"
b copy --chown 7:8 --chmod 600 base-working-container ctx/one /owned
holds "with owner and mode" test "$(stat -c %u:%g:%a "$mounted/owned")" = 7:8:600
tar -cf ctx.tar -C ctx sub; b add base-working-container ctx.tar /unpacked/
holds "archives are unpacked" test -f "$mounted/unpacked/sub/two"
b copy --from base base-working-container /etc/motd /from-image; holds "files of images are copied" test -f "$mounted/from-image"
b copy base-working-container nosuch /; err_has 'no such file or directory' "what is not there is an error"
ln -s /etc "$mounted/link"; b copy base-working-container ctx/one /link/leads-nowhere
holds "links do not lead out of the container" test ! -e /etc/leads-nowhere
b umount base-working-container; exits 0 "it is unmounted"

b commit --iidfile iid base-working-container result; silent out "with a file for the ID it is not told"
holds "but in the file" grep -Eqx 'sha256:[0-9a-f]{64}' iid
b inspect --type image --format '{{.OCIv1.Config.WorkingDir}} {{len .OCIv1.History}}' result; holds "an image has the settings" grep -q '^/w ' out
export SOURCE_DATE_EPOCH=1000
b commit --rewrite-timestamp base-working-container; first=$(cat out)
b commit --rewrite-timestamp base-working-container; out_is "$first" "the same changes at the same time are the same image"
unset SOURCE_DATE_EPOCH
b commit --squash --quiet base-working-container squashed; b inspect --type image --format '{{len .OCIv1.RootFS.DiffIDs}}' squashed
holds "squashed it has one layer" grep -qx 1 out
b commit --quiet base-working-container oci:layout-$driver:x; exits 0 "images go to other places"
holds "and are there" test -f layout-$driver/index.json
b commit --timestamp 1 --source-date-epoch 2 base-working-container; err_has 'cannot use more then one timestamp option at at time' "times contradict each other"

b rename mine yours; exits 0 "containers are renamed"
b rename yours base-working-container; err_has 'is already in use by container' "but not to a name that is taken"
b rm yours nosuch; exits 125 "one that is not there"; err_has 'removing container "nosuch": container not known' "is told"
b commit --rm --quiet base-working-container last; b containers --quiet; silent out "a commit may remove its container"
[ $driver = vfs ] || umount -l "$root/overlay" 2>/dev/null
done
done_testing
