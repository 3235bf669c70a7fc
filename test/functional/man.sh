#!/bin/sh
# Man pages and --help say the same.
. "$(dirname "$0")/tap.sh"

man=$here/../../man
options_in() { grep -oE -- '--[a-z][a-z0-9.-]+' "$1" | sort -u; }
shown() { sed -nE 's/^ +(-[a-zA-Z], )?(--[a-z0-9.-]+).*/\2/p' "$1" | sort -u; }

run --help
sed -n '/^Available Commands/,/^$/s/^  \([a-z-]*\) .*/\1/p' out >commands
shown out >program-options
while read -r command; do run "$command" --help; shown out; done <commands | cat - program-options | sort -u >known
while read -r command; do
  page=$man/lade-$command.1.scd
  holds "$command has a man page" test -f "$page"
  run "$command" --help; shown out >help-options
  run __man "$command" "$page"; cp out page
  sed -nE '/^# OPTIONS/,/^# [^O]/s/^(\*-[a-zA-Z]\*, )?\*(--[a-z0-9.-]+)\*.*/\2/p' page | sort -u >man-options
  holds "$command: each option of --help is in the man page, and no other" cmp help-options man-options
  options_in page >mentioned
  holds "$command: the man page mentions no option that is not there" test -z "$(comm -23 mentioned known)"
  if command -v scdoc >/dev/null; then holds "$command: the man page can be built" sh -c 'scdoc <page >/dev/null'; fi
done <commands
for grammar in podman buildah runtime store; do
  called=$grammar; [ $grammar = store ] && called="lade store"
  run $grammar __man . "$man/lade-$grammar.1.scd"; exits 0 "$grammar has a man page"; cp out page
  run $grammar --help; shown out >grammar-options
  sed -n '/^Available Commands/,/^$/s/^  \([a-z-]*\( [a-z]*\)\{0,1\}\)  .*/\1/p' out >grammar-commands
  sed -i 's/ *$//' grammar-commands
  cp page out
  while read -r option; do out_has "*$option*" "lade-$grammar(1) explains $option"; done <grammar-options
  while read -r command; do
    cp page out; out_has "## $called $command" "lade-$grammar(1) has $command"
    # shellcheck disable=SC2086
    run $grammar $command --help; shown out | grep -vx -- --help >help-options
    sed -n "/^## $called $command\( \|\$\)/,/^## /p" page | sed -nE 's/^(\*-[a-zA-Z]\*, )?\*(--[a-z0-9.-]+)\*.*/\2/p' | sort -u >man-options
    holds "$grammar $command: each option of --help is in the man page, and no other" cmp help-options man-options
  done <grammar-commands
  if command -v scdoc >/dev/null; then holds "lade-$grammar(1) can be built" sh -c 'scdoc <page >/dev/null'; fi
done
for page in "$man"/lade-*.1.scd; do
  command=${page##*/lade-}
  case $command in podman.1.scd | buildah.1.scd | runtime.1.scd | store.1.scd) continue ;; esac
  holds "${page##*/} is of a command" grep -qx "${command%.1.scd}" commands
done
run __man . "$man/lade.1.scd"
while read -r option; do out_has "*$option*" "lade(1) explains $option"; done <program-options
while read -r command; do out_has "*lade-$command*(1)" "lade(1) lists $command"; done <commands
done_testing
