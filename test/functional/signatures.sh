#!/bin/sh
# Signatures kept beside an image of dir:, and where they can go.
. "$(dirname "$0")/tap.sh"

make_image dir:image
printf '\243not really OpenPGP' >image/signature-1
run copy dir:image dir:copy
exits 0 "a signed image is copied"
out_has 'Checking if image destination supports signatures' "the destination is asked first"
out_has 'Storing signatures' "the signatures are stored"
holds "with the image" diff -r image copy

run copy --remove-signatures dir:image dir:without
exits 0 "--remove-signatures"
out_lacks 'signatures' "does not look for any"
holds "and leaves them behind" test ! -e without/signature-1
holds "them only" cmp image/manifest.json without/manifest.json

for pair in 'oci:layout:x|Pushing signatures for OCI images is not supported' \
  'oci-archive:layout.tar:x|Pushing signatures for OCI images is not supported' \
  'docker-archive:image.tar|Storing signatures for docker tar files is not supported'; do
  run copy dir:image "${pair%%|*}"
  exits 1 "${pair%%:*}: refuses a signed image"
  err_has "msg=\"Can not copy signatures to ${pair%%|*}: ${pair#*|}\"" "and says why"
done
run copy --remove-signatures dir:image oci:layout:x; exits 0 "without its signatures it is taken"

run copy --format v2s2 dir:image dir:converted
exits 1 "a signed image is not converted"
err_has 'we cannot modify it: \"Would invalidate signatures\"' "since that would invalidate its signatures"
run copy --remove-signatures --format v2s2 dir:image dir:converted; exits 0 "without them it is"
run copy --remove-list-signatures dir:image dir:copy
err_has 'RemoveListSignatures is not applicable when copying a single instance' "--remove-list-signatures of no list"
echo '<html>' >image/signature-1
run copy dir:image dir:copy
err_has 'unrecognized signature format, starting with binary 0x3c' "what is no signature is not copied"
done_testing
