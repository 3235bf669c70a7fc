#!/bin/sh
# An ordinary user's store, shared by lade and podman, buildah and skopeo.
. "$(dirname "$0")/ordinary_user.sh"
. "$(dirname "$0")/../functional/tap.sh"

# Files of other IDs than the user's own can be removed only as root of the namespace.
clean_up() {
  [ -z "$server" ] || kill "$server" 2>/dev/null
  $LADE podman unshare rm -rf "$work"
}
chmod 700 "$XDG_RUNTIME_DIR"
conf=$XDG_CONFIG_HOME/containers/storage.conf
store_home=$HOME/.local/share/containers/storage
# configure DRIVER GRAPHROOT [LINE...]; buildah before 1.29 takes no file without both places.
configure() {
  printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' "$1" "$2" "$XDG_RUNTIME_DIR/containers" >"$conf"
  shift 2
  for line in "$@"; do echo "$line" >>"$conf"; done
}
configure overlay "$store_home"
export USER="${USER:-$(id -un)}"

status=-
quiet() { "$@" >"$work/out" 2>"$work/err"; }
podman() { quiet command podman --cgroup-manager cgroupfs --events-backend file "$@"; }
buildah() { quiet command buildah "$@"; }
skopeo() { quiet command skopeo --insecure-policy "$@"; }
prints() { [ "$(cat "$work/out")" = "$1" ]; ok $? "$2"; }
store() { echo "containers-storage:$1"; }
# runs IMAGE COMMAND OUTPUT; by buildah, since podman 4.3 waits 20 s for the end of a container on some machines.
runs() {
  [ -e "$work/base/bin/busybox" ] || return
  buildah from --name runner "$1"
  holds "$1 runs" buildah run --isolation chroot runner -- /bin/sh -c "$2"
  prints "$3" "and it prints what it should"
  buildah rm runner
}
lade_checks() { run copy --quiet "$(store "$1")" "dir:check-$number"; exits 0 "lade reads all of $1"; }
skopeo_checks() { holds "skopeo reads all of $1" skopeo copy "$(store "$1")" "dir:check-$number"; }

# Owners that are not the user's, and modes that shut the user out.
mkdir -p base/bin base/etc base/gone base/opaque/old upper/etc upper/opaque
command -v busybox >/dev/null && cp "$(command -v busybox)" base/bin/busybox && ln -s busybox base/bin/sh
echo one >base/etc/motd
echo secret >base/etc/shadow
mkfifo base/etc/fifo
tar --numeric-owner --owner=0 --group=0 --exclude=./opaque --exclude=./etc/shadow -cf base.tar -C base .
tar --numeric-owner --owner=7 --group=8 --mode=go-rwx -rf base.tar -C base ./opaque ./etc/shadow
echo two >upper/etc/issue
: >upper/.wh.gone
: >upper/opaque/.wh..wh..opq
echo new >upper/opaque/new
tar --numeric-owner --owner=0 --group=0 -cf upper.tar -C upper .
$LADE copy --quiet --insecure-policy tarball:base.tar:upper.tar oci:image:x || { echo "Bail out!"; exit 1; }

