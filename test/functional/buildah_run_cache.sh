#!/bin/sh
# buildah run --cache: a step is not done again while nothing that it depends on has changed.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
busybox=$(command -v busybox) || { echo "1..0 # SKIP busybox is not installed"; exit 0; }
! ldd "$busybox" >/dev/null 2>&1 || { echo "1..0 # SKIP this busybox is not static"; exit 0; }
mkdir lower upper merged workdir
unshare --mount --pid --fork mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=workdir none merged 2>/dev/null ||
  { echo "1..0 # SKIP overlays or namespaces cannot be had"; exit 0; }
b() { run buildah --root "$work/root" --runroot "$work/runroot" "$@"; }
# A new container, and a step in it.
step() { b rm --all; b from --name c base; b run --network none --cache "$@"; }

b from --name c scratch; b mount c; mounted=$(cat out)
mkdir "$mounted/bin"; cp "$busybox" "$mounted/bin/busybox"; for name in sh cat date rm ls mkdir touch ln; do ln -s busybox "$mounted/bin/$name"; done
mkdir "$mounted/old"; echo 1 >"$mounted/old/file"; echo 2 >"$mounted/gone"
b umount c; b commit --quiet --rm c base

work_done='echo ran; date +%s%N >/when; rm -r /old /gone; mkdir /old; echo 3 >/old/new; ln /when /also'
step c sh -c "$work_done"; exits 0 "a step runs"; out_is ran "and is seen to"
b run --network none c cat /when; cp out when
step c sh -c "$work_done"; exits 0 "the same again"; silent out "is not run"
b run --network none c cat /when; holds "but leaves what it left" cmp -s out when
b run --network none c sh -c 'ls /old; ls /gone 2>/dev/null; ls -l /also'; out_has new "with its directories"; holds "and without what it removed" sh -c '! grep -qE "^(file|/gone)$" out'
holds "links stay links" grep -q ' 2 ' out
step --env X=1 c sh -c "$work_done"; out_is ran "another environment is another step"
step --user 5 c sh -c 'echo ran'; out_is ran "so is another user"
step c sh -c 'echo ran'; out_is ran "another command"

b rm --all; b from --name c base; b config --env Y=1 c
b run --network none --cache c sh -c "$work_done"; out_is ran "another configuration"
b rm --all; b from --name c base; b run --network none c touch /before
b run --network none --cache c sh -c "$work_done"; out_is ran "and a container that was changed"
b rm --all; b from --name c base; b run --network none c touch /before
b run --network none --cache c sh -c "$work_done"; silent out "unless it was changed the same way, whenever that was"

mkdir data; echo 1 >data/input
step --volume "$work/data:/data:ro" c sh -c 'echo ran; cat /data/input >/copy'; out_is ran "what is mounted"
step --volume "$work/data:/data:ro" c sh -c 'echo ran; cat /data/input >/copy'; silent out "counts"
echo 2 >data/input
step --volume "$work/data:/data:ro" c sh -c 'echo ran; cat /data/input >/copy'; out_is ran "by its content"
step --volume "$work/data:/data" c true; exits 125 "what could be written to"; err_has '/data, and would not the next time; add :ro or :O' "is refused"

step c sh -c 'echo ran; touch /partial; exit 3'; exits 3 "a step that fails"
step c sh -c 'echo ran; touch /partial; exit 3'; out_is ran "is run again"
b run --network none c ls /partial; exits 0 "and what it did is there"

for file in root/lade-steps/*.zst; do echo damage >>"$file"; done
step c sh -c "$work_done"; out_is ran "a damaged entry is not used"; err_has 'damaged' "and told"
step c sh -c "$work_done"; silent out "and made anew"
holds "nothing is left of the steps" test -z "$(find root -name 'step-*')" -a -z "$(grep -e /step- -e /merged /proc/self/mountinfo | grep "$work")"
b prune --force; step c sh -c "$work_done"; out_is ran "prune forgets the steps"
b rm --all; umount "$work/root/overlay" 2>/dev/null
done_testing
