#!/bin/sh
# --with-referrers: what refers to an image comes along.
. "$(dirname "$0")/tap.sh"

make_image oci:layout:app
digest=$(sed -n 's/.*"digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' layout/index.json)
sbom=$(add_referrer layout app sbom)
serve oci:store
# there SENTENCE REPOSITORY: the artifact is in this repository of the registry.
there() {
  run inspect --tls-verify=false --raw "docker://$registry/$2@$sbom"
  out_has '"artifactType": "application/vnd.example.sbom"' "$1"
}
to() { run copy --dest-tls-verify=false "$@"; }

to oci:layout:app "docker://$registry/pushed:1"; exits 0 "an image is pushed"
to oci:layout:sbom "docker://$registry/pushed:sbom"; exits 0 "and an artifact that refers to it"
there "the registry has it" pushed

run copy --src-tls-verify=false --dest-tls-verify=false "docker://$registry/pushed:1" "docker://$registry/plain:1"
run inspect --tls-verify=false --raw "docker://$registry/plain@$sbom"; exits 2 "a plain copy leaves it behind"
run copy --with-referrers --src-tls-verify=false --dest-tls-verify=false "docker://$registry/pushed:1" "docker://$registry/copied:1"
exits 0 "from registry to registry"
there "it comes along when asked for" copied

run copy --with-referrers --src-tls-verify=false "docker://$registry/copied:1" oci:back:app
exits 0 "from the registry to an OCI layout"
holds "the artifact is among its blobs" test -f "back/blobs/sha256/${sbom#sha256:}"
holds "and what the artifact consists of" \
  cmp "layout/blobs/sha256/$(printf %s 'what is in it: sbom' | sha256sum | cut -d' ' -f1)" \
  "back/blobs/sha256/$(printf %s 'what is in it: sbom' | sha256sum | cut -d' ' -f1)"
to --with-referrers oci:back:app "docker://$registry/again:1"; exits 0 "from the layout to a registry"
there "the layout knew what refers to the image" again
holds "the digest is the same all the way" grep -q "$digest" back/index.json

to --with-referrers --format v2s2 oci:layout:app "docker://$registry/other:1"
exits 1 "a converted image has lost its referrers"
err_has "what refers to $digest cannot be copied with it: at the destination it became sha256:" "and that is said"
run copy --quiet oci:layout:app dir:image
to --with-referrers dir:image "docker://$registry/none:1"
err_has 'dir: images do not tell what refers to them' "dir: has no referrers"
run copy --with-referrers oci:layout:app docker-archive:app.tar:app:1
exits 1 "docker-archive: has no room for them"
done_testing
