#!/bin/sh
# buildah run: a static program in a container from scratch.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
busybox=$(command -v busybox) || { echo "1..0 # SKIP busybox is not installed"; exit 0; }
! ldd "$busybox" >/dev/null 2>&1 || { echo "1..0 # SKIP this busybox is not static"; exit 0; }
unshare --mount --pid --fork true 2>/dev/null || { echo "1..0 # SKIP namespaces cannot be had"; exit 0; }
root=$work/root runroot=$work/runroot
b() { run buildah --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }

b from --name c scratch; b copy --quiet c "$busybox" /bin/busybox
b mount c; mounted=$(cat out); for name in sh id cat env ls touch sleep pwd test hostname grep mkdir; do ln -s busybox "$mounted/bin/$name"; done
mkdir -p "$mounted/etc"; echo 'bob:x:5:6::/home/bob:/bin/sh' >"$mounted/etc/passwd"; echo 'eve:x:9:bob' >"$mounted/etc/group"
b() { run buildah --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }
r() { b run --network none "$@"; }

r c true-is-not-there; exits 1 "a command that is not there"
r c sh -c 'exit 7'; exits 7 "the command's status is passed on"; err_has 'Error: while running runtime: exit status 7' "and told"
r c -- sh -c 'echo hello; echo oops >&2'; out_is hello "standard output"; err_has oops "and standard error are the command's"
r c sh -c 'sh -c "kill -9 \$\$"; exit $?'; exits 137 "a signal that ends it shows"
r --user bob c id; out_has 'uid=5(bob) gid=6' "a user of the container"; out_has '9(eve)' "with the groups it is in"
r --user nobody c id; exits 125 "one that is not known"; err_has 'unknown user' "is refused"
r --env X=1 --workingdir /deep/er c sh -c 'echo $X; pwd'; out_is "$(printf '1\n/deep/er')" "environment and directory"
r --hostname box c hostname; out_is box "host name"
r c cat /run/.containerenv; out_has 'name="c"' "who we are"
r c grep CapEff /proc/self/status; holds "capabilities are few" grep -q 'CapEff:.*00000000800405fb' out
r --cap-drop all c grep CapEff /proc/self/status; out_has 0000000000000000 "or none"
r c cat /proc/keys; silent out "what is masked is empty"

mkdir data; echo x >data/file
r --volume "$work/data:/data:ro" c sh -c 'cat /data/file; touch /data/new'; out_has x "volumes are there"; holds "read-only if asked for" test ! -e data/new
r --volume "$work/data:/data" c touch /data/new; holds "or not" test -e data/new
r --mount type=tmpfs,target=/t c sh -c 'touch /t/x && ls /t'; out_is x "a tmpfs"
TMPDIR=$work r --mount type=cache,target=/cache c sh -c 'echo kept >/cache/f'
TMPDIR=$work r --mount type=cache,target=/cache c cat /cache/f; out_is kept "caches are kept"
r --volume /nosuch:/x c true; exits 125 "a volume that is not there"; err_has '/nosuch' "is named"
r --volume bogus c true; err_has 'incorrect volume format "bogus", should be host-dir:ctr-dir[:option]' "and one that is none"
r --device /dev/null:/dev/nothing c sh -c 'test -c /dev/nothing && echo there'; out_is there "devices under another name"

ln -s /etc "$mounted/escape"
r --volume "$work/data:/escape/lade-target" c true; holds "a link of the image does not lead a mount out" test ! -e /etc/lade-target
holds "nothing that was mounted on is left" test ! -e "$mounted/data" -a ! -e "$mounted/t" -a ! -e "$mounted/etc/hosts" -a ! -e "$mounted/proc"
holds "nor anything of the run" test -z "$(find "$runroot" -name "*lade-run-*")"

b run c; exits 125 "a command is wanted"; err_has 'command must be specified' "and asked for"
b run --isolation chroot --network none c true; err_has 'cannot set --network other than host with --isolation chroot' "isolations have their limits"
b run --isolation chroot --network host c sh -c 'echo in'; out_is in "without namespaces of its own it runs as well"
b run --add-history --network none c sh -c true; b commit --quiet c img; b inspect --type image --format '{{range .OCIv1.History}}{{.CreatedBy}}|{{end}}' img
out_has '/bin/sh -c sh -c true|' "history tells of it if asked to"
done_testing
