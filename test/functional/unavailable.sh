#!/bin/sh
# What is known but not there yet fails and says so; it is never silently left out.
. "$(dirname "$0")/tap.sh"

make_image dir:image
for option in --sign-by=me --sign-by-sigstore=f --sign-by-sigstore-private-key=f --sign-by-sq-fingerprint=f \
  --sign-identity=i --sign-passphrase-file=f --encryption-key=jwe:k --encrypt-layer=0 --decryption-key=k \
  --src-daemon-host=unix:///x --dest-daemon-host=unix:///x --dest-compress-format=zstd:chunked; do
  run copy "$option" dir:image dir:copy
  exits 1 "copy $option fails"
  err_has 'not available in lade yet' "copy $option says why"
done
for option in --registries.d=/x --tls-details=/x; do
  run "$option" copy dir:image dir:copy
  err_has 'not available in lade yet' "$option says why it fails"
done
holds "none of them copied anything" test ! -e copy
for command in standalone-sign standalone-verify generate-sigstore-key experimental-image-proxy; do
  run "$command" --any thing
  exits 1 "$command fails"
  err_has "$command is not available in lade yet" "$command says why"
done
run standalone-sign /dev/null busybox me -o /dev/null; err_has 'signing is not supported' "for scripts that ask"
done_testing
