#!/bin/sh
# Mistakes of use: one clear line on standard error, exit 1.
. "$(dirname "$0")/tap.sh"

run; exits 1 "no command is a mistake"
err_has 'level=fatal msg="Missing command ' "and is said to be"
run bogus; err_has 'msg="Unrecognized command `' "an unknown command is named"
run cop; err_has 'Did you mean this?\n\tcopy\n' "and the nearest one is suggested"
run copy --bogus a b; err_has 'msg="unknown flag: --bogus"' "an unknown option is named"
run copy --fromat oci a b; err_has 'unknown flag: --fromat (did you mean --format?)' "and the nearest one is suggested"
run copy -Z a b; err_has "unknown shorthand flag: 'Z' in -Z" "an unknown short option is named"
run copy --format; err_has 'msg="flag needs an argument: --format"' "a missing value is named"
run copy --retry-times=x a b
err_has 'invalid argument \"x\" for \"--retry-times\" flag: strconv.ParseInt: parsing \"x\": invalid syntax' \
  "a value that is no number is named"
run --command-timeout=5 inspect dir:x; err_has 'time: missing unit in duration \"5\"' "a time needs a unit"
run --insecure-policy --require-signed inspect dir:x
err_has '--insecure-policy and --require-signed are mutually exclusive' "policies exclude each other for every command"
run copy a; exits 1 "copy wants two arguments"
err_has 'msg="Exactly two arguments expected"' "and says so"
err_has 'SOURCE-IMAGE DESTINATION-IMAGE' "and how it is used"
run inspect a b; err_has 'msg="Exactly one argument expected"' "inspect wants one argument"
run delete; err_has 'msg="Usage: delete imageReference"' "delete wants an image"
run list-tags; err_has 'msg="Exactly one non-option argument expected"' "list-tags wants a repository"
run login; err_has 'msg="please provide a registry to log in to"' "login wants a registry"
run logout a b; err_has 'msg="logout accepts only one registry to log out from"' "logout wants no more than one"
silent out "nothing of all this is on standard output"
done_testing
