#!/bin/sh
# The program answers to the name it is called by.
. "$(dirname "$0")/tap.sh"

program=${LADE%% *}
for name in skopeo podman apptainer; do ln -s "$program" "$name"; done
LADE=$program
run --version; out_has 'lade version ' "as lade it is lade"
run skopeo --version; holds "with skopeo's grammar it says so" grep -Eq '^skopeo version [0-9.]+' "$work/out"
run skopeo bogus; err_has 'Unrecognized command `skopeo bogus`' "and calls itself skopeo in messages"
run podman ps; exits 125 "podman's commands are not there yet"
err_has 'the commands of podman are not available in lade yet' "and that is said"
LADE=./skopeo
run --version; holds "a link named skopeo is skopeo" grep -Eq '^skopeo version [0-9.]+' "$work/out"
LADE=./podman
run run x; exits 125 "a link named podman fails as podman does"
LADE=./apptainer
run run x; exits 1 "a link named apptainer fails"
done_testing
