#!/bin/sh
# zstd:chunked with others: what lade writes is pulled in parts by them, what they write by lade, in one store.
# PEERS: further programs with skopeo's command line, besides the one that is installed.
. "$(dirname "$0")/../functional/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
if [ -z "${LADE_OWN_MOUNTS:-}" ]; then
  unshare --mount true 2>/dev/null || { echo "1..0 # SKIP mount namespaces are not to be had"; exit 0; }
  # What the tools mount is gone with them.
  LADE_OWN_MOUNTS=1 exec unshare --mount --propagation private sh "$here/${0##*/}"
fi

# use NAME: an empty store of this name for all that follows.
use() {
  export CONTAINERS_STORAGE_CONF="$work/$1.conf"
  cat >"$CONTAINERS_STORAGE_CONF" <<CONF
[storage]
driver = "overlay"
graphroot = "$work/$1/root"
runroot = "$work/$1/run"
[storage.options.overlay]
skip_mount_home = "true"
[storage.options.pull_options]
enable_partial_images = "true"
CONF
  records=$work/$1/root/overlay-layers/layers.json
}
reference() { echo "docker://$registry/$1"; }
peer() {
  status=0
  "$peer" --debug --insecure-policy copy "$@" >"$work/out" 2>"$work/err" || status=$?
}
peer_pulls() { peer --src-tls-verify=false "$(reference "$1")" "containers-storage:localhost/app:${1##*:}"; }
lade_pulls() { run --debug copy --src-tls-verify=false "$(reference "$1")" "containers-storage:localhost/app:${1##*:}"; }
ids() { grep -o '"\(id\|diff-digest\|diff-size\)":[^,}]*' "$records" | sort; }
# The peer tells how much of the content it lacked, lade which part of the blob it fetches; in parts of 1000.
lacked() { sed -n 's/.*Missing \([0-9]*\) bytes out of \([0-9]*\).*/\1 \2/p' err | awk '{ printf "%d", 1000 * $1 / $2 }'; }
fetched() { sed -n 's/.*: \([0-9]*\) of \([0-9]*\) bytes are fetched.*/\1 \2/p' err | awk '{ printf "%d", 1000 * $1 / $2 }'; }
is_few() { [ -n "$1" ] && [ "$1" -le 100 ]; }

python3 - <<'PYTHON'
import os, random
for version in (1, 2):
    for number in range(200):
        folder = f"v{version}/usr/\u00e9 <&>/{number % 10}"
        os.makedirs(folder, exist_ok=True)
        source = random.Random(f"{number} {version if number % 40 == 0 else 1}")
        with open(f"{folder}/{number}", "wb") as file:
            file.write(source.randbytes(source.randrange(0, 20000)))
    with open(f"v{version}/large", "wb") as file:
        content = random.Random(7).randbytes(2_000_000)
        file.write(content if version == 1 else content[:900_000] + b"inserted" + content[900_000:])
        file.seek(200_000, 1)
        file.write(b"behind a hole")
        file.write(bytes(3000))
    os.setxattr(f"v{version}/large", "user.attribute", b"\x00\xff")
    os.symlink("x" * 300, f"v{version}/link")
    os.link(f"v{version}/large", f"v{version}/hard")
    os.mkfifo(f"v{version}/fifo")
    os.chmod(f"v{version}/usr", 0o1777)
    os.chown(f"v{version}/link", 70000, 3_000_000, follow_symlinks=False)
    open(f"v{version}/empty", "w").close()
PYTHON
serve oci:served
for version in 1 2; do
  for format in pax gnu; do
    options=
    [ $format = gnu ] || options="--xattrs --xattrs-include=user.*"
    # shellcheck disable=SC2086
    tar --format=$format $options --sort=name -cf $format-$version.tar -C v$version .
    run copy -q --format oci --dest-tls-verify=false --dest-compress-format zstd:chunked tarball:$format-$version.tar \
      "$(reference lade-$format:$version)"
    exits 0 "lade pushes version $version from a $format tar"
  done
done

for peer in skopeo ${PEERS-}; do
  command -v "$peer" >/dev/null || continue
  use "${peer##*/}-probe"
  peer_pulls lade-pax:1
  grep -q 'Created zstd:chunked differ' err || { echo "# $peer knows no zstd:chunked with a tar-split"; continue; }
  for format in pax gnu; do
    use "${peer##*/}-$format"
    peer_pulls "lade-$format:1"; exits 0 "$peer pulls what lade pushed from a $format tar"
    peer_pulls "lade-$format:2"; exits 0 "and version 2"
    holds "of which it lacked little: $(lacked)/1000" is_few "$(lacked)"
    ids >peer.ids
    use "lade-${peer##*/}-$format"
    lade_pulls "lade-$format:1"; lade_pulls "lade-$format:2"; ids >lade.ids
    holds "with the same IDs as lade's layers have" cmp peer.ids lade.ids
  done
  for version in 1 2; do
    run copy -q --format oci tarball:pax-$version.tar dir:plain-$version
    peer --format oci --dest-tls-verify=false --dest-compress-format zstd:chunked dir:plain-$version "$(reference "peer:$version")"
    exits 0 "$peer pushes version $version"
  done
  use "${peer##*/}-mixed"
  lade_pulls peer:1; exits 0 "lade pulls what it pushed"
  lade_pulls peer:2; holds "and version 2 in parts: $(fetched)/1000" is_few "$(fetched)"
  use "${peer##*/}-mixed-2"
  peer_pulls peer:1; lade_pulls lade-pax:2
  holds "of what $peer pulled, lade takes files: $(fetched)/1000" is_few "$(fetched)"
  use "${peer##*/}-mixed-3"
  lade_pulls lade-pax:1; peer_pulls peer:2
  holds "of what lade pulled, $peer takes files: $(lacked)/1000" is_few "$(lacked)"
  run copy -q "containers-storage:localhost/app:2" "dir:${peer##*/}-out"
  holds "which are the right ones" cmp "${peer##*/}-out/$(sha256sum pax-2.tar | cut -d ' ' -f 1)" pax-2.tar
  peer containers-storage:localhost/app:1 "dir:${peer##*/}-out-1"; exits 0 "$peer reads what lade pulled"
  holds "whole" cmp "${peer##*/}-out-1/$(sha256sum pax-1.tar | cut -d ' ' -f 1)" pax-1.tar
done
done_testing
