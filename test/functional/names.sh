#!/bin/sh
# Image names that cannot be: the texts are skopeo's.
. "$(dirname "$0")/tap.sh"

make_image dir:image
run copy nope dir:x
err_has 'msg="Invalid source name nope: Invalid image name \"nope\", expected colon-separated transport:reference"' \
  "a source without a transport is refused"
run copy dir:image zz:x
err_has 'msg="Invalid destination name zz:x: Invalid image name \"zz:x\", unknown transport \"zz\""' \
  "an unknown transport is refused"
run inspect nope
err_has 'msg="Error parsing image name \"nope\": Invalid image name \"nope\"' "inspect says what it could not parse"
run inspect docker:x; err_has 'docker: image reference x does not start with //' "docker: needs //"
run inspect docker://UPPER
err_has 'invalid reference format: repository name must be lowercase' "a repository is in lower case"
run list-tags x; err_has 'msg="Invalid \"x\": does not specify a transport"' "list-tags wants a transport"
run list-tags dir:x
err_has "Unsupported transport 'dir' for tag listing. Only supported: docker, docker-archive" "and not any transport"
run list-tags docker://localhost/a:b; err_has 'msg="No tag or digest allowed in reference"' "and no tag"
run delete dir:image; err_has 'msg="Deleting images not implemented for dir: images"' "dir: images are not deleted"
exits 1 "which is a failure"
done_testing
