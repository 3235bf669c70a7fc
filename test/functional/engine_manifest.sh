#!/bin/sh
# Manifest lists in both grammars.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
root=$work/root runroot=$work/runroot
podman() { run podman --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }
buildah() { run buildah --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }
count() { python3 -c 'import json, sys; print(len(json.load(open("out"))["manifests"] or []))'; }

for name in one two; do
  mkdir $name; echo $name >$name/file
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf $name.tar -C $name .
done
podman import --quiet --arch amd64 one.tar one; podman import --quiet --arch arm64 --variant v8 two.tar two
podman inspect --format '{{.Digest}}' one; one=$(cat out)
podman inspect --format '{{.Digest}}' two; two=$(cat out)

podman manifest create list; exits 0 "a list is created"; holds "its ID is printed" grep -Eqx '[0-9a-f]{64}' out; id=$(cat out)
podman manifest inspect list; holds "it is empty" test "$(count)" -eq 0
podman manifest create list; exits 125 "once only"; err_has 'that name is already in use' "and that is said"
podman manifest create --amend list; out_is "$id" "unless it is to be changed"
podman manifest exists list; exits 0 "it exists"
podman manifest exists one; exits 125 "an image is none"
podman manifest exists nosuch; exits 1 "nothing is none"

podman manifest add list containers-storage:localhost/one; out_is "$id" "an image is added"
buildah manifest add --annotation a=b --os-version 1 list containers-storage:two; out_is "$id: $two" "another with facts"
podman manifest inspect list; holds "there are two" test "$(count)" -eq 2
out_has '"architecture": "arm64"' "with their platforms"; out_has '"variant": "v8"' "variants"
out_has '"a": "b"' "and annotations"; out_has '"os.version": "1"' "and versions"
podman manifest annotate --arch riscv64 --os-features x,y --features f --annotation c=d list "$one"; out_is "$id" "an entry is changed"
buildah manifest inspect list; out_has '"riscv64"' "its architecture"; out_has '"c": "d"' "its annotations"
buildah manifest annotate --index --annotation whole=list list; out_is "$id" "the list itself is annotated"
buildah manifest inspect list; out_has '"whole": "list"' "which it shows"
podman manifest annotate --arch x list; err_has 'expected an instance digest' "an entry must be named"
podman manifest annotate --index --arch x list; err_has 'setting arch on an item in a manifest list requires an instance digest' "lists have no architecture"

podman manifest push --quiet list dir:pushed; exits 0 "the list is pushed"
holds "with its images" test "$(ls pushed/*.manifest.json | wc -l)" -eq 2
podman manifest push --quiet --all=false list oci:alone; exits 0 "or without"
make_image oci:served:x
serve oci:served
buildah manifest push --quiet --tls-verify=false --digestfile digest list "docker://$registry/list:1"; exits 0 "to a registry"
holds "its digest is written" grep -Eq '^sha256:[0-9a-f]{64}$' digest
run inspect --raw --tls-verify=false "docker://$registry/list:1"; out_has riscv64 "the registry has it"
buildah manifest inspect --tls-verify=false "$registry/list:1"; out_has riscv64 "and it can be looked at there"
podman manifest create copy; podman manifest add --all --tls-verify=false copy "docker://$registry/list:1"
podman manifest inspect copy; holds "all of it can be added to another" test "$(count)" -eq 2
podman manifest push --quiet --format v2s2 --tls-verify=false copy "docker://$registry/copy:1"; exits 0 "it can be pushed in Docker's format"

echo artifact >file.txt
podman manifest create art
podman manifest add --artifact --artifact-type text/x-test --artifact-subject one art file.txt; exits 0 "a file is added as an artifact"
podman manifest inspect art; out_has '"artifactType": "text/x-test"' "with its type"; out_has '/file.txt"' "and where it is"
podman manifest push --quiet art oci:art; exits 0 "it is pushed"
holds "with its content" test -f "art/blobs/sha256/$(sha256sum file.txt | cut -d ' ' -f 1)"
podman manifest add --artifact-type x list one; err_has -- '--artifact-type requires --artifact' "its options are for artifacts only"

podman manifest remove list "$two"; out_is "$id" "an image is removed"
podman manifest inspect list; holds "one is left" test "$(count)" -eq 1
podman manifest remove list "$two"; exits 125 "it goes once"; err_has 'no instance matching digest' "and that is said"
buildah manifest remove list "$one"; out_is "$id: $one" "the other one goes too"
buildah manifest create --replace list; exits 0 "a name can be taken over"; holds "by a new list" test "$(cat out)" != "$id"
buildah manifest create --amend --replace list; err_has 'mutually exclusive' "not both"
buildah manifest create --amend one; exits 0 "an image becomes the first of a list"
buildah manifest inspect one; holds "alone" test "$(count)" -eq 1
podman manifest rm two; exits 125 "an image is not removed"; err_has 'image is not a manifest list' "since it is no list"
podman manifest rm list art; exits 0 "lists go"; out_has 'Untagged: localhost/list:latest' "with their names"
podman manifest rm nosuch; exits 1 "nothing else"; err_has 'nosuch: image not known' "which is said"
podman image exists two; exits 0 "their images stay"
done_testing
