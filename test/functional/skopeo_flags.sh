#!/bin/sh
# Every option of skopeo is there.
. "$(dirname "$0")/tap.sh"

grep -v '^#' "$here/../data/skopeo/flags" >flags
for command in $(cut -d ' ' -f 1 flags | sort -u); do
  if [ "$command" = - ]; then run --help; else run "$command" --help; fi
  exits 0 "$command: --help"
  sed -nE 's/^ +(-[a-zA-Z], )?(--[a-z0-9.-]+).*/\2/p' out >shown
  for flag in $(sed -n "s/^$command //p" flags); do
    case $flag in
      '!'*)
        run "$command" "${flag#!}=x" dir:a dir:b
        err_has 'not supported' "$command ${flag#!} is refused with a reason" ;;
      *) holds "$command has $flag" grep -qx -- "$flag" shown ;;
    esac
  done
done
# Old names, never shown.
run copy --screds a: --dcreds b: dir:a dir:b
err_has 'dir:a' "copy takes --screds and --dcreds"
run --tls-verify=false copy docker://127.0.0.1:1/a dir:a
err_has "'--tls-verify' is deprecated" "--tls-verify before the command is deprecated"
done_testing
