#!/bin/sh
# Encrypted images: options, what is refused, engines.
. "$(dirname "$0")/tap.sh"
command -v openssl >/dev/null || { echo "1..0 # SKIP openssl is not installed"; exit 0; }

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null
openssl pkey -in rsa.key -pubout -out rsa.pub
openssl pkey -in rsa.key -aes128 -passout pass:secret -out locked.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key
openssl pkey -in ec.key -pubout -out ec.pub
openssl req -x509 -new -key rsa.key -subj /CN=me -days 2 -out rsa.crt 2>/dev/null
make_image oci:plain:1

# round KEY OPTION...: encrypted for KEY and decrypted with the options, the image is the same.
round() {
  key=$1
  shift
  rm -rf encrypted decrypted
  run copy --encryption-key "$key" oci:plain:1 oci:encrypted:1
  exits 0 "$key: an image is encrypted"
  run inspect oci:encrypted:1
  out_has '+encrypted"' "$key: inspect shows it"
  run copy "$@" oci:encrypted:1 oci:decrypted:1
  exits 0 "$key: and decrypted"
  run inspect --raw oci:decrypted:1
  holds "$key: it is the same image" sh -c "$LADE inspect --raw oci:plain:1 | cmp -s - out"
}
round jwe:rsa.pub --decryption-key locked.key:secret
round jwe:ec.pub --decryption-key ec.key
round pkcs7:rsa.crt --decryption-key rsa.key --decryption-key rsa.crt

run copy --encryption-key jwe:rsa.pub --encryption-key jwe:ec.pub --encryption-key pkcs7:rsa.crt oci:plain:1 dir:several
exits 0 "an image is encrypted for several owners"
run copy --decryption-key ec.key dir:several dir:one
exits 0 "one of whom is enough"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.key
run copy --decryption-key other.key dir:several dir:none
exits 1 "somebody else's key does not do"
err_has "none of the private keys could be used for decryption" "and that is what is said"
run copy --decryption-key locked.key:wrong dir:several dir:none
err_has 'Wrong password' "a wrong password is told"

refused() { # TEXT SENTENCE OPTION...
  text=$1 sentence=$2
  shift 2
  run copy "$@" oci:plain:1 dir:none
  exits 1 "$sentence"
  err_has "$text" "$sentence: why"
}
refused 'cannot be specified together' "both at once are refused" --encryption-key jwe:rsa.pub --decryption-key rsa.key
refused 'can only be used with --encryption-key' "an index alone is refused" --encrypt-layer 0
refused 'layer index 1 out of range (1 layers exist)' "a layer that is not there is refused" --encryption-key jwe:rsa.pub --encrypt-layer 1
refused 'pgp: encryption by this protocol is not supported' "OpenPGP is refused" --encryption-key pgp:me@example.com
refused 'not a public key' "a private key is no recipient" --encryption-key jwe:rsa.key
refused 'does not support encryption' "a Docker image cannot be encrypted" --encryption-key jwe:rsa.pub --format v2s2
refused 'Instructed to preserve digests' "nor one that must stay as it is" --encryption-key jwe:rsa.pub --preserve-digests
holds "nothing was written" test ! -e none

# Engines: push and commit encrypt, pull and from decrypt.
if [ "$(id -u)" = 0 ]; then
  store="--root $work/store --runroot $work/runroot --storage-driver vfs"
  # shellcheck disable=SC2086
  {
    run copy dir:several oci:several-layout:1
    run buildah $store from --decryption-key rsa.key oci:several-layout:1
    exits 0 "buildah from decrypts"
    container=$(cat out)
    run buildah $store commit -q --encryption-key jwe:rsa.pub "$container" oci:committed:1
    exits 0 "buildah commit encrypts"
    run inspect oci:committed:1
    out_has '+encrypted"' "what it writes"
    run buildah $store commit -q --encryption-key jwe:rsa.pub "$container" local
    err_has 'the local store has no encrypted images' "but nothing into the local store"
    run buildah $store rm "$container"
    run buildah $store rmi -a -f
  }
  # shellcheck disable=SC2086
  for grammar in podman buildah; do
    run $grammar $store pull -q oci:plain:1
    exits 0 "$grammar: the plain image is pulled"
    image=$(tail -n 1 out)
    rm -rf pushed
    run $grammar $store push -q --encryption-key jwe:rsa.pub "$image" oci:pushed:1
    exits 0 "$grammar push encrypts"
    run $grammar $store rmi -f "$image"
    run $grammar $store pull -q oci:pushed:1
    exits 125 "$grammar pull refuses an encrypted image" 
    err_has '--decryption-key names a key' "$grammar pull says what is missing"
    run $grammar $store pull -q --decryption-key rsa.key oci:pushed:1
    exits 0 "$grammar pull decrypts"
    out_has "$image" "$grammar: it is the same image"
  done
fi
done_testing
