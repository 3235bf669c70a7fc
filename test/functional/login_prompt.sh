#!/bin/sh
# login asks for what it was not told, and does not show the password.
. "$(dirname "$0")/tap.sh"

make_image dir:image
echo 'me:$2y$05$WbftiE1DJcPEWvSV4.cKoOYIpg57JhH4aaGpquS5GJ.dhRTemQfEC' >users
serve --htpasswd users oci:store
# talk [EXPECT ANSWER]... -- OPTION...: a login at a terminal.
talk() {
  status=0
  # shellcheck disable=SC2086
  python3 "$here/login_prompt.py" "$@" >out 2>err </dev/null || status=$?
}

talk 'Username: ' me 'Password: ' secret -- $LADE login --tls-verify=false "$registry"
out_has 'exit: 0' "name and password are asked for"
out_has 'Login Succeeded!' "and taken"
out_has 'echo at Username: on' "the name is shown"
out_has 'echo at Password: off' "the password is not"
out_lacks secret "nor is it printed"
out_has 'echo after: on' "after that what is typed is shown again"
talk 'Password: ' wrong -- $LADE login --tls-verify=false -u me --authfile other.json "$registry"
out_has 'exit: 1' "a wrong password is refused"
out_lacks 'Username' "a name that was given is not asked for"
out_has 'invalid username/password' "and that is said"
holds "and not kept" test ! -e other.json
run logout "$registry"
talk 'Username: ' me 'Password: ' '^C' -- $LADE login --tls-verify=false "$registry"
out_has 'exit: 130' "Ctrl-C at the password ends it"
out_has 'echo after: on' "and leaves the terminal as it was"
talk 'Username: ' '^D' -- $LADE login --tls-verify=false "$registry"
out_has 'exit: 1' "the end of the input at the name ends it"
out_has 'EOF' "and that is said"

# The user's name in the file is offered where the registry takes its password no longer.
printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" "$(printf me:old | base64)" >old.json
talk 'Username (me): ' '' 'Password: ' secret -- $LADE login --tls-verify=false --authfile old.json "$registry"
out_has 'Existing credentials are invalid, please enter valid username and password' "old credentials are tried"
out_has 'exit: 0' "an empty answer takes the name that was there"
done_testing
