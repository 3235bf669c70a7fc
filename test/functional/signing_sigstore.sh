#!/bin/sh
# Sigstore signatures: keys made, images signed, attachments in a registry, and the policy that wants them.
. "$(dirname "$0")/tap.sh"

umask 077
mkdir registries.d
printf 'first line\nsecond line\n' >phrase
echo wrong >wrong
run generate-sigstore-key --output-prefix key --passphrase-file phrase
exits 0 "keys are made"
out_is 'Key written to "key.private" and "key.pub"' "and named"
holds "the private one is its owner's" test "$(stat -c %a key.private)" = 600
cp key.private before
run generate-sigstore-key --output-prefix key --passphrase-file phrase
exits 1 "keys are not overwritten"
err_has 'Refusing to overwrite existing \"key.pub\"' "which is said"
holds "indeed" cmp key.private before
run generate-sigstore-key --output-prefix other; err_has 'standard input is not a TTY' "a passphrase is asked for at a terminal only"
$LADE generate-sigstore-key --output-prefix other --passphrase-file phrase >/dev/null

serve oci:store
cat >registries.d/default.yaml <<YAML
docker:
  $registry:
    use-sigstore-attachments: true
YAML
cat >policy.json <<JSON
{"default": [{"type": "reject"}],
 "transports": {"docker": {
   "$registry/signed": [{"type": "sigstoreSigned", "keyPath": "$work/key.pub"}],
   "$registry/renamed": [{"type": "sigstoreSigned", "keyPath": "$work/key.pub",
     "signedIdentity": {"type": "remapIdentity", "prefix": "$registry/renamed", "signedPrefix": "$registry/signed"}}],
   "$registry/synced": [{"type": "sigstoreSigned", "keyPath": "$work/key.pub"}],
   "$registry/others": [{"type": "sigstoreSigned", "keyPath": "$work/other.pub"}]}}}
JSON
make_image dir:plain
gzip -n layer.tar
$LADE copy --quiet tarball:layer.tar.gz dir:image
push() { run --registries.d registries.d copy --dest-tls-verify=false "$@"; }
pull() { rm -rf pulled; run --policy policy.json --registries.d registries.d copy --src-tls-verify=false "docker://$registry/$1" dir:pulled; }

push --sign-by-sigstore-private-key key.private --sign-passphrase-file wrong dir:image "docker://$registry/signed:1"
exits 1 "a wrong passphrase signs nothing"
err_has 'decrypt: decryption failed' "and says so"
pull signed:1; exits 2 "nothing was pushed either"
push --sign-by-sigstore-private-key key.private --sign-passphrase-file phrase dir:image "docker://$registry/signed:1"
exits 0 "an image is signed"
out_has 'Creating signature: Signing image using a sigstore signature' "which is shown"
pull signed:1; exits 0 "the policy accepts it"
holds "its signature comes along" grep -q 'dev.cosignproject.cosign/signature' pulled/signature-1
push dir:image "docker://$registry/signed:2"
pull signed:2; exits 1 "the signature of another tag is refused"
err_has 'Source image rejected: Signature for identity' "for its identity"
pull signed:1
push dir:pulled "docker://$registry/renamed:1"
exits 0 "signatures are copied to another place"
pull renamed:1; exits 0 "where remapIdentity knows them"
pull signed:1
push dir:pulled "docker://$registry/others:1"
pull others:1; exits 1 "another key is refused"
err_has 'cryptographic signature verification failed' "for its signature"
pull none:1; exits 2 "what is not there is not there"
push dir:image "docker://$registry/none:1"
pull none:1; err_has "Running image docker://$registry/none:1 is rejected by policy." "what is rejected, is"

mkdir images
cp -r image images/app:1
run --registries.d registries.d sync --src dir --dest docker --dest-tls-verify=false --no-journal \
  --sign-by-sigstore-private-key key.private --sign-passphrase-file phrase images "$registry/synced"
exits 0 "sync signs what it copies"
pull synced/app:1; exits 0 "and the policy accepts it"

pull signed:1
rm registries.d/default.yaml
push dir:pulled "docker://$registry/signed:1" ; exits 1 "without use-sigstore-attachments nothing is attached"
pull signed:1
err_has 'A signature was required, but no signature exists' "nor looked for"

printf 'privateKeyFile: key.private\nprivateKeyPassphraseFile: phrase\n' >parameters.yaml
run copy --sign-by-sigstore parameters.yaml --sign-identity example.com/app:1 dir:image dir:signed
exits 0 "a parameter file names key and passphrase"
run copy --sign-by-sigstore parameters.yaml dir:image dir:signed
err_has 'Cannot determine canonical Docker reference for destination dir:signed' "a directory has no name to sign"
printf 'privateKeyFile: key.private\nrekorURL: https://rekor.test\n' >parameters.yaml
run copy --sign-by-sigstore parameters.yaml dir:image dir:signed
err_has 'uploading signatures to Rekor is not supported' "services are not asked"
echo 'privateKey: x' >parameters.yaml
run copy --sign-by-sigstore parameters.yaml dir:image dir:signed
err_has 'parameters.yaml:1: privateKey: unknown key' "unknown keys are errors"
run copy --sign-by-sigstore-private-key key.private --sign-passphrase-file phrase --sign-identity example.com/app:1 dir:image oci:layout:x
err_has 'writing signatures: Pushing signatures for OCI images is not supported' "what cannot hold signatures is not signed"
holds "nor written" test ! -e layout/index.json
done_testing
