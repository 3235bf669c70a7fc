#!/bin/sh
# Whole repositories, from registry to directory, layout and registry and back.
. "$(dirname "$0")/tap.sh"

make_image oci:image:app
serve oci:store
for tag in 1.0 1.1 2.0-rc1 latest; do
  $LADE copy -q --dest-tls-verify=false oci:image:app "docker://$registry/team/app:$tag"
done
from="--src docker --src-tls-verify=false"
# shellcheck disable=SC2086
{
run sync $from --dest docker --dest-tls-verify=false "$registry/team/app" "$registry/mirror"
exits 0 "a repository is mirrored"
err_has 'msg="Synced 4 images from 1 sources"' "and counted as skopeo does"
err_has "from=\"docker://$registry/team/app:1.0\" to=\"docker://$registry/mirror/app:1.0\"" "each image is named with both ends"
run sync $from --dest docker --dest-tls-verify=false "$registry/team/app" "$registry/mirror"
holds "the second time nothing is copied" sh -c '! grep -q "Copying image" err'
run sync $from --dest dir --scoped --dry-run "$registry/team/app:1.0" "$work/images"
err_has "from=\"docker://$registry/team/app:1.0\" to=\"dir:$work/images/$registry/team/app:1.0\"" "a dry run says what it would do"
err_has 'Would have synced 1 images from 1 sources' "and how much"
holds "and does nothing" test ! -e images
run sync $from --dest dir --semver '^1' --exclude '*.1' --digestfile digests "$registry/team/app" images
holds "tags are chosen by version and pattern" test "$(ls images)" = app:1.0
holds "digests are written down" grep -q "^sha256:[0-9a-f]* dir:.*/images/app:1.0$" digests
run sync $from --dest dir "$registry/team/app" images
exits 1 "a directory that is there is not overwritten"
err_has "Refusing to overwrite destination directory" "and named"
run sync --src dir --dest docker --dest-tls-verify=false images "$registry/back"; exits 0 "directories go back to a registry"
run sync $from --dest oci --rename 'x/{{.Name}}:v{{.Tag}}' "$registry/team/app" layout; exits 0 "images are renamed on the way"
run sync --src oci --dest docker --dest-tls-verify=false --scoped layout "$registry/again"
run list-tags --tls-verify=false "docker://$registry/again/x/app"; out_has '"v2.0-rc1"' "a layout goes to a registry"
$LADE delete --tag-only --tls-verify=false "docker://$registry/team/app:1.1"
run sync $from --dest docker --dest-tls-verify=false --prune "$registry/team/app" "$registry/mirror"
run list-tags --tls-verify=false "docker://$registry/mirror/app"
out_lacks '"1.1"' "what the source no longer has is pruned"
out_has '"1.0"' "and nothing else"
cat >sync.yml <<YAML
$registry:
  tls-verify: false
  images: {team/app: ["1.0"]}
  images-by-tag-regex: {team/app: "rc[0-9]$"}
YAML
run sync --src yaml --dest dir sync.yml chosen
holds "a file says what to take" test "$(ls chosen | tr '\n' ' ')" = "app:1.0 app:2.0-rc1 "
}
run sync --dest dir a b; err_has 'A source transport must be specified' "a source transport is needed"
run sync --src dir --dest dir a b; err_has "sync from 'dir' to 'dir' not implemented, consider using rsync instead" "dir to dir is rsync's"
run sync --src dir --dest docker none localhost/x; err_has 'no such file or directory' "a directory that is not there is named"
printf 'a.example:\n  images: {"../../etc": ["x"]}\n' >evil.yml
run sync --src yaml --dest dir evil.yml evil; holds "a name cannot climb out of the destination" test ! -e evil
done_testing
