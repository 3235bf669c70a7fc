#!/bin/sh
# An ordinary user without ranges in /etc/subuid, as on HPC systems: the only ID there is is the user's own.
ranges=none
. "$(dirname "$0")/ordinary_user.sh"
. "$(dirname "$0")/../functional/tap.sh"

# Directories of layers are writable only for root of the namespace.
clean_up() { $LADE podman unshare rm -rf "$work" 2>/dev/null; }
chmod 700 "$XDG_RUNTIME_DIR"
conf=$XDG_CONFIG_HOME/containers/storage.conf
status=-
podman() { command podman --cgroup-manager cgroupfs --events-backend file "$@" >"$work/out" 2>"$work/err"; }
configure() {
  printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' "$1" "$2" "$XDG_RUNTIME_DIR/containers" >"$conf"
  shift 2
  for line in "$@"; do echo "$line" >>"$conf"; done
}
configure overlay "$work/root"
mkdir files
echo own >files/own
echo other >files/other
tar --numeric-owner --owner=0 --group=0 -cf own.tar -C files own
tar --numeric-owner --owner=0 --group=42 -cf other.tar -C files other
copy() { run copy --quiet "$@"; }

run podman unshare cat /proc/self/uid_map; exits 0 "a namespace is to be had"
out_is "$(printf '         0 %10s          1' "$(id -u)")" "with one ID"
[ "$(wc -l <err)" -eq 1 ]; ok $? "of which one line warns"
err_has "Using rootless single mapping into the namespace. This might break some images: no ranges of IDs for user \\\"lade-test\\\" in /etc/subuid" \
  "and says why"
copy tarball:own.tar containers-storage:example.com/own:1; exits 0 "an image of root's files alone is stored"
copy tarball:own.tar:other.tar containers-storage:example.com/other:1; exits 1 "one with a file of another group is not"
err_has "potentially insufficient UIDs or GIDs available in user namespace (requested 0:42" "and the error says what is missing"
err_has "/etc/subgid" "and where"
run podman images --format '{{.Repository}}'; out_is example.com/own "the store has the first"
silent err "which is listed without a namespace"
ok "$(podman images --format '{{.Repository}}'; [ "$(cat out)" = example.com/own ]; echo $?)" "podman has it as well"

configure overlay "$work/root" "[storage.options.overlay]" 'ignore_chown_errors = "true"'
copy tarball:own.tar:other.tar containers-storage:example.com/other:1; exits 0 "with ignore_chown_errors it is"
holds "podman opens it" podman image inspect example.com/other:1
# shellcheck disable=SC2016
holds "and mounts it" podman unshare sh -c 'cat "$(podman image mount example.com/other:1)/other"'
out_is other "with its files"
copy containers-storage:example.com/other:1 dir:other; exits 0 "lade reads all of it"
run podman rmi --all; exits 0 "lade removes both"
configure vfs "$work/vfs" "[storage.options.vfs]" 'ignore_chown_errors = "true"'
copy tarball:own.tar:other.tar containers-storage:example.com/other:1; exits 0 "as in a store of the driver vfs"
holds "that podman opens" podman image inspect example.com/other:1
done_testing
