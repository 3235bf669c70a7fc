#!/bin/sh
# Options of copy that exclude each other, or that are not what they should be.
. "$(dirname "$0")/tap.sh"

make_image dir:image
refuses() { run copy "$@" dir:image dir:copy; }

refuses --all --multi-arch=system; err_has 'msg="Cannot use --all and --multi-arch flags together"' "--all and --multi-arch"
refuses --multi-arch=x
err_has "unknown multi-arch option \\\"x\\\". Choose one of the supported options: 'system', 'all', or 'index-only'" \
  "an unknown --multi-arch"
refuses --format=x
err_has "unknown format \\\"x\\\". Choose one of the supported formats: 'oci', 'v2s1', or 'v2s2'" "an unknown --format"
refuses --dest-compress-format=x; err_has 'cannot find compressor for \"x\"' "an unknown --dest-compress-format"
refuses --additional-tag=busybox; err_has "additional-tag 'busybox' must be a tagged reference" "a tag that is none"
refuses --dest-chunk-size=x; err_has 'invalid size' "a size that is none"
run --insecure-policy --require-signed copy dir:image dir:copy
err_has '--insecure-policy and --require-signed are mutually exclusive' "policies that exclude each other"
run --policy /nowhere copy dir:image dir:copy; exits 1 "a policy that is not there"
for pair in '--src-creds=a:b --src-no-creds|creds and no-creds cannot be specified at the same time' \
  '--src-username=a --src-no-creds|username and no-creds cannot be specified at the same time' \
  '--src-creds=a:b --src-username=a|creds and username cannot be specified at the same time' \
  '--src-username=a|password must be specified when username is specified' \
  '--src-password=a|username must be specified when password is specified' \
  "--src-creds=|credentials can't be empty" "--src-creds=:b|username can't be empty"; do
  # shellcheck disable=SC2086
  run copy ${pair%%|*} docker://localhost:1/a dir:copy
  err_has "${pair#*|}" "${pair%%|*}"
done
holds "nothing was copied" test ! -e copy/manifest.json

# A layer that would be compressed: only the digest of the result tells that the registry has it already. A
# registry that is read only shows what would have been sent.
serve oci:store
run copy --dest-tls-verify=false --quiet dir:image "docker://$registry/app:1"; exits 0 "an image is pushed"
stop_server() { kill "$server"; wait "$server" 2>/dev/null; server=; }
stop_server
serve --readonly oci:store
push() { run --tmpdir "$work" copy --dest-tls-verify=false "$@" dir:image "docker://$registry/app:1"; }
push --dest-precompute-digests
err_has 'uploading manifest' "with --dest-precompute-digests no blob is sent that is there already"
holds "and nothing stays in the folder for large files" test -z "$(find "$work" -maxdepth 1 -name 'lade*')"
stop_server

# A list of two platforms, of which one is copied.
run --override-arch amd64 copy --quiet tarball:layer.tar oci:list:amd64
echo other >files/etc/other
tar -cf other.tar -C files .
run copy --quiet tarball:other.tar oci:list:arm64
python3 - <<'PYTHON'
import hashlib, json, os
index = json.load(open("list/index.json"))
platforms = []
for entry in index["manifests"]:
    name = entry.pop("annotations")["org.opencontainers.image.ref.name"]
    platforms.append({**entry, "platform": {"os": "linux", "architecture": name}})
media_type = "application/vnd.oci.image.index.v1+json"
data = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": platforms}).encode()
digest = hashlib.sha256(data).hexdigest()
open("list/blobs/sha256/" + digest, "wb").write(data)
index["manifests"] = [{"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data),
                       "annotations": {"org.opencontainers.image.ref.name": "list"}}]
json.dump(index, open("list/index.json", "w"))
PYTHON
platforms() { run inspect --platforms "$1"; }
run copy --multi-arch linux/arm64 oci:list:list dir:sparse; exits 0 "one platform of a list is copied"
holds "the list keeps its bytes" grep -q '"architecture": "amd64"' sparse/manifest.json
run copy --multi-arch linux/arm64 --strip-removed-platforms oci:list:list oci:stripped:list
exits 0 "--strip-removed-platforms"
platforms oci:stripped:list
out_has 'linux/arm64' "keeps the platform that is copied"
out_lacks 'linux/amd64' "and leaves out the other"
run --override-arch arm64 copy oci:stripped:list dir:arm64; exits 0 "the result is whole"
run copy --multi-arch linux/arm64 --strip-removed-platforms --preserve-digests oci:list:list dir:kept
err_has 'Manifest list was edited, but we cannot modify it: \"Instructed to preserve digests\"' \
  "it cannot be had with --preserve-digests"
run copy --multi-arch linux/amd64,linux/arm64 --strip-removed-platforms --preserve-digests oci:list:list dir:kept
exits 0 "unless there is nothing to leave out"
run copy --multi-arch index-only --strip-removed-platforms oci:list:list dir:kept
err_has 'would create an empty image' "a list without any instance is refused"
done_testing
