#!/bin/sh
# config show: which file and line, or key, decides what.
. "$(dirname "$0")/tap.sh"

conf=$HOME/.config/containers
mkdir -p "$conf/registries.d" "$conf/certs.d/quay.example"
cat >"$conf/registries.conf" <<TOML
# a comment
[[registry]]
prefix = "quay.example"
location = "real.example/quay"
[[registry.mirror]]
location = "mirror.example"
insecure = true

[[registry]]
location = "bad.example"
blocked = true
TOML
cat >"$conf/registries.d/a.yaml" <<YAML
docker:
  real.example:
    lookaside: https://signatures.example
    use-sigstore-attachments: true
YAML
cat >"$conf/policy.json" <<JSON
{"default": [{"type": "reject"}],
 "transports": {"docker": {"quay.example/ns": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}]}}}
JSON
echo '{"auths": {"real.example": {"auth": "bWU6dmVyeXNlY3JldA=="}}}' >"$conf/auth.json"

run config show quay.example/ns/app:1
exits 0 "it works without any network"
out_has "registries.conf: prefix \"quay.example\" ($conf/registries.conf:2)" "file and line of the entry"
out_has "pull from mirror: mirror.example/ns/app:1" "the mirror comes first"
out_has "pull from: real.example/quay/ns/app:1" "then the place behind the name"
out_has "push to: quay.example/ns/app:1" "pushes are not rewritten"
out_has "TLS: not verified, plain HTTP allowed" "the mirror is insecure"
out_has "certificates: $conf/certs.d/quay.example" "the directory of certificates"
out_has "credentials: $conf/auth.json" "where the credentials are"
holds "never what they are" sh -c '! grep -q verysecret out && ! grep -q bWU6 out'
out_has "lookaside: https://signatures.example ($conf/registries.d/a.yaml:3 docker.\"real.example\".lookaside)" "the lookaside"
out_has "policy: signedBy ($conf/policy.json transports.docker.\"quay.example/ns\")" "the policy's key"
run config show --json docker://quay.example/ns/app:1
holds "--json is JSON" python3 -c 'import json,sys; d=json.load(open("out")); assert d["pull"][0]["mirror"] and not d["push"]["mirror"]'
run config show bad.example/x; exits 0 "a blocked registry is no error here"
out_has "refused: registry bad.example is blocked" "it is shown"
run config show dir:/somewhere; out_has "policy: reject ($conf/policy.json default)" "other transports have a policy, too"
out_lacks 'pull from' "and nothing else"
rm "$conf/policy.json"
if [ ! -e /etc/containers/policy.json ] && [ ! -e /usr/share/containers/policy.json ]; then
  run config show dir:/somewhere; out_has "(built-in default policy)" "the built-in policy is named as such"
fi
printf 'docker:\n  x: {lookaside: a, lookasid: b}\n' >"$conf/registries.d/b.yaml"
run config show quay.example/x; exits 1 "broken configuration is an error"
err_has 'b.yaml:2: docker.x.lookasid: unknown key' "with file, line and key"
run config; exits 1 "config needs to know what to show"
done_testing
