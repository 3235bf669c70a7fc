#!/bin/sh
# A registry served from an OCI layout: push, list, inspect, retag, delete.
. "$(dirname "$0")/tap.sh"

make_image oci:image:app  # with a compressed layer, as registries want it
serve oci:store
run copy --dest-tls-verify=false oci:image:app "docker://$registry/a/app:1"; exits 0 "an image is pushed"
run copy --src-tls-verify=false --dest-tls-verify=false "docker://$registry/a/app:1" "docker://$registry/a/app:2"
exits 0 "and copied within the registry"
run list-tags --tls-verify=false "docker://$registry/a/app"
out_is "{
    \"Repository\": \"$registry/a/app\",
    \"Tags\": [
        \"1\",
        \"2\"
    ]
}" "its tags are listed as skopeo does"
run list-repos --tls-verify=false "$registry"; out_has '"a/app"' "the repositories are listed"
run inspect --tls-verify=false "docker://$registry/a/app:1"
out_has "\"Name\": \"$registry/a/app\"" "inspect knows the name"
out_has '        "2"' "and the tags"
run inspect --no-tags --tls-verify=false "docker://$registry/a/app:1"; out_has '"RepoTags": []' "unless it shall not"
run inspect --tls-verify=false "docker://$registry/a/app:9"; exits 2 "a tag that is not there exits 2"
err_has 'manifest unknown' "and is named as registries do"
run copy --src-tls-verify=false "docker://$registry/a/app:1" oci:back:app
holds "what comes back is what was pushed" diff -r image back
run delete --tag-only --tls-verify=false "docker://$registry/a/app:2"; exits 0 "a tag alone is deleted"
run inspect --tls-verify=false "docker://$registry/a/app:1"; exits 0 "and the image stays under the other tag"
run delete --tls-verify=false "docker://$registry/a/app:1"; exits 0 "an image is deleted"
run inspect --tls-verify=false "docker://$registry/a/app:1"; exits 2 "and is gone"
run inspect "docker://$registry/a/app:1"
err_has 'http: server gave HTTP response to HTTPS client' "plain HTTP is not spoken unasked"
kill "$server"; wait "$server"; status=$?; server=
exits 0 "the registry ends when it is told to"
done_testing
