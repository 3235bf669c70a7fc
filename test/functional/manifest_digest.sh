#!/bin/sh
# manifest-digest and list-tags of archives.
. "$(dirname "$0")/tap.sh"

make_image dir:image
run manifest-digest image/manifest.json
out_is "sha256:$(sha256sum image/manifest.json | cut -d' ' -f1)" "the digest of a manifest"
run manifest-digest nowhere; exits 1 "a file that is not there"
err_has 'Error reading manifest from nowhere: open nowhere: no such file or directory' "is named"
run manifest-digest; err_has 'manifest-digest manifest' "an argument is needed"
run copy dir:image docker-archive:archive.tar:example.com/app:1; exits 0 "an archive is made"
run list-tags docker-archive:archive.tar
out_is '{
    "Tags": [
        "example.com/app:1"
    ]
}' "its tags are listed as skopeo does"
xz archive.tar
run list-tags docker-archive:archive.tar.xz; out_has '"example.com/app:1"' "also when it is compressed"
done_testing
