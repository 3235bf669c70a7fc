#!/bin/sh
# login and logout: texts, files, and what they are good for.
. "$(dirname "$0")/tap.sh"

make_image dir:image
echo 'me:$2y$05$WbftiE1DJcPEWvSV4.cKoOYIpg57JhH4aaGpquS5GJ.dhRTemQfEC' >users
serve --htpasswd users oci:store
run copy --dest-tls-verify=false dir:image "docker://$registry/app"; exits 1 "who is unknown may not push"
err_has 'authentication required' "and is told"
run login --tls-verify=false -u me -p wrong "$registry"; exits 1 "a wrong password is refused"
err_has "logging into \\\"$registry\\\": invalid username/password" "and that is said"
run login --get-login "$registry"; err_has "not logged into $registry" "nobody is logged in yet"
run login --tls-verify=false --password-stdin "$registry"
err_has 'ust provide --username with --password-stdin' "a password alone is not enough"
run login --tls-verify=false -u me -p secret "$registry"; out_is 'Login Succeeded!' "the right one is taken"
holds "the credentials are for the owner only" test "$(stat -c %a run/containers/auth.json)" = 600
run login --get-login "$registry"; out_is me "--get-login names the user"
run login --tls-verify=false "$registry"
out_is "Authenticating with existing credentials for $registry
Existing credentials are valid. Already logged in to $registry" "a second login uses what is there"
run copy --dest-tls-verify=false dir:image "docker://$registry/app"; exits 0 "now a push works"
run inspect --creds me:wrong --tls-verify=false "docker://$registry/app"; exits 1 "--creds counts more than the file"
run logout "$registry"; out_is "Removed login credentials for $registry" "logout forgets"
run logout "$registry"; err_has "not logged into $registry" "there is nothing left to forget"
run inspect --no-tags --creds me:secret --tls-verify=false "docker://$registry/app"; exits 0 "--creds alone will do"
# shellcheck disable=SC2086
printf secret | $LADE login --tls-verify=false -u me --password-stdin --authfile mine.json "$registry" >out 2>err; status=$?
out_is 'Login Succeeded!' "a password may come from standard input"
run logout --authfile mine.json --all; out_is 'Removed login credentials for all registries' "logout --all forgets all"
run logout --all x; err_has '--all takes no arguments' "and wants no name"
done_testing
