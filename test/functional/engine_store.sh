#!/bin/sh
# podman's save, load, image prune, tree and mount; login and logout of both grammars.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
root=$work/root runroot=$work/runroot
podman() { run podman --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }

make_image dir:image
podman pull --quiet dir:image; id=$(cat out)
podman tag "$id" one

for format in docker-archive oci-archive; do
  podman save --quiet --format $format --output $format.tar one; exits 0 "an image is saved as $format"
  podman rmi --force "$id"
  podman load --quiet --input $format.tar
  out_is 'Loaded image: localhost/one:latest' "and loaded by its name"
done
for format in oci-dir docker-dir; do
  podman save --quiet --format $format --output $format one; exits 0 "an image is saved as $format"
  podman load --quiet --input $format; exits 0 "and loaded"
done
podman save --quiet one more:2; exits 0 "an image is saved to standard output"; cp out stream.tar
podman rmi --force "$id"
gzip -k stream.tar
status=0; $LADE podman --root "$root" --runroot "$runroot" --storage-driver vfs load --quiet <stream.tar.gz >out 2>err || status=$?
exits 0 "and loaded from standard input, also compressed"
out_has 'Loaded image: localhost/one:latest' "with its name"; out_has 'Loaded image: localhost/more:2' "and the other one"
podman load --quiet --input layer.tar; exits 125 "what is no image is refused"
err_has 'payload does not match any of the supported image formats' "with all that was tried"
podman load --input nosuch; err_has 'stat nosuch: no such file or directory' "a file that is not there is named"
podman save --format bogus one; err_has 'format value must be one of oci-dir oci-archive docker-dir docker-archive' "formats are known"
podman save; err_has 'need at least 1 argument' "save wants an image"
podman save --compress one; err_has "--compress can only be set when --format is 'docker-dir'" "only directories are compressed"
podman save -m --format oci-dir -o x one two; err_has 'unsupported format "oci-dir" for saving multiple images (only docker-archive)' "several images need a docker-archive"
echo more >more.txt; tar -cf more.tar more.txt
podman import --quiet more.tar localhost/second; exits 0 "a tarball becomes an image"; second=$(cat out)
podman save --quiet -m --output several.tar one localhost/second; exits 0 "several images go into one archive"
podman rmi --all --force; podman load --quiet --input several.tar
out_is 'Loaded image: localhost/one:latest
Loaded image: localhost/second:latest' "and come back by their names"
podman rmi --all --force; podman pull --quiet docker-archive:several.tar; exits 0 "an archive is pulled with all its images"
podman image exists localhost/second; exits 0 "and their names"
podman rmi localhost/second
podman save --quiet --compress --format docker-dir --output packed one; exits 0 "layers of a directory can be compressed"
holds "they are" grep -q 'diff.tar.gzip' packed/manifest.json

podman image tree one; out_has "Image ID: $(printf %.12s "$id")" "a tree has its image"
out_has '└── ID: ' "and its layers"; out_has 'Top Layer of: [' "with their images"
podman image tree --whatrequires one; out_has '└── ID: ' "or what is above"

podman image diff one; out_has 'A /etc/motd' "the files of its layer are told"
podman image diff --format json one; out_has '"/etc/motd"' "also as JSON"
podman image diff one one; silent out "an image is equal to itself"
podman image mount one; exits 0 "an image is mounted"
holds "with its files" test -f "$(cat out)/etc/motd"
podman image mount; out_has 'localhost/' "what is mounted is listed"
podman image mount --format json; out_has "\"id\": \"$id\"" "also as JSON"
podman image unmount one; out_is "$id" "it is unmounted"
podman image unmount one; exits 0 "once"; silent out "only"
podman image unmount; exits 125 "unmount wants an image"

podman untag one
podman image prune; exits 125 "prune asks"; out_has 'Are you sure you want to continue? [y/N] ' "whether it may"
podman image prune --force --filter label=nosuch; silent out "filters keep images"
podman image prune --force; out_is "$id" "what has no name goes"
podman images --quiet --all; silent out "nothing is left"

podman login --get-login localhost:1; exits 125 "podman login"; err_has 'Error: not logged into localhost:1' "knows who is logged in"
run buildah logout localhost:1; exits 125 "buildah logout"; err_has 'not logged into localhost:1' "too"
done_testing