# share DRIVER: everything that the tools do to each other's images, in the store that is configured.
share() {
  graphroot=$(command podman info --format '{{.Store.GraphRoot}}' 2>/dev/null)
  run podman unshare sh -c 'echo $CONTAINERS_GRAPHROOT'
  prints "$graphroot" "$1: lade and podman mean the same store"
  run podman pull --quiet oci:image:x; exits 0 "lade fills it"
  silent err "without a warning"
  id=$(cat out)
  run podman tag "$id" example.com/ours:1; exits 0 "lade names what it pulled"
  holds "podman lists it" podman images --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}'
  out_has "$id example.com/ours:1" "by its ID and name"
  cp out listed
  run podman images --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}'
  holds "lade lists the same" cmp listed out
  lade_checks example.com/ours:1
  skopeo_checks example.com/ours:1
  runs example.com/ours:1 'cat /etc/shadow /etc/issue; stat -c %u:%g /etc/shadow; ls -d /gone /opaque/* 2>/dev/null; true' \
    "$(printf 'secret\ntwo\n7:8\n/opaque/new')"
  holds "podman mounts it" podman unshare sh -c 'cd "$(podman image mount example.com/ours:1)" &&
    cat etc/shadow && stat -c %u:%g etc/shadow && ls -d gone opaque/*; podman image unmount example.com/ours:1 >/dev/null'
  out_is "$(printf 'secret\n7:8\nopaque/new')" "with the owners and without what is gone"
  run podman image mount example.com/ours:1; exits 125 "lade does not mount it for nobody"
  # shellcheck disable=SC2016
  err_has 'cannot run command "podman image mount" in rootless mode, must execute `podman unshare` first' "as podman"
  # shellcheck disable=SC2016
  run podman unshare sh -c 'cd "$($0 podman image mount example.com/ours:1)" && cat etc/shadow &&
    stat -c %u:%g etc/shadow && ls -d gone opaque/* 2>/dev/null; $0 podman image unmount example.com/ours:1 >/dev/null' "$LADE"
  out_is "$(printf 'secret\n7:8\nopaque/new')" "it does in podman unshare"

  holds "buildah builds on it" buildah from --name work example.com/ours:1
  # shellcheck disable=SC2016
  run buildah unshare --mount work --mount again=work sh -c 'echo more >$work/etc/more && rm -r $again/opaque && exit 6'
  exits 6 "lade mounts buildah's container"
  holds "which buildah commits" buildah commit --quiet work example.com/theirs:1
  holds "and removes" buildah rm work
  lade_checks example.com/theirs:1
  runs example.com/theirs:1 'cat /etc/more; ls /opaque 2>&1 | wc -l' "$(printf 'more\n1')"
  skopeo copy "$(store example.com/theirs:1)" "dir:theirs-$1"
  run copy --quiet "$(store example.com/theirs:1)" "dir:ours-$1"; exits 0 "lade copies it"
  holds "as skopeo does, to the byte" diff -r "theirs-$1" "ours-$1"

  serve "oci:served-$1"
  run podman push --quiet --tls-verify=false example.com/theirs:1 "docker://$registry/a/b:1"; exits 0 "lade pushes"
  holds "podman pulls that" podman pull --tls-verify=false "$registry/a/b:1"
  podman image inspect --format '{{.Id}}' "$registry/a/b:1"; cp out pulled
  run podman image inspect --format '{{.Id}}' example.com/theirs:1
  holds "and has the same image" cmp pulled out
  holds "podman pushes" podman push --tls-verify=false example.com/ours:1 "$registry/c/d:1"
  holds "and removes all" podman rmi --all --force
  run buildah pull --quiet --tls-verify=false "$registry/c/d:1"; exits 0 "lade pulls what podman pushed"
  runs "$registry/c/d:1" 'cat /etc/motd' one
  run podman rmi "$registry/c/d:1"; exits 0 "lade removes it"
  kill "$server"; server=
  holds "skopeo writes" skopeo copy oci:image:x "$(store example.com/skopeo:1)"
  lade_checks example.com/skopeo:1
  run delete "$(store example.com/skopeo:1)"; exits 0 "lade deletes what skopeo wrote"
  holds "podman agrees" podman images --quiet --all
  silent out "that there are no images"
  # shellcheck disable=SC2016
  run podman unshare sh -c 'ls -d $CONTAINERS_GRAPHROOT/overlay/*/diff $CONTAINERS_GRAPHROOT/vfs/dir/* 2>/dev/null'
  silent out "no layer is left"
}

share overlay
rm "$conf"
run podman unshare sh -c 'echo $CONTAINERS_GRAPHROOT $CONTAINERS_RUNROOT'
out_is "$store_home $XDG_RUNTIME_DIR/containers" "which is where it is without configuration"
configure overlay "$store_home"
holds "it is native overlay" grep -q false "$store_home/overlay/.has-mount-program"
run copy --quiet oci:image:x "$(store example.com/ours:1)"; exits 0 "the store is filled again"
own=$(id -u)
base=$(sed -n "s/^$(id -un):\([0-9]*\):.*/\1/p" /etc/subuid | head -n 1)
run podman unshare sh -c "ls -nd $store_home/overlay/*/diff/etc/shadow"
out_has " 7 8 " "owners are the image's inside"
run podman unshare sh -c "chmod go+x $store_home/overlay/*/diff/etc"
[ "$(stat -c %u "$store_home"/overlay/*/diff/etc/shadow)" = $((base + 6)) ]; ok $? "and those of the ranges outside"

