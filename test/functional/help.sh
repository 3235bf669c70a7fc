#!/bin/sh
# Help and version go to standard output, exit 0, and need no configuration.
. "$(dirname "$0")/tap.sh"

echo 'not [ toml' >"$HOME/.config/containers/registries.conf"
run --help; exits 0 "--help works"
for command in completion config copy delete generate-sigstore-key help inspect list-repos list-tags login logout manifest-digest serve standalone-sign standalone-verify version; do
  out_has "  $command " "--help lists $command"
done
out_lacks __complete "but not what is for scripts only"
run help; out_has 'Available Commands:' "help says the same"
for command in config copy delete generate-sigstore-key inspect list-repos list-tags login logout manifest-digest serve standalone-sign standalone-verify version; do
  run "$command" --help
  exits 0 "$command --help works"
  out_has 'Usage:' "$command --help shows how it is used"
done
run help inspect; out_has '--no-tags' "help COMMAND explains the command"
run copy -h; out_has '-a, --all' "-h does, too"
silent err "and nothing is on standard error"
run help bogus; exits 1 "help about nothing is a mistake"
run --version; out_has 'version ' "--version works"
run version; out_has 'version ' "version as a command works"
done_testing
