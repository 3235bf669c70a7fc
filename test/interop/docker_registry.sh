#!/bin/sh
# Against a real registry (docker-registry) with TLS and a password, and a plain one.
. "$(dirname "$0")/../functional/tap.sh"

for tool in docker-registry htpasswd openssl; do
  command -v $tool >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done

registries=
stop_registries() { [ -z "$registries" ] || kill $registries 2>/dev/null; clean_up; }
trap stop_registries EXIT

# start NAME EXTRA-CONFIGURATION: a registry on a free port; sets $address.
start() {
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  mkdir "$work/$1"
  cat >"$work/$1.yml" <<YML
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $work/$1}, delete: {enabled: true}}
http:
  addr: 127.0.0.1:$port
  secret: interop
$2
YML
  docker-registry serve "$work/$1.yml" >"$work/$1.log" 2>&1 &
  registries="$registries $!"
  address=localhost:$port
  for _ in $(seq 100); do
    python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null && return
    sleep 0.1
  done
  echo "Bail out! docker-registry did not start"
  exit 1
}

mkdir "$work/certs"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -keyout "$work/key.pem" -out "$work/certs/ca.crt" 2>/dev/null
htpasswd -Bbn testuser testpassword >"$work/htpasswd"
start plain ''
plain=$address
start secure "  tls: {certificate: $work/certs/ca.crt, key: $work/key.pem}
auth: {htpasswd: {realm: interop, path: $work/htpasswd}}"
secure=$address

make_image dir:image
config_of() { $LADE inspect --raw "$@" | sed -n 's/.*"config":{[^}]*"digest":"\([^"]*\)".*/\1/p'; }

run copy --dest-tls-verify=false dir:image "docker://$plain/a/app:1"
exits 0 "an image is pushed to a registry without TLS, when asked to"
original=$(config_of --tls-verify=false "docker://$plain/a/app:1")

run copy --src-tls-verify=false --dest-cert-dir="$work/certs" --dest-creds=testuser:testpassword \
  "docker://$plain/a/app:1" "docker://$secure/b/app:1"
exits 0 "it is copied from registry to registry, the second with TLS and a password"
run copy --src-tls-verify=false --dest-cert-dir="$work/certs" --dest-creds=testuser:wrong \
  "docker://$plain/a/app:1" "docker://$secure/b/app:2"
exits 1 "a wrong password is refused"
err_has 'authentication required' "and the registry's reason is told"
run inspect "docker://$secure/b/app:1"
exits 1 "an unknown certificate is refused"
err_has 'x509: certificate signed by unknown authority' "and named"
run inspect --cert-dir="$work/certs" --creds=testuser:testpassword "docker://$secure/b/none:1"
exits 2 "an image that is not there exits 2"
run inspect --cert-dir="$work/certs" --creds=testuser:testpassword "docker://$secure/b/app:1"
out_has '"RepoTags": [' "inspect works with TLS and a password"

# The long way round keeps the configuration.
run copy --src-cert-dir="$work/certs" --src-creds=testuser:testpassword "docker://$secure/b/app:1" oci:layout:app
exits 0 "registry to OCI layout"
run copy oci:layout:app docker-archive:app.tar:example.com/app:1; exits 0 "OCI layout to docker-archive"
run copy docker-archive:app.tar dir:folder; exits 0 "docker-archive to dir"
run copy dir:folder oci-archive:app.oci; exits 0 "dir to oci-archive"
run copy --dest-cert-dir="$work/certs" --dest-creds=testuser:testpassword oci-archive:app.oci "docker://$secure/c/app:1"
exits 0 "oci-archive to registry"
echo "$original" >out
out_is "$(config_of --cert-dir="$work/certs" --creds=testuser:testpassword "docker://$secure/c/app:1")" \
  "after the round trip the config has the digest it began with"

# It knows no referrers: clients keep a list of them under a tag.
run copy --quiet dir:image oci:referred:app
subject=$(sed -n 's/.*"digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' referred/index.json)
sbom=$(add_referrer referred app sbom)
second=$(add_referrer referred app second)
run copy --with-referrers --dest-tls-verify=false oci:referred:app "docker://$plain/r/app:1"
exits 0 "an image is pushed with what refers to it"
run inspect --tls-verify=false --raw "docker://$plain/r/app:sha256-${subject#sha256:}"
out_has "$sbom" "the list of referrers has the first"
out_has "$second" "and the second"
out_has '"artifactType":"application/vnd.example.sbom"' "with their types"
run copy --with-referrers --src-tls-verify=false --dest-cert-dir="$work/certs" --dest-creds=testuser:testpassword \
  "docker://$plain/r/app:1" "docker://$secure/r/app:1"
exits 0 "the list is used by a copy to another registry"
run inspect --raw --cert-dir="$work/certs" --creds=testuser:testpassword "docker://$secure/r/app@$sbom"
out_has '"artifactType": "application/vnd.example.sbom"' "which then has the artifact"

run login --cert-dir="$work/certs" -u testuser -p testpassword "$secure"; exits 0 "login is accepted"
run list-tags --cert-dir="$work/certs" "docker://$secure/b/app"; out_has '"1"' "and used afterwards"
run delete --cert-dir="$work/certs" "docker://$secure/b/app:1"; exits 0 "an image is deleted"
run inspect --cert-dir="$work/certs" "docker://$secure/b/app:1"; exits 2 "and gone"
done_testing
