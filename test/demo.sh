#!/bin/sh
# Builds lade on a fresh machine and shows its main job, with no internet: an image made from this machine's
# busybox goes through registries with credentials, an OCI layout and a docker-archive, verified at each step.
set -eu
cd "$(dirname "$0")/.."
. test/support/install.sh

install_packages build demo
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja -C build --quiet tools/lade
PATH=$PWD/build/tools:$PATH

work=$(mktemp -d)
servers=
finish() {
  [ -z "$servers" ] || kill $servers 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
show() { printf '\033[36m$ %s\033[0m\n' "$*"; "$@"; }

serve() { # name, further options of lade serve
  name=$1; shift
  lade serve --listen 127.0.0.1:0 "$@" "oci:$work/$name" >"$work/$name.address" 2>"$work/$name.log" &
  servers="$servers $!"
  for _ in $(seq 100); do
    grep -q 127.0.0.1 "$work/$name.address" 2>/dev/null && break
    sleep 0.05
  done
  address=$(grep -o '127\.0\.0\.1:[0-9]*' "$work/$name.address" | head -n 1)
}

say "An image made of files of this machine: busybox"
mkdir -p "$work/rootfs/bin"
cp "$(command -v busybox)" "$work/rootfs/bin/busybox"
ln -s busybox "$work/rootfs/bin/sh"
tar -C "$work/rootfs" -czf "$work/layer.tar.gz" .
show lade copy "tarball:$work/layer.tar.gz" "oci:$work/first:demo/busybox:1.0"

say "A registry on loopback, served from that layout"
serve first
first=$address
echo "lade serve listens on $first"
show lade list-tags --tls-verify=false "docker://$first/demo/busybox"

say "Inspected remotely: only the manifest and the config are read"
show lade inspect --tls-verify=false --size "docker://$first/demo/busybox:1.0"

say "From registry to registry, the second one behind a password"
password=$(openssl rand -hex 8)
htpasswd -Bbn demo "$password" >"$work/htpasswd"
serve second --htpasswd "$work/htpasswd"
second=$address
printf '%s' "$password" | lade login --tls-verify=false --authfile "$work/auth.json" \
  --username demo --password-stdin "$second"
show lade copy --src-tls-verify=false --dest-tls-verify=false --dest-authfile "$work/auth.json" \
  "docker://$first/demo/busybox:1.0" "docker://$second/mirror/busybox:1.0"

say "From the registry to an OCI layout, and from there to an archive that docker loads"
show lade copy --src-tls-verify=false --src-authfile "$work/auth.json" \
  "docker://$second/mirror/busybox:1.0" "oci:$work/layout:busybox"
show lade copy "oci:$work/layout:busybox" "docker-archive:$work/busybox.tar:demo/busybox:1.0"
tar -tf "$work/busybox.tar"

say "The same image at every stop: the digest of its configuration"
config_of() { lade inspect --raw "$@" | sed -n 's/.*"config":{[^}]*"digest":"\([^"]*\)".*/\1/p'; }
echo "registry:       $(config_of --tls-verify=false "docker://$first/demo/busybox:1.0")"
echo "OCI layout:     $(config_of "oci:$work/layout:busybox")"
echo "docker-archive: $(config_of "docker-archive:$work/busybox.tar")"
