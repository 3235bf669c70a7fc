#!/bin/sh
# One store, several tools: podman, buildah and skopeo on what lade wrote, and lade on what they wrote.
. "$(dirname "$0")/../functional/tap.sh"

for tool in podman buildah skopeo; do
  command -v $tool >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done
[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
if [ -z "${LADE_OWN_MOUNTS:-}" ]; then
  unshare --mount true 2>/dev/null || { echo "1..0 # SKIP mount namespaces are not to be had"; exit 0; }
  # What the tools mount is gone with them.
  LADE_OWN_MOUNTS=1 exec unshare --mount --propagation private sh "$here/${0##*/}"
fi

driver=overlay
root=$work/root runroot=$work/runroot
store() { echo "containers-storage:[$driver@$root+$runroot]$1"; }
podman() {
  command podman --root "$root" --runroot "$runroot" --storage-driver $driver --cgroup-manager cgroupfs \
    --events-backend file "$@" >"$work/out" 2>"$work/err"
}
buildah() { command buildah --root "$root" --runroot "$runroot" --storage-driver $driver "$@" >"$work/out" 2>"$work/err"; }
skopeo() { command skopeo --insecure-policy "$@" >"$work/out" 2>"$work/err"; }
status=-
# podman asks for more than a container that runs the tests may have.
limits="--ulimit nofile=$(ulimit -n):$(ulimit -n) --ulimit nproc=1000:1000"
prints() { [ "$(cat "$work/out")" = "$1" ]; ok $? "$2"; }
is_empty() { [ -z "$(ls -A "$1")" ]; }
names() { podman images --format '{{.Repository}}:{{.Tag}}' && sort -o "$work/out" "$work/out"; }
# Every layer's tar, made again from its files, has its digest.
lade_checks() { run copy --quiet "$(store "$1")" "dir:check-$number"; exits 0 "lade reads all of $1"; }
skopeo_checks() { holds "skopeo reads all of $1" skopeo copy "$(store "$1")" "dir:check-$number"; }
# shellcheck disable=SC2086
podman_runs() {
  if [ -n "$can_run" ]; then
    holds "podman runs $1" podman run --rm --network none --cgroups=disabled $limits "$1" /bin/sh -c "$2"
    prints "$3" "and it prints what it should"
  fi
}

# An image that can run: busybox, a second layer that changes and removes, with what is unusual.
mkdir -p base/bin base/etc base/gone base/opaque/old upper/etc upper/opaque
command -v busybox >/dev/null && cp "$(command -v busybox)" base/bin/busybox && ln -s busybox base/bin/sh
echo one >base/etc/motd
echo old >base/opaque/file
ln base/etc/motd base/etc/motd-too
mkfifo base/etc/fifo
chmod 4755 base/etc/motd-too
chown -h 7:8 base/opaque/file
printf 'x' >"base/etc/$(printf '\303\244\377')"
echo two >upper/etc/issue
: >upper/.wh.gone
: >upper/opaque/.wh..wh..opq
echo new >upper/opaque/new
tar --numeric-owner -cf base.tar -C base .
tar --numeric-owner --format=pax --mtime=@1234567890.123456789 -cf upper.tar -C upper .
can_run=
if [ -e base/bin/busybox ] && command podman --root "$work/probe" --runroot "$work/probe-run" info >/dev/null 2>&1; then
  can_run=maybe
fi

for driver in overlay vfs; do
  root=$work/root-$driver runroot=$work/run-$driver
  $LADE copy --quiet --insecure-policy tarball:base.tar:upper.tar oci:image:$driver || { echo "Bail out!"; exit 1; }

  run copy --quiet "oci:image:$driver" "$(store example.com/ours:1)"; exits 0 "$driver: lade fills a new store"
  holds "podman lists it" names
  prints example.com/ours:1 "by its name"
  holds "podman inspects it" podman image inspect example.com/ours:1
  lade_checks example.com/ours:1
  skopeo_checks example.com/ours:1
  if [ "$can_run" = maybe ]; then
    podman run --rm --network none --cgroups=disabled $limits example.com/ours:1 /bin/sh -c : || can_run=
    [ -n "$can_run" ] || echo "# containers cannot run here: $(head -n 1 "$work/err")"
  fi
  podman_runs example.com/ours:1 'cat /etc/motd /etc/issue /opaque/*; ls -d /gone /opaque/* 2>/dev/null' \
    "$(printf 'one\ntwo\nnew\n/opaque/new')"
  holds "podman mounts it" podman image mount example.com/ours:1
  mounted=$(tail -n 1 "$work/out")
  [ -e "$mounted/opaque/new" ] && [ ! -e "$mounted/gone" ] && [ ! -e "$mounted/opaque/file" ]
  ok $? "with the files of all layers"
  holds "and unmounts it" podman image unmount example.com/ours:1

  holds "buildah builds on it" buildah from --name work example.com/ours:1
  buildah mount work
  mounted=$(cat "$work/out")
  echo more >"$mounted/etc/more" && rm "$mounted/etc/issue" && rm -r "$mounted/opaque" && mkdir "$mounted/opaque"
  holds "and unmounts" buildah umount work
  holds "and commits" buildah commit --quiet work example.com/theirs:1
  holds "and removes its container" buildah rm work
  lade_checks example.com/theirs:1
  run inspect "$(store example.com/theirs:1)"; exits 0 "lade inspects what buildah committed"
  run inspect --config --raw "$(store example.com/theirs:1)"; exits 0 "and its config"

  # What both write elsewhere is the same.
  skopeo copy "$(store example.com/theirs:1)" dir:theirs-$driver
  run copy --quiet "$(store example.com/theirs:1)" dir:ours-$driver; exits 0 "lade copies it"
  holds "as skopeo does, to the byte" diff -r theirs-$driver ours-$driver
  serve oci:served-$driver
  run copy --quiet --dest-tls-verify=false "$(store example.com/theirs:1)" "docker://$registry/a/b:1"
  exits 0 "lade pushes it"
  holds "podman pulls it again" podman pull --tls-verify=false "$registry/a/b:1"
  podman image inspect --format '{{.Id}}' "$registry/a/b:1"; cp "$work/out" pulled
  podman image inspect --format '{{.Id}}' example.com/theirs:1
  holds "and it is the same image" cmp pulled out
  holds "podman pushes it" podman push --tls-verify=false example.com/ours:1 "$registry/c/d:1"
  run copy --quiet --src-tls-verify=false "docker://$registry/c/d:1" "$(store example.com/back:1)"
  exits 0 "lade pulls what podman pushed"
  podman_runs example.com/back:1 'cat /etc/motd' one
  kill "$server"; server=

  # Names and removal.
  holds "podman tags what lade wrote" podman tag example.com/ours:1 example.com/ours:2
  run copy --quiet "$(store example.com/theirs:1)" "$(store example.com/ours:1)"
  exits 0 "lade moves a name"
  podman image inspect --format '{{.Id}}' example.com/ours:1; cp "$work/out" moved
  podman image inspect --format '{{.Id}}' example.com/theirs:1
  holds "podman sees it at its new image" cmp moved out
  holds "podman makes a container" podman create --name user example.com/ours:2 /bin/sh
  run delete "$(store example.com/ours:2)"; exits 1 "lade does not delete an image in use"
  err_has "in use by a container" "and says so"
  holds "podman removes the container" podman rm user
  run delete "$(store example.com/ours:2)"; exits 0 "lade deletes it then"
  lade_checks example.com/theirs:1
  podman_runs example.com/theirs:1 'cat /etc/more' more
  run delete "$(store "@$(cat moved)")"; exits 0 "lade deletes the last by its ID"
  run copy --quiet "$(store example.com/theirs:1)" dir:nothing; exits 2 "an image that is gone"
  holds "podman agrees" podman images --quiet --all
  silent out "that there are no images"
  holds "no layer is left" sh -c "! ls -d $root/$driver/*/diff $root/vfs/dir/* 2>/dev/null"
  holds "no link is left" sh -c "[ ! -d $root/overlay/l ] || [ -z \"\$(ls -A $root/overlay/l)\" ]"
  holds "no temporary file is left" sh -c "[ -z \"\$(find $root -path '*temp-dir*' -o -name '.tmp-*')\" ]"

  # The other way round.
  run copy --quiet "oci:image:$driver" "$(store example.com/ours:1)"; exits 0 "the store can be filled again"
  holds "podman removes what lade wrote" podman rmi example.com/ours:1
  holds "and all of it is gone" sh -c "! ls -d $root/$driver/*/diff $root/vfs/dir/* 2>/dev/null"
  holds "skopeo writes" skopeo copy "oci:image:$driver" "$(store example.com/skopeo:1)"
  lade_checks example.com/skopeo:1
  run delete "$(store example.com/skopeo:1)"; exits 0 "lade deletes what skopeo wrote"
  umount "$root/$driver" 2>/dev/null
done
done_testing
