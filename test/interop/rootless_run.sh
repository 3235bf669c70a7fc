#!/bin/sh
# Working containers of an ordinary user, shared with buildah.
. "$(dirname "$0")/ordinary_user.sh"
. "$(dirname "$0")/../functional/tap.sh"

busybox=$(command -v busybox) || { echo "1..0 # SKIP busybox is not installed"; exit 0; }
! ldd "$busybox" >/dev/null 2>&1 || { echo "1..0 # SKIP this busybox is not static"; exit 0; }
clean_up() { $LADE podman unshare rm -rf "$work"; }
chmod 700 "$XDG_RUNTIME_DIR"
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$HOME/.local/share/containers/storage" \
  "$XDG_RUNTIME_DIR/containers" >"$XDG_CONFIG_HOME/containers/storage.conf"
b() { run buildah "$@"; }

b from --name c scratch; exits 0 "a container begins"
b copy --quiet c "$busybox" /bin/busybox; b copy --quiet c "$busybox" /bin/sh; exits 0 "gets a shell"
for network in none host; do
  b run --network $network c sh -c 'busybox id'; out_is 'uid=0 gid=0 groups=0' "and runs as its root, network $network"
done
b run --network none c busybox cat /proc/self/uid_map; holds "with the user's ranges" grep -q ' 700000 ' out
if command -v pasta >/dev/null && [ -w /dev/net/tun ]; then
  b run c busybox ip addr; exits 0 "and with a network"; holds "of its own" sh -c 'grep -q "^2: " out'
fi
b run --isolation chroot c busybox id; out_is 'uid=0 gid=0 groups=0' "without namespaces too"
mkdir "$HOME/data"
b run --network none -v "$HOME/data:/data:Z" c sh -c 'echo written >/data/file'; exits 0 "what is mounted"
holds "is written to, as the user" test "$(stat -c %u "$HOME/data/file")" = "$(id -u)"
b run --network none --user 5:6 c sh -c 'busybox id; busybox touch /mine'; exits 1 "another user may not write to the root"
out_is 'uid=5 gid=6 groups=6' "and is that user"
b run --cache --network none c sh -c 'echo ran; busybox mkdir /made'; out_is ran "a step is done"
b commit --quiet c image; exits 0 "the container is committed"
b from --name d image; b run --network none d busybox ls -d /made; out_is /made "with what it had done"
buildah run --isolation chroot c busybox touch /made/by-buildah >/dev/null 2>&1; ok $? "buildah runs in it"
b run --network none c busybox ls /made; out_is by-buildah "and lade sees what buildah did"
b rm --all; exits 0 "all is removed"
holds "and no mount is left" sh -c "! grep -q '$work' /proc/self/mountinfo"
done_testing
