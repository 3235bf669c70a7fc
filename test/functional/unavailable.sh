#!/bin/sh
# What is known but not there yet fails and says so; it is never silently left out.
. "$(dirname "$0")/tap.sh"

make_image dir:image
for option in --encryption-key=jwe:k --encrypt-layer=0 --decryption-key=k; do
  run copy "$option" dir:image dir:copy
  exits 1 "copy $option fails"
  err_has 'not available in lade yet' "copy $option says why"
done
for option in --tls-details=/x; do
  run "$option" copy dir:image dir:copy
  err_has 'not available in lade yet' "$option says why it fails"
done
holds "none of them copied anything" test ! -e copy
for command in experimental-image-proxy; do
  run "$command" --any thing
  exits 1 "$command fails"
  err_has "$command is not available in lade yet" "$command says why"
done
run copy --sign-by-sq-fingerprint=f dir:image dir:copy
exits 1 "copy --sign-by-sq-fingerprint fails"
err_has 'signing by Sequoia-PGP is not supported' "and says what would do"
done_testing
