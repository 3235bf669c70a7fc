# Sourced by tests of pulls that are killed. $root is the graph root, store IMAGE its name, podman runs podman on
# it; $inside is "", or what an ordinary user needs before a command to reach all files.

copy() { $LADE copy --quiet --insecure-policy "$@"; }
# layer NAME COUNT: a layer of COUNT files.
layer() {
  mkdir -p "layers/$1"
  i=0
  while [ $i -lt "$2" ]; do echo "$1 $i" >"layers/$1/$1-$i"; i=$((i + 1)); done
  tar --numeric-owner --owner=0 --group=0 -cf "$1.tar" -C "layers/$1" .
}

# kill_pulls COUNT: pulls that are killed at random moments of the time that one takes and a little more; podman
# opens the store all the same. Needs base.tar, and leaves the image oci:image:x.
kill_pulls() {
  tries=$1 opened=0 killed=0 failed=0
  layer big 400
  layer other 400
  tar --numeric-owner --owner=0 --group=0 -cf many.tar -C layers big other
  copy tarball:base.tar:many.tar:big.tar oci:image:x || exit 1
  begin=$(date +%s%N)
  copy oci:image:x "$(store example.com/killed:0)" || exit 1
  whole=$(($(date +%s%N) - begin))
  podman rmi --force example.com/killed:0 >out 2>err
  podman images --format '{{.Repository}}:{{.Tag}}' >before 2>err
  for try in $(seq "$tries"); do
    $LADE copy --quiet --insecure-policy oci:image:x "$(store "example.com/killed:$try")" 2>err-killed &
    victim=$!
    sleep "$(awk "BEGIN { srand($begin / 1000 + $try); print 1.5 * $whole * ($try - rand()) / $tries / 1e9 }")"
    kill -9 $victim 2>/dev/null
    wait $victim 2>/dev/null
    case $? in 0) ;; 137) killed=$((killed + 1)) ;; *) failed=$((failed + 1)) ;; esac
    podman images --format '{{.Repository}}:{{.Tag}}' >out 2>err && opened=$((opened + 1))
    # The image of those that came through would spare the next its work.
    if grep -q killed out; then podman rmi --force "example.com/killed:$try" >/dev/null 2>err; fi
  done
  echo "# $killed of $tries were killed before their end, within $((whole / 1000000)) ms"
  holds "none failed by itself" [ $failed -eq 0 ]
  holds "podman opened the store after each of $tries pulls that were killed" [ $opened -eq "$tries" ]
  podman images --format '{{.Repository}}:{{.Tag}}' >out 2>err
  holds "the names are all there" cmp before out
  copy oci:image:x "$(store example.com/killed:last)" 2>err
  ok $? "the next pull succeeds"
  copy "$(store example.com/killed:last)" dir:last 2>err
  ok $? "and its image is whole"
  check_remains
}

check_remains() {
  $inside ls -A "$root/overlay/tempdirs" "$root/overlay-layers/tmp" >out 2>&1
  holds "what the killed ones left is gone" sh -c "! grep -q temp-dir out"
  cat >compare.py <<'PYTHON'
import json, os, sys
root = sys.argv[1]
layers = {l["id"] for l in json.load(open(root + "/overlay-layers/layers.json"))}
on_disk = {d for d in os.listdir(root + "/overlay") if len(d) == 64}
split = {f[:64] for f in os.listdir(root + "/overlay-layers") if f.endswith(".tar-split.gz")}
links = {os.readlink(root + "/overlay/l/" + l).split("/")[1] for l in os.listdir(root + "/overlay/l")}
images = {i["id"] for i in json.load(open(root + "/overlay-images/images.json"))}
for name, found in (("directories", on_disk), ("tar-split files", split), ("links", links)):
    print(name, "without record:", sorted(found - layers), "missing:", sorted(layers - found))
    assert found == layers
assert all(i["layer"] in layers for i in json.load(open(root + "/overlay-images/images.json")))
PYTHON
  python3 compare.py "$root" >out 2>&1
  ok $? "records, directories, links and tar-split files agree"
}
