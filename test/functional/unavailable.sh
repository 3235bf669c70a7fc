#!/bin/sh
# What is known but not there yet fails and says so; it is never silently left out.
. "$(dirname "$0")/tap.sh"

make_image dir:image
for command in layers; do
  run "$command" --any thing
  exits 1 "$command fails"
  err_has "$command is not available in lade yet" "$command says why"
done
run copy --sign-by-sq-fingerprint=f dir:image dir:copy
exits 1 "copy --sign-by-sq-fingerprint fails"
err_has 'signing by Sequoia-PGP is not supported' "and says what would do"
done_testing
