#!/bin/sh
# Completion scripts, and what they ask the program.
. "$(dirname "$0")/tap.sh"

for shell in bash zsh fish; do
  run completion $shell
  exits 0 "there is a script for $shell"
  if command -v $shell >/dev/null; then holds "$shell can read it" $shell -n "$work/out"; fi
done
run completion tcsh; exits 1 "there is none for another shell"
run __complete ins; out_is "$(printf 'inspect\tInspect image IMAGE-NAME\n:end')" "a command is completed"
run __complete copy --dest-compress-f; out_has '--dest-compress-format' "an option is completed"
run __complete copy --format ''; out_has "$(printf 'v2s2\t')" "a value is completed"
run __complete copy --format=o; out_has '--format=oci' "also behind ="
run __complete inspect do; out_has 'docker://' "a transport is completed"
run __complete inspect dir:im; out_is ':files' "behind a transport files are completed"
run __complete copy --sign-by-sq; out_is ':end' "what is not there yet is not offered"
if command -v bash >/dev/null; then
  run completion bash
  cp out script
  printf '%s\n' "$LADE" >lade-path
  status=0
  PATH=${LADE%/*}:$PATH bash -c '. ./script; COMP_WORDS=('"${LADE##*/}"' insp); COMP_CWORD=1; _lade; echo "${COMPREPLY[@]}"' \
    >out 2>err || status=$?
  out_is inspect "bash completes a command with it"
fi
done_testing
