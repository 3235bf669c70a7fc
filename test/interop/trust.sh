#!/bin/sh
# With skopeo and podman: what one signs the other verifies, by GnuPG and sigstore keys, in directories, lookasides and
# attachments of a real registry. PEERS: further programs with skopeo's command line, besides the one that is installed.
. "$(dirname "$0")/../functional/tap.sh"

for tool in gpg docker-registry; do
  command -v $tool >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done
peers=
for peer in skopeo ${PEERS-}; do
  command -v "$peer" >/dev/null && peers="$peers $peer"
done
[ -n "$peers" ] || { echo "1..0 # SKIP skopeo is not installed"; exit 0; }
run standalone-sign /dev/null busybox me -o /dev/null
case $(cat err) in *'signing is not supported'*) echo "1..0 # SKIP built without gpgme"; exit 0 ;; esac

registry_process=
GNUPGHOME=$(mktemp -d /tmp/gpg.XXXXXX)
export GNUPGHOME
end_trust() {
  gpgconf --kill all >/dev/null 2>&1
  [ -z "$registry_process" ] || kill "$registry_process" 2>/dev/null
  rm -rf "$GNUPGHOME"
  clean_up
}
trap end_trust EXIT
gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key alice@example.com rsa2048 sign never 2>/dev/null ||
  { echo "1..0 # SKIP gpg cannot make keys here"; exit 0; }
gpg --export alice@example.com >alice.gpg
fingerprint=$(gpg --with-colons --list-keys alice@example.com | awk -F: '$1 == "fpr" { print $10; exit }')

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir storage
cat >registry.yml <<YML
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $work/storage}}
http: {addr: 127.0.0.1:$port, secret: interop}
YML
docker-registry serve registry.yml >registry.log 2>&1 &
registry_process=$!
registry=localhost:$port
for _ in $(seq 100); do
  python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null && break
  sleep 0.1
done

mkdir registries.d
cat >registries.d/default.yaml <<YAML
docker:
  $registry:
    lookaside: file://$work/lookaside
    use-sigstore-attachments: true
YAML
echo phrase >phrase
signer() { case $1 in lade) shift; run "$@" ;; *) command=$1; shift; status=0; "$command" "$@" >out 2>err </dev/null || status=$? ;; esac; }

make_image dir:plain
gzip -n layer.tar
$LADE copy --quiet tarball:layer.tar.gz dir:image
policy_for() { # NAME REQUIREMENT
  printf '{"default": [{"type": "reject"}], "transports": {"docker": {"%s": [%s]}}}' "$registry/$1" "$2" >policy.json
}
gpg_rule="{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\", \"keyPath\": \"$work/alice.gpg\"}"

# both SIGNER VERIFIER NAME KIND
check_pair() {
  signer=$1 verifier=$2 name=$3 kind=$4
  case $kind in
    gpg) options="--sign-by $fingerprint"; rule=$gpg_rule ;;
    sigstore) options="--sign-by-sigstore-private-key keys-$signer_name.private --sign-passphrase-file phrase"
      rule="{\"type\": \"sigstoreSigned\", \"keyPath\": \"$work/keys-$signer_name.pub\"}" ;;
  esac
  # shellcheck disable=SC2086
  signer "$signer" --policy accept.json --registries.d registries.d copy --dest-tls-verify=false $options dir:image "docker://$registry/$name:1"
  exits 0 "$kind: $signer signs"
  policy_for "$name" "$rule"
  rm -rf pulled
  signer "$verifier" --policy policy.json --registries.d registries.d copy --src-tls-verify=false "docker://$registry/$name:1" dir:pulled
  exits 0 "$kind: $verifier accepts what $signer signed"
  holds "$kind: with the signature" test -s pulled/signature-1
  signer "$verifier" --policy accept.json --registries.d registries.d copy --dest-tls-verify=false dir:pulled "docker://$registry/$name:2"
  exits 0 "$kind: $verifier pushes a signed image"
  signer "$signer" --policy policy.json --registries.d registries.d copy --src-tls-verify=false "docker://$registry/$name:2" dir:refused
  exits 1 "$kind: $signer refuses it under another tag"
  err_has 'Source image rejected: ' "$kind: by the policy"
}

echo '{"default": [{"type": "insecureAcceptAnything"}]}' >accept.json
number_of_peer=0
for peer in $peers; do
  number_of_peer=$((number_of_peer + 1))
  check_pair lade "$peer" "lade$number_of_peer" gpg
  check_pair "$peer" lade "peer$number_of_peer" gpg

  signer "$peer" standalone-sign image/manifest.json example.com/app:1 "$fingerprint" -o signature
  run standalone-verify image/manifest.json example.com/app:1 "$fingerprint" signature
  exits 0 "standalone: lade verifies $peer's signature"
  run standalone-sign image/manifest.json example.com/app:1 "$fingerprint" -o signature
  signer "$peer" standalone-verify image/manifest.json example.com/app:1 "$fingerprint" signature
  exits 0 "standalone: $peer verifies lade's signature"
  signer "$peer" untrusted-signature-dump-without-verification signature
  sed 's/Timestamp.*/Timestamp/' out >expected
  run untrusted-signature-dump-without-verification signature
  holds "standalone: both show the same of a signature" sh -c 'sed "s/Timestamp.*/Timestamp/" out | cmp - expected'

  # Debian 12's skopeo has the options, and is made to refuse them.
  "$peer" generate-sigstore-key --help 2>&1 | grep -q -- --output-prefix || continue
  signer_name=lade
  [ -f keys-lade.pub ] || $LADE generate-sigstore-key --output-prefix keys-lade --passphrase-file phrase >/dev/null
  check_pair lade "$peer" "sigstore-lade$number_of_peer" sigstore
  # lade's key file in the peer's hands, and the other way round
  check_pair "$peer" lade "sigstore-peer$number_of_peer" sigstore
  signer_name=peer$number_of_peer
  "$peer" generate-sigstore-key --output-prefix "keys-$signer_name" --passphrase-file phrase >/dev/null
  check_pair lade "$peer" "sigstore-key$number_of_peer" sigstore
done

if command -v podman >/dev/null && [ "$(id -u)" = 0 ] && [ -w /etc/containers ]; then
  policy_for lade1 "$gpg_rule"
  pod() { podman --root "$work/store" --runroot "$work/runroot" --storage-driver vfs "$@" >out 2>err; }
  # Its directory of registries.d is fixed: the user's, which is $HOME's.
  mkdir -p "$HOME/.config/containers/registries.d"
  cp registries.d/default.yaml "$HOME/.config/containers/registries.d/"
  holds "podman pulls what lade signed" pod pull --tls-verify=false --signature-policy policy.json "$registry/lade1:1"
  holds "and refuses it under another tag" sh -c "! podman --root '$work/store' --runroot '$work/runroot' --storage-driver vfs pull --tls-verify=false --signature-policy policy.json $registry/lade1:2 >out 2>err"
  policy_for peer1 "$gpg_rule"
  run --policy policy.json --registries.d registries.d copy --src-tls-verify=false "docker://$registry/peer1:1" \
    "containers-storage:[vfs@$work/store+$work/runroot]$registry/peer1:1"
  exits 0 "lade pulls what skopeo signed into podman's store"
  policy_for lade1 "{\"type\": \"reject\"}"
  run --policy policy.json copy --src-tls-verify=false "docker://$registry/lade1:1" dir:refused
  exits 1 "what the policy rejects is not pulled"
  podman --root "$work/store" --runroot "$work/runroot" --storage-driver vfs rmi -a -f >/dev/null 2>&1
fi
done_testing
