#!/bin/sh
# With skopeo: what one encrypts the other decrypts. PEERS: further programs with skopeo's command line, besides the one
# that is installed.
. "$(dirname "$0")/../functional/tap.sh"

command -v openssl >/dev/null || { echo "1..0 # SKIP openssl is not installed"; exit 0; }
peers=
for peer in skopeo ${PEERS-}; do
  command -v "$peer" >/dev/null && peers="$peers $peer"
done
[ -n "$peers" ] || { echo "1..0 # SKIP skopeo is not installed"; exit 0; }

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null
openssl pkey -in rsa.key -pubout -out rsa.pub
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out ec.key
openssl pkey -in ec.key -pubout -out ec.pub
openssl req -x509 -new -key rsa.key -subj /CN=me -days 2 -out rsa.crt 2>/dev/null
make_image dir:image
mkdir -p more
head -c 3000000 /dev/urandom >more/random
tar -cf second.tar more
$LADE copy --quiet tarball:layer.tar:second.tar oci:plain:1
$LADE copy --quiet --format v2s2 oci:plain:1 dir:docker
program() { case $1 in lade) shift; run "$@" ;; *) command=$1; shift; status=0; "$command" "$@" >out 2>err </dev/null || status=$? ;; esac; }

# check WRITER READER KEY OPTION...
check() {
  writer=$1 reader=$2 key=$3
  shift 3
  rm -rf encrypted decrypted
  program "$writer" copy -q --encryption-key "$key" oci:plain:1 oci:encrypted:1
  exits 0 "$key: $writer encrypts"
  program "$reader" copy -q "$@" oci:encrypted:1 oci:decrypted:1
  exits 0 "$key: $reader decrypts it"
  $LADE inspect --raw oci:decrypted:1 >out
  holds "$key: it is the same image" sh -c "$LADE inspect --raw oci:plain:1 | cmp -s - out"
}
for peer in $peers; do
  for pair in "lade $peer" "$peer lade"; do
    # shellcheck disable=SC2086
    {
      check $pair jwe:rsa.pub --decryption-key rsa.key
      check $pair jwe:ec.pub --decryption-key ec.key
      check $pair pkcs7:rsa.crt --decryption-key rsa.key --decryption-key rsa.crt
    }
  done
  # A part of the layers, compressed again on the way, from Docker's format.
  for pair in "lade $peer" "$peer lade"; do
    writer=${pair% *} reader=${pair#* }
    rm -rf part whole
    program "$writer" copy -q --encryption-key jwe:rsa.pub --encrypt-layer -1 dir:docker oci:part:1
    exits 0 "$writer encrypts the last layer of a Docker image"
    run inspect oci:part:1
    holds "$writer: that one alone" sh -c 'test "$(grep -c "MIMEType.*+encrypted" out)" = 1'
    program "$reader" copy -q --decryption-key rsa.key oci:part:1 dir:whole
    exits 0 "$reader decrypts what $writer encrypted in part"
  done
  rm -rf refused
  program lade copy -q --decryption-key ec.key oci:encrypted:1 dir:refused
  exits 1 "lade refuses another key than $peer encrypted for"
done
done_testing