# unshare: the status and the signals are the program's.
run podman unshare sh -c 'exit 7'; exits 7 "the status of podman unshare is the program's"
run podman unshare no-such-program; exits 127 "127 if there is none"
err_has 'Error: exec: "no-such-program": executable file not found in $PATH' "as podman says"
run podman unshare /etc/passwd; exits 126 "126 if it cannot be run"
err_has "Error: fork/exec /etc/passwd: permission denied" "as podman says"
run buildah unshare no-such-program; exits 1 "buildah has 1 for that"
run podman unshare --rootless-netns true; exits 125 "--rootless-netns is refused"
run podman unshare env
out_has _CONTAINERS_USERNS_CONFIGURED=done "programs are told that they are root of a namespace"
out_has "_CONTAINERS_ROOTLESS_UID=$own" "and whose"
run buildah unshare env; out_has BUILDAH_ISOLATION=rootless "buildah's are told what they can isolate"
run podman unshare "$LADE" podman unshare podman images --quiet; exits 0 "lade and podman work within each other's"
# signalled SIGNAL ARGUMENT...: what a program in unshare does when lade is sent the signal.
signalled() {
  signal=$1; shift
  rm -f ready
  # shellcheck disable=SC2016
  $LADE "$@" sh -c 'trap "exit 9" INT TERM HUP; echo $$ >ready; while :; do sleep 0.05; done' >out 2>err &
  lade=$!
  tries=0
  until [ -s ready ] || [ $tries -gt 200 ]; do tries=$((tries + 1)); sleep 0.05; done
  kill "-$signal" $lade
  wait $lade
  status=$?
}
buildah from --name work example.com/ours:1
for signal in TERM HUP; do
  signalled $signal podman unshare; exits 9 "SIG$signal reaches what podman unshare runs"
  signalled $signal buildah unshare --mount work; exits 9 "and what runs beside a mounted container"
done
signalled KILL buildah unshare --mount work; exits 137 "nobody survives lade"
sleep 0.2
holds "nor does the program" sh -c '! [ -d /proc/$0 ] || grep -q "^State:.Z" /proc/$0/status' "$(cat ready)"
buildah rm work

# Only what needs it enters a namespace.
cat >no-namespace <<'SCRIPT'
#!/bin/sh
echo "${0##*/} was run" >&2
exit 1
SCRIPT
chmod +x no-namespace
podman system migrate # ends podman's pause process, whose namespace could be joined
mkdir without && ln -s ../no-namespace without/newuidmap && ln -s ../no-namespace without/newgidmap
for words in "podman images" "podman image exists example.com/ours:1" "podman inspect example.com/ours:1" \
  "podman history example.com/ours:1" "podman image tree example.com/ours:1" "buildah images" "podman version"; do
  # shellcheck disable=SC2086
  PATH=$work/without:$PATH run $words; exits 0 "$words"
  silent err "enters no namespace"
done
PATH=$work/without:$PATH run podman tag example.com/ours:1 example.com/ours:2
err_has "newuidmap was run" "podman tag enters one"

# The runtime directory.
mkdir tmp
rm "$conf"
env -u XDG_RUNTIME_DIR TMPDIR="$work/tmp" $LADE podman pull --quiet oci:image:x >out 2>err
ok $? "without XDG_RUNTIME_DIR there is another place"
[ -d "/run/user/$own" ] || [ "$(stat -c %a "tmp/storage-run-$own")" = 700 ]; ok $? "that is the user's alone"
if [ ! -d "/run/user/$own" ]; then
  chmod 777 "tmp/storage-run-$own"
  env -u XDG_RUNTIME_DIR TMPDIR="$work/tmp" $LADE podman pull --quiet oci:image:x >out 2>err
  status=$?; exits 125 "one that others may write to is not taken"
  err_has "set XDG_RUNTIME_DIR" "and the error says what to do"
fi
configure overlay "$store_home"
holds "podman lists what is there" podman images
out_has example.com/ours "all the same"
holds "and removes it" podman rmi --all --force

# As in the tutorials of HPC sites: a store in memory, by the user's name.
printf '[storage]\ndriver = "overlay"\nrunroot = "/dev/shm/$USER/runroot"\ngraphroot = "/dev/shm/$USER/root"\n' >"$conf"
run podman pull --quiet oci:image:x; exits 0 "a store whose place is given by the user's name"
holds "is there" test -d "/dev/shm/$USER/root/overlay-images"
id=$(cat out)
holds "podman lists it" podman images --no-trunc --format '{{.ID}}'
out_has "$id" "there too"
runs "$id" 'cat /etc/shadow' secret
run podman rmi --force "$id"; exits 0 "lade removes it"
limits="--ulimit nofile=$(ulimit -n):$(ulimit -n) --ulimit nproc=1000:1000"
run podman pull --quiet oci:image:x
# shellcheck disable=SC2086
if podman run --rm --network none --cgroups=disabled $limits "$id" /bin/sh -c 'cat /etc/shadow; stat -c %u /etc/shadow'; then
  prints "$(printf 'secret\n7')" "podman runs it"
else
  echo "# containers cannot run here: $(tail -n 1 err)"
fi
podman unshare rm -rf "/dev/shm/$USER"

# vfs, beside the other.
configure vfs "$work/vfs-root"
share vfs

if [ -w /dev/fuse ] && command -v fuse-overlayfs >/dev/null; then
  configure overlay "$work/fuse-root" "[storage.options.overlay]" "mount_program = \"$(command -v fuse-overlayfs)\""
  share fuse
  holds "it is fuse-overlayfs" grep -q true "$work/fuse-root/overlay/.has-mount-program"
else
  echo "# no fuse-overlayfs"
fi
done_testing
