#!/bin/sh
# SIF files as a source.
. "$(dirname "$0")/tap.sh"

if ! command -v mksquashfs >/dev/null; then echo "1..0 # SKIP mksquashfs is not here"; exit 0; fi
mkdir -p root/etc root/bin
echo hello >root/etc/motd
ln root/etc/motd root/etc/again
ln -s ../etc/motd root/bin/link
head -c 3000000 /dev/urandom >root/random
truncate -s 5M root/holes
mkfifo root/fifo
find root -exec touch -h -d @1500000000 {} +
mksquashfs root plain.squashfs -quiet -no-progress -all-root >/dev/null
printf 'Bootstrap: docker\n%%environment\n  export A=1\n  # not this\n%%runscript\n  echo "$A"\n%%labels\n  b c\n' >with.def
python3 "$here/../support/make_sif.py" app.sif with.def plain.squashfs
run copy sif:app.sif dir:image; exits 0 "a SIF file is copied"
layer=$(python3 -c 'import json; print(json.load(open("image/manifest.json"))["layers"][0]["digest"][7:])')
mkdir unpacked
holds "its root file system is one layer" tar -xf "image/$layer" -C unpacked
holds "with what a script does" test "$(cat unpacked/podman/runscript)" = '#!/bin/bash
export A=1
echo "$A"'
rm -r unpacked/podman
holds "and every file as it was" diff -r --no-dereference --exclude fifo root unpacked
holds "hard links are links" test unpacked/etc/motd -ef unpacked/etc/again
holds "times too" test "$(stat -c %Y unpacked/random)" = 1500000000
run inspect --config sif:app.sif
out_has '"/podman/runscript"' "the script is what runs"
out_has '"created": "2020-09-13T12:26:40Z"' "the time is the file's own"
run copy sif:app.sif dir:second; holds "the digest is the same each time" cmp image/manifest.json second/manifest.json
echo 'Bootstrap: docker' >without.def
python3 "$here/../support/make_sif.py" bare.sif without.def plain.squashfs
run inspect --config sif:bare.sif; out_has '"bash"' "without a script it is bash"
head -c 100000 app.sif >cut.sif
run copy sif:cut.sif dir:cut; exits 1 "a file that was cut off is refused"; err_has 'lies outside of the file' "and says why"
python3 -c '
data = bytearray(open("app.sif", "rb").read())
for at in range(len(data) - 2000, len(data) - 100, 7): data[at] ^= 0x55
open("bad.sif", "wb").write(data)'
run copy sif:bad.sif dir:bad; exits 1 "a damaged file system is refused"
holds "and leaves nothing" test ! -e bad/manifest.json
run copy dir:image sif:new.sif; err_has 'can only be read from' "SIF files are not written"
run inspect sif:with.def; err_has 'not a valid SIF file' "other files are refused"
done_testing
