#!/bin/sh
# zstd:chunked: of a second version of an image, only what has changed is fetched.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
support=$here/../support
proxy=
stop_proxy() { [ -z "$proxy" ] || { kill "$proxy"; wait "$proxy"; proxy=; } 2>/dev/null; }
trap 'stop_proxy; clean_up' EXIT

export CONTAINERS_STORAGE_CONF="$work/storage.conf"
allow_parts() { printf '[storage]\n[storage.options.pull_options]\nenable_partial_images = "%s"\n' "$1" >storage.conf; }
store() { echo "containers-storage:[overlay@$work/$1/root+$work/$1/run:overlay.skip_mount_home=true]localhost/app:$2"; }
ids() { grep -o '"\(id\|diff-digest\)":"[^"]*"' "$1/root/overlay-layers/layers.json"; }
# The same files with the same attributes, in the top layer of two stores.
same_trees() {
  for name in "$@"; do
    (cd "$name"/root/overlay/*/diff && find . -mindepth 1 -printf '%p %y %m %U %G %T@ %l %n\n' -type f -exec sha256sum {} + | sort) >"$name.tree"
  done
  cmp "$1.tree" "$2.tree"
}

# 400 files; of the second version, every twentieth is another one.
python3 - <<'PYTHON'
import os, random
for version in (1, 2):
    for number in range(400):
        folder = f"v{version}/usr/{number % 10}"
        os.makedirs(folder, exist_ok=True)
        source = random.Random(f"{number} {version if number % 20 == 0 else 1}")
        with open(f"{folder}/{number}", "wb") as file:
            file.write(source.randbytes(source.randrange(100, 20000)))
    with open(f"v{version}/usr/large", "wb") as file:
        content = random.Random(7).randbytes(2_000_000)
        file.write(content if version == 1 else content[:900_000] + b"inserted" + content[900_000:])
        file.seek(200_000, 1)
        file.write(b"behind a hole")
    os.symlink("large", f"v{version}/usr/link")
    os.link(f"v{version}/usr/large", f"v{version}/usr/hard")
PYTHON
serve oci:served
for version in 1 2; do
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf layer.tar -C v$version .
  run copy --quiet --dest-tls-verify=false --format oci --dest-compress-format zstd:chunked tarball:layer.tar \
    "docker://$registry/app:$version"
  exits 0 "version $version is pushed as zstd:chunked"
done
run inspect --raw --tls-verify=false "docker://$registry/app:2"; cp out manifest
out_has 'vnd.oci.image.layer.v1.tar+zstd' "which is zstd"
out_has 'io.github.containers.zstd-chunked.manifest-checksum":"sha256:' "with a table of contents"
out_has 'io.github.containers.zstd-chunked.manifest-position":"' "a place for it"
out_has 'io.github.containers.zstd-chunked.tarsplit-position":"' "and for the tar-split"
size=$(sed -n 's/.*tar+zstd","digest":"[^"]*","size":\([0-9]*\).*/\1/p' manifest)
run copy --quiet --dest-tls-verify=false --format oci --dest-compress-format zstd:chunked tarball:layer.tar \
  "docker://$registry/again:2"
run inspect --raw --tls-verify=false "docker://$registry/again:2"
holds "the same tar becomes the same blob" sh -c "grep -o 'zstd\",\"digest\":\"[^\"]*' manifest >a; grep -o 'zstd\",\"digest\":\"[^\"]*' out >b; cmp a b"
run copy --quiet --src-tls-verify=false --dest-compress-format gzip --dest-force-compress-format \
  "docker://$registry/app:2" oci:gzip:2
holds "another compression has no table of contents" sh -c '! grep -rqs zstd-chunked gzip/blobs'

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
python3 "$support/slow_proxy.py" "$port" "${registry##*:}" >>proxy.out 2>proxy.err &
proxy=$!
until python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; do
  kill -0 "$proxy" || { echo "Bail out! the proxy did not start"; exit 1; }
  sleep 0.05
done

# fetched NAME VERSION: pulls into the store NAME through a proxy that counts; sets $fetched.
fetched() {
  : >proxy.out
  run --debug copy --src-tls-verify=false "docker://127.0.0.1:$port/app:$2" "$(store "$1" "$2")"
  seen=-1  # a connection's line comes when the proxy has seen its end
  until [ -s proxy.out ] && [ "$seen" = "$(wc -l <proxy.out)" ]; do
    seen=$(wc -l <proxy.out)
    sleep 0.2
  done
  fetched=$(awk '{ sum += $6 } END { print sum }' proxy.out)
}

allow_parts true
fetched parts 1; exits 0 "version 1 is pulled by its table of contents"
err_has "bytes are fetched" "which the log tells"
fetched parts 2; exits 0 "and version 2"
echo "# $fetched bytes of a blob of $size"
holds "of which at most a tenth is fetched" [ "$fetched" -le $((size / 10)) ]
fetched parts 2; exits 0 "again"
holds "nothing but manifest and config is fetched" [ "$fetched" -le 5000 ]

allow_parts false
for version in 1 2; do fetched whole $version; done
exits 0 "storage.conf may not want that"
err_has "is pulled whole: enable_partial_images is not set" "which the log tells"
holds "the blob is fetched whole" [ "$fetched" -ge "$size" ]
ids parts >parts.ids; ids whole >whole.ids
holds "layers have the same IDs and diff IDs either way" cmp parts.ids whole.ids
mkdir second; for name in parts whole; do
  last=$(sed -n 's/"id":"\(.*\)"/\1/p' $name.ids | tail -n 1)
  mkdir -p "second/$name/root/overlay"; ln -s "$work/$name/root/overlay/$last" "second/$name/root/overlay/$last"
done
holds "and the same files" same_trees second/parts second/whole
run inspect "$(store parts 2)"; exits 0 "the image can be read"
run copy --quiet "$(store parts 2)" dir:back; exits 0 "its layer comes out"
holds "as the tar that went in" cmp back/"$(sha256sum layer.tar | cut -d ' ' -f 1)" layer.tar

# A file that was changed behind the store's back: its digest tells, and all is fetched.
allow_parts true
fetched broken 1
for file in broken/root/overlay/*/diff/usr/1/*; do printf X | dd of="$file" conv=notrunc 2>/dev/null; done
fetched broken 2; exits 0 "local files that have changed are not taken"
err_has "is pulled whole: " "and the log says so"
run copy --quiet "$(store broken 2)" dir:mended
holds "the layer is right" cmp mended/"$(sha256sum layer.tar | cut -d ' ' -f 1)" layer.tar
done_testing
