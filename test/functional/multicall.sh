#!/bin/sh
# The program answers to the name it is called by.
. "$(dirname "$0")/tap.sh"

program=${LADE%% *}
for name in skopeo podman apptainer; do ln -s "$program" "$name"; done
LADE=$program
run --version; out_has 'lade version ' "as lade it is lade"
run skopeo --version; holds "with skopeo's grammar it says so" grep -Eq '^skopeo version [0-9.]+' "$work/out"
run skopeo bogus; err_has 'Unrecognized command `skopeo bogus`' "and calls itself skopeo in messages"
run podman ps; exits 125 "not all of podman's commands are there yet"
err_has 'Error: podman ps is not available in lade yet' "and that is said"
run podman --version; holds "podman has a version" grep -Eq '^podman version [0-9.]+' "$work/out"
run buildah --version; holds "buildah too" grep -Eq '^buildah version [0-9.]+' "$work/out"
LADE=./skopeo
run --version; holds "a link named skopeo is skopeo" grep -Eq '^skopeo version [0-9.]+' "$work/out"
# Names of grammars that are not there yet: each says so, with the status its peer keeps for failures.
for pair in buildah:125 podman:125 apptainer:1 singularity:1 enroot:1; do
  name=${pair%:*}
  word=run; [ "$name" != buildah ] || word=build
  LADE=$program
  run "$name" "$word" x; exits "${pair#*:}" "lade $name fails"
  ln -sf "$program" "$name"
  LADE=./$name
  run "$word" x; exits "${pair#*:}" "a link named $name fails too"
  case $name in
    podman | buildah) err_has "Error: $name $word is not available in lade yet" "and says why" ;;
    *) err_has "the commands of $name are not available in lade yet" "and says why" ;;
  esac
done
LADE=$program
run runtime state x; exits 1 "lade runtime is an OCI runtime"; err_has 'container `x` does not exist' "and knows its containers"
ln -sf "$program" skopeo
python3 - "$work/port" "$work/agent" 2>/dev/null <<'EOF' &
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        open(sys.argv[2], "w").write(self.headers["User-Agent"])
        self.send_error(404)
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
server.timeout = 20
open(sys.argv[1], "w").write(str(server.server_port))
for _ in range(5):  # one of them is TLS
    if not os.path.exists(sys.argv[2]): server.handle_request()
EOF
server=$!
n=0; while [ ! -s port ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
LADE=./skopeo run inspect --no-tags --tls-verify=false "docker://127.0.0.1:$(cat port)/a:b"
holds "to registries a link named skopeo is skopeo" grep -q '^skopeo/[0-9.]* lade/' agent
small=$(dirname "$program")/runtime/lade-runtime
[ ! -x "$small" ] || holds "lade-runtime starts without OpenSSL and the codecs" sh -c "! ldd '$small' | grep -qE 'libcrypto|libzstd|httplib'"
ln -sf "$program" lade-runtime; LADE=./lade-runtime
run state x; err_has 'container `x` does not exist' "a link named lade-runtime is the same"
done_testing
