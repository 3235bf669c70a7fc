# Helpers for functional tests in the Test Anything Protocol: sourced, with $LADE the program under test
# (a path, maybe with arguments). Each script runs in a folder of its own, which is removed at the end.
set -u
: "${LADE:?the program under test}"
here=$(cd "$(dirname "$0")" && pwd)
program=${LADE%% *}
case $program in */*) LADE=$(cd "$(dirname "$program")" && pwd)/${program##*/}${LADE#"$program"} ;; esac
work=$(mktemp -d)
server=
clean_up() { [ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"; }
trap clean_up EXIT
trap 'exit 1' INT TERM HUP
cd "$work" || exit 1
unset REGISTRY_AUTH_FILE DOCKER_CONFIG CONTAINERS_REGISTRIES_CONF CONTAINERS_POLICY_JSON NO_COLOR
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY no_proxy
export HOME="$work/home" XDG_RUNTIME_DIR="$work/run" XDG_CONFIG_HOME="$work/home/.config" TZ=UTC
mkdir -p "$HOME/.config/containers" "$XDG_RUNTIME_DIR"
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$HOME/.config/containers/policy.json"

number=0
failures=0

# ok STATUS SENTENCE
ok() {
  number=$((number + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $number - $2"
  else
    failures=$((failures + 1))
    echo "not ok $number - $2"
    sed 's/^/# out: /' "$work/out"
    sed 's/^/# err: /' "$work/err"
    echo "# status: $status"
  fi
}

# run ARGUMENT...: runs $LADE with them; leaves $status and the files out and err.
run() {
  status=0
  # shellcheck disable=SC2086
  $LADE "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

exits() { [ "$status" -eq "$1" ]; ok $? "$2"; }
out_has() { grep -qF -- "$1" "$work/out"; ok $? "$2"; }
err_has() { grep -qF -- "$1" "$work/err"; ok $? "$2"; }
out_lacks() { ! grep -qF -- "$1" "$work/out"; ok $? "$2"; }
# out_is TEXT SENTENCE: all of standard output, TEXT followed by one line end.
out_is() { printf '%s\n' "$1" | cmp -s - "$work/out"; ok $? "$2"; }
silent() { [ ! -s "$work/$1" ]; ok $? "$2"; }
holds() { sentence=$1; shift; "$@"; ok $? "$sentence"; }

# make_image NAME: an image of one small layer.
make_image() {
  mkdir -p files/etc
  echo "hello from $1" >files/etc/motd
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf layer.tar -C files .
  # shellcheck disable=SC2086
  $LADE copy --quiet tarball:layer.tar "$1" || { echo "Bail out! no image could be made"; exit 1; }
}

# add_referrer LAYOUT IMAGE NAME: an artifact called NAME that refers to IMAGE, both in the OCI layout; prints
# its digest.
add_referrer() {
  python3 - "$@" <<'PYTHON'
import hashlib, json, os, sys
layout, image, name = sys.argv[1:]
index_path = os.path.join(layout, "index.json")
index = json.load(open(index_path))
named = {entry["annotations"]["org.opencontainers.image.ref.name"]: entry for entry in index["manifests"]}
def add(media_type, data):
    digest = hashlib.sha256(data).hexdigest()
    open(os.path.join(layout, "blobs", "sha256", digest), "wb").write(data)
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}
subject = {key: named[image][key] for key in ("mediaType", "digest", "size")}
manifest_type = "application/vnd.oci.image.manifest.v1+json"
manifest = {"schemaVersion": 2, "mediaType": manifest_type, "artifactType": "application/vnd.example.sbom",
            "config": add("application/vnd.oci.empty.v1+json", b"{}"),
            "layers": [add("text/plain", ("what is in it: " + name).encode())],
            "subject": subject, "annotations": {"example.name": name}}
entry = add(manifest_type, json.dumps(manifest).encode())
entry["annotations"] = {"org.opencontainers.image.ref.name": name}
index["manifests"].append(entry)
json.dump(index, open(index_path, "w"))
print(entry["digest"])
PYTHON
}

# serve OPTION... oci:DIR: starts a registry on a free port of this machine; sets $server and $registry.
serve() {
  : >"$work/server.out"  # or the address of a registry before would be read
  # shellcheck disable=SC2086
  $LADE serve --listen 127.0.0.1:0 "$@" >"$work/server.out" 2>"$work/server.err" </dev/null &
  server=$!
  tries=0
  until registry=$(sed -n 's,.*://\(.*\),\1,p' "$work/server.out" | head -n 1) && [ -n "$registry" ]; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
      echo "Bail out! the registry did not start"
      sed 's/^/# /' "$work/server.err"
      exit 1
    fi
    sleep 0.1
  done
}

done_testing() {
  echo "1..$number"
  [ "$failures" -eq 0 ]
  exit $?
}
