#!/bin/sh
# What podman and buildah tell of themselves, the machine and the disk; searching registries.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
root=$work/root runroot=$work/runroot
podman() { run podman --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }
buildah() { run buildah --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }

mkdir -p files; echo hello >files/motd
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf files.tar -C files .
podman import --quiet files.tar app:1

podman info; exits 0 "info tells facts"
holds "of the store, with the file that says where it is" sh -c 'grep -A 2 "^store:" out | grep -q "configFile: ."'
out_has "  graphRoot: $root" "with its directory"; out_has '  graphDriverName: vfs' "and driver"
holds "and the number of images" sh -c 'grep -A 1 imageStore out | grep -q "number: 1"'
out_has 'host:' "and of the machine"; out_has "  kernel: $(uname -r)" "with its kernel"
podman info --format json; holds "JSON too" python3 -c 'import json; d = json.load(open("out")); assert d["store"]["imageStore"]["number"] == 1 and d["host"]["cpus"] > 0'
podman info --format '{{.Store.GraphRoot}} {{.Host.Security.Rootless}} {{.Host.OS}}'; out_is "$root false linux" "templates choose"
podman info --format '{{.Nosuch}}'; exits 125 "fields that are not there are mistakes"
podman system info --format '{{.Store.GraphDriverName}}'; out_is vfs "system info is the same"

podman version; holds "version has podman's table" grep -Eqx 'Client: +Podman Engine' out
holds "with a version" grep -Eqx 'Version: +[1-9][0-9.]+' out; out_has 'Build Origin:  lade ' "and lade's"
podman version --format '{{.Client.Version}}'; version=$(cat out)
podman version --format '{{.Version}}'; out_is "$version" "old templates work"
podman version --format '{{.Server.Version}}'; out_is "$version" "those for servers too"
podman version --format json; out_has "\"Version\":\"$version\"" "and JSON"
buildah version; holds "buildah has its own" grep -Eqx 'Version: +[1-9][0-9.]+' out
buildah version --json; out_has '"buildPlatform": "linux/' "also in JSON"
buildah info; out_has "\"GraphRoot\": \"$root\"" "buildah info has the store"
buildah info --format '{{.store.GraphDriverName}}'; out_is vfs "and templates"
buildah info --debug; out_has '"lade version"' "and more with --debug"

podman tag app:1 app:2
podman system df; exits 0 "the disk's use is told"
holds "of images, one row a name" grep -Eq '^Images +2 +0 +1[0-9.]+kB +1[0-9.]+kB \(100%\)$' out
holds "of containers" grep -Eq '^Containers +0 +0 +0B +0B \(0%\)$' out
podman system df --format '{{.Type}}: {{.Total}}'; out_has 'Local Volumes: 0' "templates choose"
podman system df --format json; out_has '"RawSize":' "JSON has bytes"
podman system df --verbose; out_has 'UNIQUE SIZE' "each image has its row"
podman system df -v --format x; err_has 'cannot combine --format and --verbose flags' "not both"

buildah inspect --type image app:1; out_has '"FromImage": "localhost/app:' "buildah inspects images"
buildah inspect --format '{{.OCIv1.OS}} {{.Docker.Architecture}} {{len .History}}' app:1
out_has "linux $(uname -m | sed 's/x86_64/amd64/;s/aarch64/arm64/') 1" "with templates"
buildah inspect --format x app:1; err_has 'invalid format provided: x' "a template has braces"
buildah inspect nosuch; err_has 'Error: importing settings: nosuch: image not known' "what is not there is named"
buildah inspect; err_has 'container or image name must be specified' "something must be named"
buildah inspect --type x app:1; err_has 'the only recognized types are "container" and "image"' "types are known"

make_image oci:served:tool
serve oci:served
for name in tool/one tool/two other; do
  run copy --quiet --dest-tls-verify=false oci:served:tool "docker://$registry/$name:1"
done
podman search --tls-verify=false "$registry/tool"; exits 0 "a registry is searched"
holds "by its catalog" grep -Eq "^$registry/tool/one *\$" out; out_lacks other "for a part of the name"
podman search --tls-verify=false --limit 1 --format '{{.Name}}' "$registry/"; holds "with a limit" test "$(wc -l <out)" -eq 1
podman search --tls-verify=false --list-tags --format '{{.Name}}:{{.Tag}}' "$registry/tool/one"; out_is "$registry/tool/one:1" "its tags can be listed"
podman search --tls-verify=false --list-tags --format json "$registry/tool/one"; out_has '"Tags": [' "also as JSON"
podman search --tls-verify=false --compatible "$registry/tool"; out_has 'STARS' "with Docker's columns"
podman search --tls-verify=false --filter stars=3 --format '{{.Name}}' "$registry/tool"; silent out "stars are counted"
podman search --list-tags --filter stars=3 x; err_has 'filters are not applicable to list tags result' "tags have none"
podman search --filter x=1 y/z; err_has 'invalid filter type "x=1"' "filters are known"
podman search nosuchregistry.invalid/x; exits 125 "a registry that is not there"; err_has "couldn't search registry \"nosuchregistry.invalid\"" "is named"
podman search word; exits 0 "without registries"; silent out "nothing is found"

buildah prune; exits 0 "prune removes"; silent out "nothing that has a name"
podman untag app:1; buildah prune; holds "and what has none" grep -Eqx '[0-9a-f]{64}' out
done_testing
