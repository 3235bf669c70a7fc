#!/bin/sh
# Simple signing: GnuPG keys made on the fly, signatures in files and in a lookaside, and the policy that wants them.
. "$(dirname "$0")/tap.sh"

command -v gpg >/dev/null || { echo "1..0 # SKIP gpg is not installed"; exit 0; }
# Short: the agent's socket is in it.
GNUPGHOME=$(mktemp -d /tmp/gpg.XXXXXX)
export GNUPGHOME
end_gpg() { gpgconf --kill all >/dev/null 2>&1; rm -rf "$GNUPGHOME"; clean_up; }
trap end_gpg EXIT
make_key() { # NAME PASSPHRASE EXPIRY
  gpg --batch --quiet --pinentry-mode loopback --passphrase "$2" --quick-gen-key "$1@example.com" ed25519 sign "$3" 2>/dev/null
  gpg --export "$1@example.com" >"$1.gpg"
}
make_key alice secret never && make_key bob '' never || { echo "1..0 # SKIP gpg cannot make keys here"; exit 0; }
fingerprint() { gpg --with-colons --list-keys "$1@example.com" | awk -F: '$1 == "fpr" { print $10; exit }'; }
printf 'secret\nnothing\n' >phrase
echo guess >wrong
forget() { gpgconf --kill gpg-agent; }

run standalone-sign /dev/null busybox bob@example.com -o /dev/null
case $(cat err) in *'signing is not supported'*) echo "1..0 # SKIP built without gpgme"; exit 0 ;; esac

make_image dir:plain
gzip -n layer.tar
$LADE copy --quiet tarball:layer.tar.gz dir:image
name=registry.example.com/app:1
run standalone-sign image/manifest.json $name alice@example.com -o signature --passphrase-file wrong
exits 1 "a wrong passphrase signs nothing"
err_has 'Bad passphrase' "and says so"
run standalone-sign image/manifest.json $name alice@example.com -o signature --passphrase-file phrase
exits 0 "a manifest is signed"; silent out "without words"
alice=$(fingerprint alice) bob=$(fingerprint bob)
digest=$($LADE manifest-digest image/manifest.json)
run standalone-verify image/manifest.json $name "$alice" signature
out_is "Signature verified using fingerprint $alice, digest $digest" "and verified"
run standalone-verify image/manifest.json $name "$bob,$alice" signature; exits 0 "by one of several keys"
run standalone-verify image/manifest.json $name "$bob" signature; exits 1 "another key is refused"
run standalone-verify image/manifest.json registry.example.com/app:2 "$alice" signature; exits 1 "so is another name"
err_has 'does not match' "which is said"
run standalone-verify err $name "$alice" signature; exits 1 "and another manifest"
run standalone-verify image/manifest.json $name any signature
err_has 'Cannot use any fingerprint without a public key file' "any key is none"
run standalone-verify --public-key-file alice.gpg image/manifest.json $name any signature; exits 0 "any key of a file will do"
run standalone-verify --public-key-file bob.gpg image/manifest.json $name any signature; exits 1 "of another file not"
err_has 'Invalid GPG signature' "since the key is missing"
run untrusted-signature-dump-without-verification signature
out_has "\"UntrustedDockerReference\": \"$name\"" "an unverified signature can be looked at"

cat >policy.json <<JSON
{"default": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "$work/alice.gpg",
  "signedIdentity": {"type": "exactReference", "dockerReference": "$name"}}]}
