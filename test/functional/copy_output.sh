#!/bin/sh
# What copy prints.
. "$(dirname "$0")/tap.sh"

make_image dir:image
layer=$(sha256sum layer.tar | cut -d' ' -f1)
config=$(sed 's/.*"config":{[^}]*"digest":"sha256:\([0-9a-f]*\)".*/\1/' image/manifest.json)
run copy dir:image dir:copy
exits 0 "copy works"
out_is "Getting image source signatures
Copying blob sha256:$layer
Copying config sha256:$config
Writing manifest to image destination" "its lines are skopeo's"
silent err "and not a word on standard error"
holds "the copy is the same" diff -r image copy
run copy --quiet dir:image dir:copy; silent out "--quiet says nothing"
run copy -q=false dir:image dir:copy; out_has 'Copying config' "--quiet=false does"
run copy --progress=none dir:image dir:copy; silent out "--progress=none says nothing"
run copy --progress json dir:image dir:copy
silent out "--progress=json leaves standard output alone"
err_has "{\"event\":\"start\",\"kind\":\"blob\",\"digest\":\"sha256:$layer\"" "its events are on standard error"
holds "and end well" grep -q '"event":"done"' err
holds "each line is an object" sh -c '! grep -qv "^{.*}$" err'
run copy --progress=loud dir:image dir:copy; exits 1 "an unknown way to show progress is a mistake"
run copy --digestfile digest dir:image dir:copy
printf 'sha256:%s' "$(sha256sum copy/manifest.json | cut -d' ' -f1)" >expected
holds "--digestfile has the digest and no line end" cmp digest expected
run copy --digestfile /nowhere/digest dir:image dir:copy; exits 1 "a digest file that cannot be written is a failure"
done_testing
