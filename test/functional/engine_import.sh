#!/bin/sh
# podman's import: an image of a tar file.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
root=$work/root runroot=$work/runroot
podman() { run podman --root "$root" --runroot "$runroot" --storage-driver vfs "$@"; }

mkdir files; echo hello >files/motd
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf files.tar -C files .
touch -d '2020-01-02 03:04:05 UTC' files.tar
gzip -k files.tar

podman import --quiet files.tar; exits 0 "a tar file becomes an image"
holds "its ID is printed" grep -Eqx 'sha256:[0-9a-f]{64}' out; silent err "and nothing else"
podman import --quiet --message why --os linux --arch arm64 --variant v8 -c 'CMD ["sh","-c"]' -c ENV=A=b \
  -c 'LABEL k="v w"' -c 'EXPOSE 80/udp' -c 'WORKDIR /w' -c 'STOPSIGNAL TERM' files.tar.gz app:1
exits 0 "with changes, also compressed"; id=$(sed s/sha256:// out)
podman inspect --format '{{.Id}} {{.RepoTags}} {{.Architecture}} {{.Os}} {{.Comment}} {{.Config.WorkingDir}} {{.Labels}}' app:1
out_is "$id [localhost/app:1] arm64 linux why /w map[k:v w]" "which it has"
podman inspect --format '{{.Config.Cmd}} {{.Config.Env}} {{.Config.StopSignal}} {{.Created}}' app:1
out_is '[sh -c] [A=b] 15 2020-01-02 03:04:05 +0000 UTC' "it is as old as the file"
podman history --format '{{.CreatedBy}}' --no-trunc app:1; out_has '/bin/sh -c #(nop) ADD file:' "its history says where it is from"

# shellcheck disable=SC2086
status=0; $LADE podman --root "$root" --runroot "$runroot" --storage-driver vfs import --quiet - piped <files.tar >out 2>err || status=$?
exits 0 "standard input is a source"
podman image exists piped; exits 0 "with a name"
python3 -m http.server --bind 127.0.0.1 0 >web.out 2>&1 & server=$!
tries=0
until port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' web.out) && [ -n "$port" ] || [ $tries -gt 50 ]; do tries=$((tries + 1)); sleep 0.1; done
podman import --quiet "http://127.0.0.1:$port/files.tar" web; exits 0 "a web address too"
out_has "Downloading from \"http://127.0.0.1:$port/files.tar\"" "which is told"
podman import --quiet "http://127.0.0.1:$port/nosuch.tar"; exits 125 "what is not there"; err_has 'answered 404' "is an error"

podman import --change 'RUN x' files.tar; exits 125 "RUN is no change"
err_has 'Error: invalid change "RUN x" - invalid instruction RUN' "and is named"
podman import nosuch.tar; err_has 'open nosuch.tar: no such file or directory' "a file that is not there is named"
podman import; err_has 'accepts between 1 and 2 arg(s), received 0' "a source is needed"
podman import a:b; err_has "should not contain ':'" "a name with a colon is none"
podman image import --quiet files.tar other; exits 0 "image import is the same"
done_testing
