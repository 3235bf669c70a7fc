#!/bin/sh
# With skopeo: each reads what the other wrote, and they write the same.
. "$(dirname "$0")/../functional/tap.sh"

command -v skopeo >/dev/null || { echo "1..0 # SKIP skopeo is not installed"; exit 0; }
peer() { skopeo --insecure-policy "$@" >"$work/out" 2>"$work/err"; }

make_image dir:plain
gzip -n layer.tar
$LADE copy --quiet tarball:layer.tar.gz dir:image
mkdir theirs ours
for place in dir:%/dir oci:%/oci:name docker-archive:%/docker.tar:example.com/app:1 oci-archive:%/oci.tar:name; do
  transport=${place%%:*}
  theirs=$(echo "$place" | sed 's,%,theirs,')
  ours=$(echo "$place" | sed 's,%,ours,')
  holds "skopeo writes $transport" peer copy dir:image "$theirs"
  run copy dir:image "$ours"; exits 0 "lade writes $transport"
  run copy "$theirs" "dir:from-theirs-$transport"; exits 0 "lade reads skopeo's $transport"
  holds "skopeo reads lade's $transport" peer copy "$ours" "dir:from-ours-$transport"
  holds "both give the same image of $transport" diff -r "from-theirs-$transport" "from-ours-$transport"
done
holds "dir: is the same to the byte" diff -r theirs/dir ours/dir
holds "oci: is the same to the byte, but for whitespace and time" diff -r theirs/oci/blobs ours/oci/blobs
holds "docker-archive: is the same to the byte" cmp theirs/docker.tar ours/docker.tar

# Older versions print --config and LayersData otherwise; these are the same in all of them.
for option in --raw '--format={{.Digest}} {{.Os}} {{.Architecture}} {{.Layers}}'; do
  skopeo inspect "$option" oci:theirs/oci:name >expected
  run inspect "$option" oci:theirs/oci:name
  holds "inspect $option prints the same" cmp expected out
done

serve oci:store
holds "skopeo pushes to lade serve" peer copy --dest-tls-verify=false dir:image "docker://$registry/a/b:1"
holds "and pulls from it" peer copy --src-tls-verify=false "docker://$registry/a/b:1" dir:back
holds "the same" diff -r image back
done_testing
