#!/bin/sh
# Working containers that one of lade and the real buildah began, and the other goes on with.
. "$(dirname "$0")/../functional/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
command -v buildah >/dev/null || { echo "1..0 # SKIP buildah is not installed"; exit 0; }
root=$work/root runroot=$work/runroot
for driver in vfs overlay; do
  options="--root $root-$driver --runroot $runroot-$driver --storage-driver $driver"
  l() { run buildah $options "$@"; }
  b() { status=0; buildah $options "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?; }
  if [ $driver = overlay ]; then
    b from scratch; [ "$status" -eq 0 ] && b mount "$(cat out)"
    [ "$status" -eq 0 ] || { echo "# overlay cannot be mounted here"; continue; }
    b rm --all
  fi
  make_image dir:image-$driver
  l pull --quiet dir:image-$driver; l tag "$(cat out)" base
  echo text >file

  l from --name ours base; exits 0 "$driver: lade begins a container"
  l config --env A=1 --label l=v ours; l copy --quiet ours file /by-lade
  b containers --quiet; exits 0 "$driver: buildah lists a container of lade's"
  b inspect --format '{{.OCIv1.Config.Env}} {{.Docker.Config.Labels}} {{.FromImage}}' ours
  out_has '[A=1] map[l:v] localhost/base:latest' "and knows its settings"
  b config --env B=2 ours; exits 0 "it changes them"
  b copy --quiet ours file /by-buildah; exits 0 "and copies files into it"
  b commit --quiet ours theirs-of-ours; exits 0 "and makes an image of it"
  l inspect --type image --format '{{.OCIv1.Config.Env}}' theirs-of-ours; out_has '[A=1 B=2]' "which lade reads"

  b from --pull-never --name theirs theirs-of-ours; exits 0 "buildah begins one"
  l inspect --format '{{.OCIv1.Config.Env}} {{.FromImage}}' theirs; out_has '[A=1 B=2] localhost/theirs-of-ours:latest' "lade knows it"
  l config --cmd 'echo hi' --env A- theirs; l copy --quiet theirs file /etc/more
  l mount theirs; mounted=$(cat out)
  holds "all files are there" test -f "$mounted/by-lade" -a -f "$mounted/by-buildah" -a -f "$mounted/etc/more" -a -f "$mounted/etc/motd"
  [ -z "$mounted" ] || rm -f "$mounted/by-buildah"; l umount theirs
  b mount; silent out "what lade unmounted is not mounted for buildah"
  l commit --quiet theirs ours-of-theirs; exits 0 "lade makes an image of it"
  b inspect --type image --format '{{.OCIv1.Config.Env}} {{.OCIv1.Config.Cmd}} {{len .OCIv1.RootFS.DiffIDs}}' ours-of-theirs
  out_has '[B=2] [echo hi] 3' "that buildah reads"
  b from --pull-never --name check ours-of-theirs; b mount check; mounted=$(cat out)
  holds "what was removed is gone" test ! -e "$mounted/by-buildah"
  holds "and the rest there" test -f "$mounted/by-lade" -a -f "$mounted/etc/more"
  b umount check

  l rename ours renamed; b inspect --format '{{.Container}}' renamed; out_has renamed "a new name is known to both"
  b rm renamed; l containers --quiet --filter name=renamed; silent out "and a removed container"
  l rm --all; b containers --quiet; silent out "lade removes all of them"
  buildah $options rmi --all --force >/dev/null 2>&1; l images --quiet; silent out "and buildah all images"
  [ $driver = vfs ] || umount -l "$root-$driver/overlay" 2>/dev/null
done
done_testing
