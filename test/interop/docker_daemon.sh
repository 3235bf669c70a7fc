#!/bin/sh
# docker-daemon: on the API that podman's service speaks, beside skopeo.
. "$(dirname "$0")/../functional/tap.sh"

for tool in podman skopeo openssl python3; do
  command -v $tool >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done
[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
if [ -z "${LADE_OWN_MOUNTS:-}" ]; then
  unshare --mount true 2>/dev/null || { echo "1..0 # SKIP mount namespaces are not to be had"; exit 0; }
  # What the tools mount is gone with them.
  LADE_OWN_MOUNTS=1 exec unshare --mount --propagation private sh "$here/${0##*/}"
fi

service= proxies=
stop_all() {
  # shellcheck disable=SC2086
  [ -z "$service$proxies" ] || kill $service $proxies 2>/dev/null
  wait 2>/dev/null
  clean_up
}
trap stop_all EXIT
status=-
skopeo() { command skopeo --insecure-policy "$@" >"$work/out" 2>"$work/err"; }
wait_for() {
  for _ in $(seq 100); do
    "$@" 2>/dev/null && return
    sleep 0.1
  done
  echo "Bail out! nothing listens: $*"
  exit 1
}

podman --root "$work/root" --runroot "$work/run" --storage-driver vfs --cgroup-manager cgroupfs --events-backend none \
  system service --time=0 "unix://$work/docker.sock" >"$work/service.log" 2>&1 &
service=$!
wait_for test -S docker.sock
host=unix://$work/docker.sock
name=example.com/group/app
daemon=docker-daemon:$name
store="containers-storage:[vfs@$work/root+$work/run]"

make_image oci:image:1

run copy --dest-daemon-host "$host" oci:image:1 "$daemon:1"
exits 0 "an image is copied into a daemon"
run copy --quiet --src-daemon-host "$host" "$daemon:1" dir:ours
exits 0 "and out of it again"
skopeo copy --src-daemon-host "$host" "$daemon:1" dir:theirs
holds "as skopeo copies it" cmp ours/manifest.json theirs/manifest.json
holds "with all of its blobs" diff -r ours theirs
skopeo copy --dest-daemon-host "$host" oci:image:1 "$daemon:2"
run inspect --raw --daemon-host "$host" "$daemon:2"
exits 0 "an image that skopeo put there is read"
holds "and is the same" cmp out ours/manifest.json
run inspect --daemon-host "$host" "$daemon:1"
out_has '"Name": "example.com/group/app"' "inspect knows its name"
sed '/"Created"/d;/"LayersData"/,/\],$/d' out >mine
skopeo inspect --daemon-host "$host" "$daemon:1"
sed '/"Created"/d;/"LayersData"/,/\],$/d' out >skopeos
holds "and tells what skopeo tells" cmp mine skopeos
id=$($LADE inspect --raw "dir:ours" | sed -n 's/.*"config":{[^}]*"digest":"\([^"]*\)".*/\1/p')
run inspect --daemon-host "$host" "docker-daemon:$id"
exits 0 "an image is found by its ID"

run copy --quiet --src-daemon-host "$host" "$daemon:1" "$store$name:from-daemon"
exits 0 "an image goes from the daemon into a store"
run copy --quiet --dest-daemon-host "$host" "$store$name:from-daemon" "$daemon:3"
exits 0 "and from the store into the daemon"
run inspect --raw --daemon-host "$host" "$daemon:3"
holds "unchanged" cmp out ours/manifest.json
run copy --quiet --dest-daemon-host "$host" docker-archive:/dev/null "$daemon:4"
exits 1 "a source that is none is told"
run inspect --daemon-host "$host" "$daemon:4"
exits 1 "and nothing got into the daemon"

for arguments in "inspect $daemon:1" "inspect --daemon-host=unix:///nonexistent $daemon:1" \
  "inspect --daemon-host=tcp://127.0.0.1:1 $daemon:1" "inspect --daemon-host=tcp://127.0.0.1:1 --cert-dir=/nonexistent $daemon:1" \
  "inspect --daemon-host=bogus $daemon:1" "inspect docker-daemon:app" "inspect docker-daemon:sha256:abc" \
  "inspect docker-daemon:a:b@$id" "delete --daemon-host=$host $daemon:1" \
  "copy --dest-daemon-host=$host oci:image:1 $daemon@$id" "copy --dest-daemon-host=$host oci:image:1 docker-daemon:$id"; do
  # shellcheck disable=SC2086
  skopeo $arguments
  reason=$(tail -n 1 err | sed 's/.*msg="//; s/"$//; s/^Error parsing image name [^ ]* //; s/\\"/"/g')
  # shellcheck disable=SC2086
  run $arguments
  exits 1 "$arguments fails"
  sed 's/\\"/"/g' err >err.plain
  grep -qF -- "$reason" err.plain; ok $? "as skopeo does: $reason"
done
run inspect --daemon-host "$host" docker-daemon:nothing:1
err_has "Error response from daemon: " "what is not there is what the daemon says"
err_has "image not known" "with its reason"

# Through TLS, where the client must have a certificate.
mkdir certs
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca -keyout ca.key \
  -out certs/ca.pem 2>/dev/null
for who in server client; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$who" -keyout "$who.key" -out "$who.csr" 2>/dev/null
  echo "subjectAltName=IP:127.0.0.1" >san
  openssl x509 -req -in "$who.csr" -CA certs/ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out "$who.pem" 2>/dev/null
done
cp client.pem certs/cert.pem && cp client.key certs/key.pem
cat >proxy.py <<'PYTHON'
import socket, ssl, sys, threading
path, tls = sys.argv[1], len(sys.argv) > 2
listener = socket.create_server(("127.0.0.1", 0))
if tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("server.pem", "server.key")
    context.load_verify_locations("certs/ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass
def serve(connection):
    try:
        if tls:
            connection = context.wrap_socket(connection, server_side=True)
    except (ssl.SSLError, OSError):
        return
    upstream = socket.socket(socket.AF_UNIX)
    upstream.connect(path)
    threading.Thread(target=pump, args=(upstream, connection), daemon=True).start()
    pump(connection, upstream)
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
PYTHON
python3 proxy.py "$work/docker.sock" tls >tls.port 2>/dev/null &
proxies=$!
python3 proxy.py "$work/docker.sock" >plain.port 2>/dev/null &
proxies="$proxies $!"
wait_for test -s tls.port
wait_for test -s plain.port
tls=tcp://127.0.0.1:$(cat tls.port) plain=http://127.0.0.1:$(cat plain.port)

run inspect --daemon-host "$plain" "$daemon:1"; exits 0 "a daemon is reached over TCP"
run inspect --daemon-host "$tls" --cert-dir certs "$daemon:1"; exits 0 "and with TLS and a client certificate"
run copy --quiet --dest-daemon-host "$tls" --dest-cert-dir certs oci:image:1 "$daemon:tls"
exits 0 "it is copied to that way"
run copy --quiet --src-daemon-host "$tls" --src-cert-dir certs "$daemon:tls" dir:tls
exits 0 "and from"
holds "unchanged" cmp tls/manifest.json ours/manifest.json
run inspect --daemon-host "$tls" "$daemon:1"; exits 1 "not without certificates"
err_has "certificate" "and the reason is told"
run inspect --daemon-host "$tls" --tls-verify=false "$daemon:1"; exits 1 "even if the server's is not verified"
run inspect --daemon-host "$plain" --tls-verify=false "$daemon:1"; exits 0 "which does not matter to plain HTTP"

# The grammars of podman and buildah know one daemon only, docker's own.
unshare --mount --propagation private sh -c "mkdir -p /run && mount -t tmpfs none /run && mkdir -p '$work/private' &&
  ln -s '$work/docker.sock' /run/docker.sock &&
  $LADE podman --root '$work/private/root' --runroot '$work/private/run' --storage-driver vfs pull -q '$daemon:1' &&
  $LADE podman --root '$work/private/root' --runroot '$work/private/run' --storage-driver vfs image exists '$name:1' &&
  $LADE buildah --root '$work/private/root' --runroot '$work/private/run' --storage-driver vfs pull -q 'docker-daemon:$id' &&
  $LADE podman --root '$work/private/root' --runroot '$work/private/run' --storage-driver vfs push -q '$name:1' '$daemon:pushed'" \
  >out 2>err </dev/null
status=$?
exits 0 "podman pull, buildah pull and podman push know docker-daemon:"
out_has "${id#sha256:}" "and print the image's ID"
run inspect --raw --daemon-host "$host" "$daemon:pushed"
holds "what was pushed is the same image" cmp out ours/manifest.json
done_testing
