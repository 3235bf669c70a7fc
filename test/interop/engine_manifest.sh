#!/bin/sh
# Manifest lists and image commands on one store: podman and buildah on what lade wrote, lade on what they wrote.
. "$(dirname "$0")/../functional/tap.sh"

for tool in podman buildah; do
  command -v $tool >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done
[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
place="--root $work/root --runroot $work/runroot --storage-driver vfs"
status=-
# shellcheck disable=SC2086
{
  peer() { tool=$1; shift; status=0; command "$tool" $place "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?; }
  podman() { run podman $place "$@"; }
  buildah() { run buildah $place "$@"; }
}
count() { python3 -c 'import json; print(len(json.load(open("out"))["manifests"] or []))'; }

mkdir files; echo hello >files/motd
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf files.tar -C files .
touch -d '2020-01-02 03:04:05 UTC' files.tar
peer podman import --quiet --change 'CMD ["sh"]' --change LABEL=a=b files.tar theirs; cp out id
podman import --quiet --change 'CMD ["sh"]' --change LABEL=a=b files.tar ours
holds "an imported image has podman's ID" cmp id out
peer buildah inspect --type image ours; cp out theirs.json; buildah inspect --type image ours
holds "buildah inspects it as lade does" python3 -c '
import json
ours, theirs = json.load(open("out")), json.load(open("theirs.json"))
for name in theirs:
    assert ours[name] == theirs[name] or not (ours[name] or theirs[name]), (name, ours[name], theirs[name])'

podman manifest create list; id=$(cat out)
peer podman manifest inspect list; exits 0 "podman reads lade's list"; holds "which is empty" test "$(count)" -eq 0
podman manifest add list containers-storage:localhost/ours; exits 0 "lade adds an image"
peer podman import --quiet --change ENV=C=D files.tar other
peer podman manifest add --arch arm64 list containers-storage:localhost/other; out_is "$id" "podman adds another"
podman manifest inspect list; holds "lade has both" test "$(count)" -eq 2; out_has '"arm64"' "with podman's platform"
peer buildah manifest inspect list; holds "buildah too" test "$(count)" -eq 2
peer podman manifest push --quiet --all list dir:by-podman; exits 0 "podman pushes the list"
podman manifest push --quiet --all list dir:by-lade; exits 0 "lade pushes it"
holds "to the same bytes" diff -r by-podman by-lade
peer buildah manifest create theirs-list containers-storage:localhost/other; theirs=$(cat out)
buildah manifest annotate --annotation x=y theirs-list containers-storage:localhost/other; exits 0 "lade changes buildah's list"
peer buildah manifest inspect theirs-list; out_has '"x": "y"' "and buildah shows it"
peer podman manifest remove list "$(python3 -c 'import json; print(json.load(open("by-lade/manifest.json"))["manifests"][0]["digest"])')"
podman manifest inspect list; holds "podman removes an image of lade's list" test "$(count)" -eq 1
podman manifest rm theirs-list; out_has "Deleted: $theirs" "lade removes buildah's list"
peer podman manifest rm list; exits 0 "podman removes lade's"
podman images --format '{{.Repository}}' --sort repository; out_is "localhost/other
localhost/ours
localhost/theirs" "the images stay"

podman save --quiet --multi-image-archive --output several.tar ours other
peer podman rmi --all --force
peer podman load --quiet --input several.tar; exits 0 "podman loads lade's archive of several images"
podman images --quiet; cp out ours.ids; peer podman images --quiet; holds "both list the same" cmp ours.ids out
done_testing
