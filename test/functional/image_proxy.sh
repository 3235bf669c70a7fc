#!/bin/sh
# The protocol that bootc and ostree speak, over a registry and a layout.
. "$(dirname "$0")/tap.sh"
command -v python3 >/dev/null || { echo "1..0 # SKIP python3 is not installed"; exit 0; }
export LADE

make_image oci:layout:1
serve oci:served
run copy --dest-tls-verify=false oci:layout:1 "docker://$registry/app:1"
mkdir -p "$HOME/.config/containers/registries.conf.d"
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$registry" >"$HOME/.config/containers/registries.conf.d/test.conf"
echo '{"default":[{"type":"reject"}]}' >reject.json
client() {
  status=0
  python3 "$here/image_proxy.py" "$@" >out 2>err || status=$?
  exits 0 "$1 is read"
  holds "$1: every answer is the expected one" sh -c '! grep "^not ok" out && grep -q "^1\.\." out'
}
client oci:layout:1 oci:layout:2 reject.json
client "docker://$registry/app:1" "docker://$registry/app:2" reject.json

run experimental-image-proxy extra
exits 1 "arguments are refused"
run experimental-image-proxy --sockfd 0
exits 1 "standard input that is no socket is refused"
err_has 'socket' "and the reason told"
done_testing
