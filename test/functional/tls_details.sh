#!/bin/sh
# --tls-details decides what TLS speaks with a server that is there.
. "$(dirname "$0")/tap.sh"
command -v python3 >/dev/null && command -v openssl >/dev/null || { echo "1..0 # SKIP python3 and openssl are needed"; exit 0; }

openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.crt -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -days 2 2>/dev/null
mkdir certs && cp ca.crt certs/
cat >server.py <<'PYTHON'
import http.server, ssl
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(418)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("ca.crt", "key.pem")
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384")
context.set_ecdh_curve("prime256v1")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python3 server.py >port 2>/dev/null &
server=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
port=$(cat port)
details() { printf '%b' "$1" >details.yaml; run --tls-details details.yaml inspect --cert-dir certs "docker://localhost:$port/app"; }

details ''
err_has '418' "an empty file changes nothing: the server is reached"
details 'minVersion: "1.2"\ncipherSuites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\nnamedGroups: [secp256r1]\n'
err_has '418' "what the server speaks is allowed"
for refused in 'minVersion: "1.3"' 'cipherSuites: [TLS_AES_128_GCM_SHA256]' \
  'cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]' 'namedGroups: [secp384r1]'; do
  details "$refused\n"
  exits 1 "$refused: nothing in common with the server"
  err_has 'tls: ' "$refused: why"
  holds "$refused: no request reached it" sh -c '! grep -q 418 err'
done
details 'minVersion: "9"\n'
err_has 'details.yaml' "a version that is none is told with its file"
details 'cipherSuites: [TLS_ROT13]\n'
err_has 'unrecognized TLS cipher suite \"TLS_ROT13' "so is a cipher suite"
details 'speed: fast\n'
err_has 'speed: unknown key' "and an unknown key"
# The URL of a blob that a layout does not hold itself.
make_image oci:layout:1
python3 - "$port" <<'PYTHON'
import hashlib, json, sys
index = json.load(open("layout/index.json"))
entry = index["manifests"][0]
manifest = json.load(open("layout/blobs/sha256/" + entry["digest"][7:]))
manifest["config"].update(digest="sha256:" + "a" * 64, urls=["https://localhost:%s/config" % sys.argv[1]])
data = json.dumps(manifest).encode()
entry["digest"], entry["size"] = "sha256:" + hashlib.sha256(data).hexdigest(), len(data)
open("layout/blobs/sha256/" + entry["digest"][7:], "wb").write(data)
json.dump(index, open("layout/index.json", "w"))
PYTHON
for version in 1.2 1.3; do
  printf 'minVersion: "%s"\n' $version >details.yaml
  status=0
  SSL_CERT_FILE=$work/ca.crt $LADE --tls-details details.yaml inspect oci:layout:1 >out 2>err || status=$?
  case $version in
    1.2) err_has '418' "blobs elsewhere are fetched with the details" ;;
    1.3) err_has 'tls: ' "and not without them" ;;
  esac
done

status=0
SSL_CERT_FILE=$work/ca.crt $LADE inspect "docker://localhost:$port/app" >out 2>err || status=$?
err_has '418' "the authorities of SSL_CERT_FILE are trusted"
SSL_CERT_DIR=$work/certs $LADE inspect "docker://localhost:$port/app" >out 2>err || status=$?
err_has '418' "and those of SSL_CERT_DIR"
run --tls-details missing.yaml inspect dir:x
err_has 'missing.yaml' "a file that is not there is not the same as none"
done_testing
