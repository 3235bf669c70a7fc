#!/bin/sh
# 0: it worked; 1: it failed; 2: the image is not there.
. "$(dirname "$0")/tap.sh"

make_image oci:images:here
run inspect oci:images:here; exits 0 "an image that is there"
silent err "and not a word on standard error"
run inspect oci:images:gone; exits 2 "a name that an OCI layout does not have"
err_has 'no descriptor found for reference \"gone\"' "is named"
run inspect dir:nowhere; exits 1 "a dir: image that is not there"
err_has 'open nowhere/manifest.json: no such file or directory' "is named"
run copy oci:images:gone dir:x; exits 2 "copying what is not there"
holds "leaves nothing behind" test ! -e x/manifest.json
run copy docker://localhost:1/a dir:x; exits 1 "a registry that is not there"
err_has 'connect: connection refused' "is told apart"
# shellcheck disable=SC2086
$LADE inspect oci:images:here >/dev/full 2>err; status=$?
exits 1 "standard output that takes nothing"
done_testing
