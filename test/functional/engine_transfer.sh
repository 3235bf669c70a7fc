#!/bin/sh
# podman's and buildah's pull, push, inspect and history.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
root=$work/root runroot=$work/runroot
podman() { run podman --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }
buildah() { run buildah --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }

make_image oci:served:app
serve oci:served
reference=$registry/app:1
run copy --quiet --dest-tls-verify=false oci:served:app "docker://$reference"; exits 0 "a registry has an image"

podman pull --tls-verify=false "$reference"; exits 0 "it is pulled"
holds "standard output is its ID" grep -Eqx '[0-9a-f]{64}' out; id=$(cat out)
err_has "Trying to pull $reference..." "what is tried is told"
err_has "Copying blob sha256:" "and what is copied"
podman pull --quiet --tls-verify=false "docker://$reference"; out_is "$id" "with its transport it is the same"
silent err "quietly without words"
podman pull --tls-verify=false "$registry/app:nosuch"; exits 125 "what the registry lacks"; err_has "nosuch" "is named"
podman pull --policy never nosuch; exits 125 "never pulling"; err_has 'Error: nosuch: image not known' "finds what is here only"
podman pull --policy never "$reference"; out_is "$id" "which it does"
podman pull --policy missing "$reference"; out_is "$id" "missing ones only"; silent err "needs no registry"
podman pull --policy newer --tls-verify=false "$reference"; out_is "$id" "newer ones only"
silent err "compares without copying"
run copy --quiet --dest-tls-verify=false oci:served:app "docker://$registry/app:2"
podman pull --policy missing --tls-verify=false "$registry/app:2"; out_is "$id" "what is missing is pulled"
cp "$HOME/.config/containers/policy.json" policy.json
echo '{"default": [{"type": "reject"}]}' >"$HOME/.config/containers/policy.json"
podman pull --tls-verify=false "$registry/app:2"; exits 125 "what the policy rejects is not pulled"
err_has 'Source image rejected: Running image' "which is said"
cp policy.json "$HOME/.config/containers/policy.json"
podman pull --policy bogus x; err_has 'unsupported pull policy "bogus"' "a policy that is none is a mistake"
podman pull --platform linux/amd64 --arch amd64 x; err_has 'can not be specified with --arch' "as are two platforms"
buildah pull "$reference"; out_is "$id" "buildah pulls only what is missing"
podman pull nosuchshort; exits 125 "a short name needs a rule"
err_has 'short-name "nosuchshort" did not resolve to an alias and no ' "and that is said"
cat >"$HOME/.config/containers/registries.conf" <<CONF
unqualified-search-registries = ["$registry"]
[aliases]
"short" = "$registry/app"
[[registry]]
location = "$registry"
insecure = true
CONF
podman rmi "$reference"
podman pull short:1; exits 0 "an alias is followed"; err_has 'Resolved "short" as an alias (' "and that is told"
podman rmi "$reference"
podman pull app:1; exits 0 "a registry is searched"
err_has 'Resolving "app" using unqualified-search registries' "and that is told"
err_has "unqualified-search registries ($HOME/.config/containers/registries.conf)" "with the file that says where"
# Two registries of which the first has nothing.
sed -i "s|^unqualified.*|unqualified-search-registries = [\"localhost:1\", \"$registry\"]|" "$HOME/.config/containers/registries.conf"
podman rmi "$reference"; podman pull --quiet app:1; exits 0 "the next registry is tried"
podman rmi "$reference"
sed -i '1i short-name-mode = "enforcing"' "$HOME/.config/containers/registries.conf"
podman pull app:1; exits 125 "a person should choose"
err_has 'short-name resolution enforced but cannot prompt without a TTY' "but is not there"
# shellcheck disable=SC2086
python3 "$here/login_prompt.py" '[1-2]: ' 2 -- $LADE buildah --root "$root" --runroot "$runroot" --storage-driver vfs \
  --short-name-alias-conf "$work/aliases.conf" pull app:1 >out 2>err </dev/null
out_has "2) $registry/app:1" "at a terminal the choice is shown"; out_has "exit: 0" "and made"
holds "it is kept" grep -qF "\"app\" = \"$registry/app\"" aliases.conf
buildah --short-name-alias-conf aliases.conf rmi app:1; exits 0 "it counts for local names"
buildah --short-name-alias-conf aliases.conf pull app:1; exits 0 "and the next time"
err_has "Resolved \"app\" as an alias (aliases.conf)" "which is told"
mkdir own; echo 'unqualified-search-registries = []' >own/a.conf
podman rmi "$reference"
buildah --registries-conf-dir own pull app:1; err_has "no unqualified-search registries are defined in \"own/a.conf\"" "drop-ins can be elsewhere"
sed -i 1d "$HOME/.config/containers/registries.conf"
podman pull --quiet "$reference"
podman pull --quiet --all-tags "$registry/app"; exits 0 "all tags can be pulled"; out_has "$id" "each prints its ID"

podman tag "$reference" "$registry/other:2"
podman push --quiet --digestfile digest "$registry/other:2"; exits 0 "an image is pushed to where its name says"
holds "its digest is written" grep -Eq '^sha256:[0-9a-f]{64}$' digest
podman push "docker://$registry/other:2"; exits 0 "also with docker:// and nothing else"
run inspect --tls-verify=false "docker://$registry/other:2"; exits 0 "the registry has it"
podman push "$reference" dir:pushed; exits 0 "other transports are destinations"
holds "with a manifest" test -f pushed/manifest.json
podman push nosuch dir:x; exits 125 "what is not there"; err_has 'Error: nosuch: image not known' "is named"
podman push; err_has 'accepts between 1 and 2 arg(s), received 0' "push wants an image"
podman push --sign-by x y; err_has 'signing is not available in lade yet' "signing is not there"

podman rmi --force "$id"; exits 0 "all names go by force"
podman pull --quiet dir:pushed; out_is "$id" "a directory is a source"
podman images --format '{{.Repository}}'; out_is '<none>' "whose image has no name"
podman tag "$id" named
podman inspect --format '{{.Id}} {{.RepoTags}} {{.Os}}' named; out_is "$id [localhost/named:latest] linux" "inspect shows members"
podman image inspect named; out_has "          \"Id\": \"$id\"," "or all, indented as podman does"
podman inspect nosuch; exits 125 "what is not there"; out_is '[]' "is an empty list"
err_has 'no such object: "nosuch"' "and an error"
podman inspect --type container x; exits 125 "containers"; err_has 'is not available in lade yet' "are not there yet"
podman history --format '{{.ID}}' --no-trunc named; out_is "$id" "history begins with the image"
podman history named; holds "its table has headings" grep -Eq '^ID +CREATED +CREATED BY +SIZE +COMMENT$' out
podman history --format json named; out_has "\"id\":\"$id\"" "also as JSON"
podman history -H=false --no-trunc named; holds "times can be exact" grep -Eq 'T[0-9:]+Z .*[0-9]kB ' out
done_testing
