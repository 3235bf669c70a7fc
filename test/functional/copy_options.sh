#!/bin/sh
# Options of copy that exclude each other, or that are not what they should be.
. "$(dirname "$0")/tap.sh"

make_image dir:image
refuses() { run copy "$@" dir:image dir:copy; }

refuses --all --multi-arch=system; err_has 'msg="Cannot use --all and --multi-arch flags together"' "--all and --multi-arch"
refuses --multi-arch=x
err_has "unknown multi-arch option \\\"x\\\". Choose one of the supported options: 'system', 'all', or 'index-only'" \
  "an unknown --multi-arch"
refuses --format=x
err_has "unknown format \\\"x\\\". Choose one of the supported formats: 'oci', 'v2s1', or 'v2s2'" "an unknown --format"
refuses --dest-compress-format=x; err_has 'cannot find compressor for \"x\"' "an unknown --dest-compress-format"
refuses --additional-tag=busybox; err_has "additional-tag 'busybox' must be a tagged reference" "a tag that is none"
refuses --dest-chunk-size=x; err_has 'invalid size' "a size that is none"
run --insecure-policy --require-signed copy dir:image dir:copy
err_has '--insecure-policy and --require-signed are mutually exclusive' "policies that exclude each other"
run --policy /nowhere copy dir:image dir:copy; exits 1 "a policy that is not there"
for pair in '--src-creds=a:b --src-no-creds|creds and no-creds cannot be specified at the same time' \
  '--src-username=a --src-no-creds|username and no-creds cannot be specified at the same time' \
  '--src-creds=a:b --src-username=a|creds and username cannot be specified at the same time' \
  '--src-username=a|password must be specified when username is specified' \
  '--src-password=a|username must be specified when password is specified' \
  "--src-creds=|credentials can't be empty" "--src-creds=:b|username can't be empty"; do
  # shellcheck disable=SC2086
  run copy ${pair%%|*} docker://localhost:1/a dir:copy
  err_has "${pair#*|}" "${pair%%|*}"
done
holds "nothing was copied" test ! -e copy/manifest.json
done_testing
