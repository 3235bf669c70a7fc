#!/bin/sh
# lade store check and migrate on what podman and buildah wrote, and the other way round.
. "$(dirname "$0")/../functional/tap.sh"

for tool in podman buildah; do
  command -v $tool >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done
[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
if [ -z "${LADE_OWN_MOUNTS:-}" ]; then
  unshare --mount true 2>/dev/null || { echo "1..0 # SKIP mount namespaces are not to be had"; exit 0; }
  # What the tools mount is gone with them.
  LADE_OWN_MOUNTS=1 exec unshare --mount --propagation private sh "$here/${0##*/}"
fi

service=
trap '[ -z "$service" ] || kill $service 2>/dev/null; clean_up' EXIT
status=-
podman() {
  command podman --root "$work/$place" --runroot "$work/$place-run" --storage-driver $driver --cgroup-manager cgroupfs \
    --events-backend file "$@" >"$work/out" 2>"$work/err"
}
buildah() { command buildah --root "$work/$place" --runroot "$work/$place-run" --storage-driver $driver "$@" >"$work/out" 2>"$work/err"; }
has_check=
command podman system --help 2>/dev/null | grep -q '^  check ' && has_check=yes
podman_is_content() {
  podman images --quiet --all; ok $? "$1: podman lists it"
  [ -z "$has_check" ] || holds "$1: podman system check is content" podman system check
}
store_at() { echo "[$2@$work/$1+$work/$1-run]"; }
check() { run store check "$(store_at "$place" $driver)"; exits 0 "$1"; }

# With what is unusual, and a second layer that hides and replaces.
mkdir -p base/etc base/gone base/opaque/old upper/etc upper/opaque
echo one >base/etc/motd
echo old >base/opaque/file
ln base/etc/motd base/etc/motd-too
ln -s motd base/etc/link
mkfifo base/etc/fifo
mknod base/etc/null c 1 3
chmod 4755 base/etc/motd-too
chown -h 7:8 base/opaque/file base/etc/link
printf x >"base/etc/$(printf '\303\244\377')"
echo two >upper/etc/issue
: >upper/.wh.gone
: >upper/opaque/.wh..wh..opq
echo new >upper/opaque/new
tar --numeric-owner -cf base.tar -C base .
tar --numeric-owner --format=pax --mtime=@1234567890.123456789 -cf upper.tar -C upper .
$LADE copy --quiet tarball:base.tar:upper.tar oci:image:1 || { echo "Bail out!"; exit 1; }
for driver in overlay vfs; do
  place=store-$driver
  holds "$driver: podman pulls" podman pull --quiet oci:image
  podman tag "$(cat out)" example.com/one:1
  check "$driver: what podman wrote is sound"
  holds "buildah builds on it" buildah from --name work example.com/one:1
  check "with buildah's container"
  buildah mount work
  mounted=$(cat out)
  echo more >"$mounted/etc/more" && rm "$mounted/etc/issue" && rm -r "$mounted/opaque" && mkdir "$mounted/opaque"
  check "that is mounted and written to"
  holds "buildah commits" buildah commit --quiet work example.com/two:2
  check "with what buildah committed"
  holds "podman makes a container" podman create --name user example.com/one:1 /bin/sh
  check "with podman's container"
  holds "podman mounts an image" podman image mount example.com/two:2
  check "with a mounted image"
  podman image unmount --all; buildah umount work; buildah rm work
  podman_is_content "$driver"

  # Damage, mended: podman must not see any of it.
  orphan=$(printf '%064d' 7)
  case $driver in
    overlay) rm "$work/$place"/overlay/l/* && mkdir -p "$work/$place/overlay/$orphan/diff" ;;
    vfs) mkdir -p "$work/$place/vfs/dir/$orphan" ;;
  esac
  mkdir "$work/$place/$driver-images/$orphan"
  : >"$work/$place/$driver-layers/$orphan.tar-split.gz"
  run store check "$(store_at "$place" $driver)"; exits 1 "$driver: damage is found"
  run store check --repair "$(store_at "$place" $driver)"; exits 0 "and mended"
  check "so that nothing is wrong"
  podman_is_content "$driver, mended"
  holds "podman mounts a mended image" podman image mount example.com/two:2
  holds "with its files" test -e "$(cat out)/etc/more"
  podman image unmount --all
  run copy --quiet oci:image:1 "containers-storage:$(store_at ours-$driver $driver)example.com/ours:1"
  place=ours-$driver
  check "$driver: what lade wrote is sound"
  podman_is_content "$driver, by lade"
done

# Migration, one driver to the other.
run store migrate "$(store_at store-overlay overlay)" "$(store_at moved vfs)"; exits 0 "podman's store is migrated"
out_has "(user): containers are not migrated" "its container stays behind"
place=store-overlay driver=overlay
podman images --no-trunc --digests --format '{{.Id}} {{.Digest}} {{.Repository}}:{{.Tag}}'; sort out >before
place=moved driver=vfs
podman images --no-trunc --digests --format '{{.Id}} {{.Digest}} {{.Repository}}:{{.Tag}}'; sort out >after
holds "podman sees the same images" cmp before after
podman_is_content "migrated"
holds "podman mounts one" podman image mount example.com/two:2
holds "with its files" test -e "$(cat out)/etc/more"
podman image unmount --all
run store migrate --move "$(store_at store-overlay overlay)" "$(store_at moved vfs)"; exits 0 "and moved"
out_has "1 removed from the source, 1 not" "but for the image that the container uses"
place=store-overlay driver=overlay
holds "which podman still has" podman container exists user
podman_is_content "moved from"

# A daemon is a place as well.
place=daemon driver=vfs
command podman --root "$work/daemon" --runroot "$work/daemon-run" --storage-driver vfs --cgroup-manager cgroupfs \
  --events-backend none system service --time=0 "unix://$work/docker.sock" >service.log 2>&1 &
service=$!
for _ in $(seq 100); do [ -S docker.sock ] && break; sleep 0.1; done
run store migrate --dest-daemon-host "unix://$work/docker.sock" "$(store_at moved vfs)" docker-daemon:
exits 0 "a store is migrated into a daemon"
run store migrate --dest-daemon-host "unix://$work/docker.sock" "$(store_at moved vfs)" docker-daemon:
out_has "0 copied, 0 completed, 2 already there" "once"
run store migrate --src-daemon-host "unix://$work/docker.sock" docker-daemon: "$(store_at back overlay)"
exits 0 "and a daemon into a store"
place=back driver=overlay
podman images --no-trunc --format '{{.Id}} {{.Repository}}:{{.Tag}}'; sort out >after
cut -d ' ' -f 1,3 before >ids
holds "with the same images" cmp ids after
check "that is sound"
podman_is_content "out of a daemon"
done_testing