JSON
copy_it() { rm -rf copy; run --policy policy.json copy dir:image dir:copy; }
copy_it; exits 1 "an unsigned image is refused"
err_has 'Source image rejected: A signature was required, but no signature exists' "which is said"
holds "and nothing is written" test ! -e copy/manifest.json
cp signature image/signature-1; copy_it; exits 0 "a signed one is accepted"
head -c 100 signature >image/signature-1; copy_it; exits 1 "a truncated signature is refused"
echo '{}' | gpg --batch --quiet --pinentry-mode loopback --passphrase-file phrase -u alice@example.com --sign >image/signature-1 2>/dev/null
copy_it; exits 1 "a good signature of something else is refused"; err_has 'Key \"critical\" missing' "which is said"
$LADE standalone-sign image/manifest.json $name bob@example.com -o image/signature-1
copy_it; exits 1 "another's signature is refused"; err_has 'Source image rejected: Invalid GPG signature' "which is said"
cp signature image/signature-2; copy_it; exits 0 "one good signature among others is enough"
rm image/signature-2
$LADE standalone-sign image/manifest.json registry.example.com/app:0 alice@example.com --passphrase-file phrase -o image/signature-1
copy_it; exits 1 "a replayed signature of another name is refused"
make_image dir:another
cp signature another/signature-1
run --policy policy.json copy dir:another dir:copy; exits 1 "another image's signature is refused"
err_has "Signature for digest $digest does not match" "which is said"
gpg --batch --quiet --pinentry-mode loopback --passphrase '' --faked-system-time 20200101T000000! --quick-gen-key old@example.com ed25519 sign 1d 2>/dev/null
gpg --export old@example.com >old.gpg
printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"atomic container signature"},"optional":{}}' $name "$digest" >plain.json
head -c 100000000 /dev/zero | gpg --batch --quiet --pinentry-mode loopback --passphrase '' -u bob@example.com --compress-algo zlib --sign >image/signature-1
cp signature image/signature-2; copy_it; exits 0 "a compressed flood stops nobody"
rm image/signature-2; copy_it; err_has 'Invalid GPG signature: its content is too long' "and is refused"
gpg --batch --quiet --pinentry-mode loopback --passphrase '' -u old@example.com --faked-system-time 20200101T010000! --sign -o image/signature-1 --yes <plain.json 2>/dev/null
sed -i "s,alice.gpg,old.gpg," policy.json
copy_it; exits 1 "the signature of a key that has expired is refused"
err_has 'Invalid GPG signature: Key expired' "which is said"
echo '{"default": [' >broken.json
run --policy broken.json copy dir:image dir:copy; exits 1 "a broken policy accepts nothing"
run --policy nowhere.json copy dir:image dir:copy; exits 1 "nor does one that is not there"
rm image/signature-1

# In a registry, with a lookaside.
serve oci:store
mkdir registries.d
printf 'default-docker:\n  lookaside: file://%s/lookaside\n' "$work" >registries.d/here.yaml
cat >policy.json <<JSON
{"default": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "$work/alice.gpg"}]}
JSON
forget
run --registries.d registries.d copy --dest-tls-verify=false --sign-by alice@example.com --sign-passphrase-file phrase dir:image "docker://$registry/a/b:1"
exits 0 "an image is signed on its way"
out_has 'Creating signature: Signing image using simple signing' "which is shown"
holds "its signature is in the lookaside" test -s "lookaside/a/b@sha256=${digest#sha256:}/signature-1"
pull() { run --policy policy.json --registries.d registries.d copy --src-tls-verify=false "docker://$registry/$1" dir:pulled; }
pull a/b:1; exits 0 "the policy accepts it"
holds "the signature comes along" cmp pulled/signature-1 "lookaside/a/b@sha256=${digest#sha256:}/signature-1"
pull "a/b@$digest"; exits 0 "by its digest as well"
run --registries.d registries.d copy --dest-tls-verify=false dir:pulled "docker://$registry/a/c:1"
pull a/c:1; exits 1 "under another name it is refused"
err_has "Signature for identity \\\"$registry/a/b:1\\\" is not accepted" "which is said"
run --registries.d registries.d --policy policy.json --require-signed copy --src-tls-verify=false --remove-signatures "docker://$registry/a/b:1" dir:without
exits 0 "--remove-signatures does not keep them from being verified"
holds "and leaves them behind" test ! -e without/signature-1
sed -i "s,file://,https://example.invalid," registries.d/here.yaml
forget
run --registries.d registries.d copy --dest-tls-verify=false --sign-by bob@example.com dir:image "docker://$registry/a/b:2"
err_has 'Configure a lookaside-staging: location' "a web server is no place to write to"
done_testing
