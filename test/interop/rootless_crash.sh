#!/bin/sh
# Pulls of an ordinary user that are killed at any moment. LADE_KILLS: how many of them.
. "$(dirname "$0")/ordinary_user.sh"
. "$(dirname "$0")/../functional/tap.sh"

clean_up() { $LADE podman unshare rm -rf "$work"; }
chmod 700 "$XDG_RUNTIME_DIR"
root=$work/root inside="$LADE podman unshare"
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$root" "$XDG_RUNTIME_DIR/containers" \
  >"$XDG_CONFIG_HOME/containers/storage.conf"
store() { echo "containers-storage:$1"; }
podman() { command podman --cgroup-manager cgroupfs --events-backend file "$@"; }
status=-
. "$here/killed_pulls.sh"

layer base 50
tar --numeric-owner --owner=5 --group=6 --mode=go-rwx -cf kept.tar -C layers base
copy tarball:base.tar:kept.tar "$(store example.com/kept:1)" || { echo "Bail out!"; exit 1; }
podman images >out 2>err || { echo "Bail out! podman does not open the store"; cat err; exit 1; }
kill_pulls "${LADE_KILLS:-20}"
copy "$(store example.com/kept:1)" dir:kept 2>err
ok $? "what was there before is whole"
done_testing
