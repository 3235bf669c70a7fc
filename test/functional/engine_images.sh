#!/bin/sh
# podman's and buildah's commands for the names of images: images, exists, tag, untag, rmi.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
root=$work/root runroot=$work/runroot
store() { echo "containers-storage:[vfs@$root+$runroot]$1"; }
podman() { run podman --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }
buildah() { run buildah --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }

for name in one two; do
  mkdir $name; echo $name >$name/file
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf $name.tar -C $name .
done
touch -d @0 one.tar two.tar
$LADE copy --quiet tarball:one.tar "$(store localhost/one:latest)" || { echo "Bail out!"; exit 1; }
$LADE copy --quiet tarball:two.tar "$(store quay.io/x/two:v1)" || { echo "Bail out!"; exit 1; }

podman images --format '{{.Repository}}:{{.Tag}}' --sort repository
out_is "localhost/one:latest
quay.io/x/two:v1" "images are listed by repository"
podman images --noheading --quiet one; one=$(cat out)
holds "an ID has 12 digits" test ${#one} -eq 12
podman images --quiet --no-trunc one; holds "a full ID has its algorithm" grep -Eqx "sha256:$one[0-9a-f]{52}" out
podman images; out_has 'REPOSITORY     TAG         IMAGE ID' "the table has headings"
podman images --noheading; out_lacks REPOSITORY "which can be left out"
podman images --format json; out_has '"quay.io/x/two:v1"' "JSON has the names"
podman images --format '{{.Foo}}'; exits 125 "a field that is not there is a mistake"
err_has "Error: template: images:1:13: executing" "told in Go's words"
podman images --filter reference='*two*' --format '{{.Repository}}'; out_is quay.io/x/two "a filter for names"
podman images --filter dangling=true --quiet; silent out "nothing is dangling"
podman images --filter x; exits 125 "a filter needs a value"
err_has 'Error: invalid image filter "x": must be in the format "filter=value or filter!=value"' "and that is said"
podman images --bogus; err_has "See 'podman images --help'" "an unknown option points to the help"
podman bogus; err_has 'Error: unrecognized command `podman bogus`' "an unknown command is named"
podman container ls; exits 125 "what is not there yet"; err_has 'podman container is not available in lade yet' "says so"

podman image exists one; exits 0 "a short name is one of localhost"
podman image exists two:v1; exits 0 "or the last part of another"
podman image exists "$one"; exits 0 "or an ID"
podman image exists nosuch; exits 1 "or nothing"; silent err "and exists says nothing"

podman tag one docker.io/library/other:2 three; exits 0 "an image gets names"; silent out "silently"
podman images --filter id="$one" --format '{{.Repository}}:{{.Tag}}' --sort repository
out_is "docker.io/library/other:2
localhost/one:latest
localhost/three:latest" "short ones in localhost"
podman tag nosuch x; exits 125 "what is not there gets none"; err_has 'Error: nosuch: image not known' "and is named"
podman untag one three; exits 0 "a name is taken away"
podman untag one three; exits 125 "only once"; err_has 'localhost/three:latest: tag not known' "the second time it is not known"

podman rmi "$one"; exits 125 "an ID of several names is refused"
err_has 'by ID with more than one tag ([' "with the names"; err_has 'please force removal' "and the way out"
podman rmi other:2; exits 0 "a name goes"
out_is "Untagged: docker.io/library/other:2" "alone"
podman rmi one; exits 0 "with the last name"
holds "the image goes" grep -Eqx "Deleted: $one[0-9a-f]{52}" out
podman rmi nosuch; exits 1 "what is not there cannot go"; err_has 'Error: nosuch: image not known' "and is named"
podman rmi a b; err_has '2 errors occurred:' "several errors are counted"
podman rmi --ignore nosuch; exits 0 "unless that is ignored"
podman rmi; exits 125 "rmi wants a name"; err_has 'image name or ID must be specified' "and says so"

buildah images --format '{{.Name}} {{.Tag}}'; out_is "quay.io/x/two   v1" "buildah lists in columns"
buildah images --json; out_has '"quay.io/x/two:v1"' "and in JSON"
buildah images nosuch; exits 125 "and knows what is not there"; err_has 'Error: nosuch: image not known' "by name"
buildah tag quay.io/x/two:v1 four; exits 0 "buildah tags"
buildah rmi four; out_is "untagged: localhost/four:latest" "and takes names away"
buildah rmi nosuch; exits 125 "buildah cannot remove what is not there"; err_has '1 error occurred:' "and counts errors"
buildah rmi --all nosuch; err_has 'when using the --all switch' "options that contradict arguments are refused"
buildah rmi --all; exits 0 "all images go"
podman images --quiet --all; silent out "none is left"
holds "no layer either" sh -c "[ -z \"\$(ls -A $root/vfs/dir)\" ]"
done_testing
