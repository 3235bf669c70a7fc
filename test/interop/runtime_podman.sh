#!/bin/sh
# podman and conmon with lade as their OCI runtime.
. "$(dirname "$0")/../functional/tap.sh"
# Compiled filters are kept.
containers_of_runtime() { ls -A /run/lade-runtime 2>/dev/null | grep -v '^:seccomp$'; }
before=$(containers_of_runtime)

for tool in podman conmon busybox; do
  command -v $tool >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done
[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root for a store in a folder of its own"; exit 0; }
if [ -z "${LADE_OWN_MOUNTS:-}" ]; then
  unshare --mount true 2>/dev/null || { echo "1..0 # SKIP mount namespaces are not to be had"; exit 0; }
  LADE_OWN_MOUNTS=1 exec unshare --mount --propagation private sh "$here/${0##*/}"
fi

ln -s "$program" lade-runtime
case $program in /*) ;; *) echo "Bail out! LADE is not absolute"; exit 1 ;; esac
mkdir -p rootfs/bin rootfs/etc
cp "$(command -v busybox)" rootfs/bin/busybox
for name in sh cat id echo sleep true tty ls; do ln -s busybox rootfs/bin/$name; done
podman() {
  status=0
  command podman --root "$work/root" --runroot "$work/runroot" --storage-driver vfs --cgroup-manager cgroupfs \
    --events-backend file --runtime "$work/lade-runtime" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}
# podman asks for more than a container that runs the tests may have.
limits="--ulimit nofile=1024:1024 --ulimit nproc=1000:1000 --network none"
tar -C rootfs -cf rootfs.tar .
podman import rootfs.tar test:1; [ $status -eq 0 ] || { echo "1..0 # SKIP podman cannot import here"; exit 0; }

# shellcheck disable=SC2086
podman run --rm $limits test:1 /bin/echo hello; exits 0 "podman runs a container"; out_is hello "and gets its output"
# shellcheck disable=SC2086
podman run --rm $limits test:1 /bin/sh -c 'exit 7'; exits 7 "its exit status"
# shellcheck disable=SC2086
podman run --rm $limits test:1 /bin/nosuch; exits 127 "127 for a program that is not there"
# shellcheck disable=SC2086
podman run --rm $limits test:1 /proc; exits 126 "126 for what cannot be executed"
mkdir volume; echo data >volume/file
# shellcheck disable=SC2086
podman run --rm $limits --read-only --user 1000:1000 -v "$work/volume:/v:ro" --tmpfs /t test:1 \
  /bin/sh -c 'cat /v/file; echo more >/t/x && cat /t/x; echo no >/v/file'
exits 1 "a read-only volume is one"; out_is "data
more" "volumes and tmpfs are there"
# shellcheck disable=SC2086
podman run --rm $limits --uidmap 0:100000:1000 test:1 /bin/sh -c 'id -u; cat /proc/self/uid_map'
exits 0 "a user namespace"; out_has 100000 "has its map"
# shellcheck disable=SC2086
podman run --rm $limits --privileged test:1 /bin/true; exits 0 "a privileged container"
# shellcheck disable=SC2086
podman run --rm $limits -m 64m --pids-limit 50 test:1 /bin/echo limited; exits 0 "limits"
# shellcheck disable=SC2086
podman run --rm -t $limits test:1 /bin/tty; exits 0 "a terminal"; out_has /dev/pts/0 "is a terminal"
# shellcheck disable=SC2086
podman run -d --name long $limits test:1 /bin/sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done'
exits 0 "a container in the background"
podman exec long /bin/id -u; exits 0 "exec"; out_is 0 "gets its output"
podman exec long /bin/sh -c 'exit 9'; exits 9 "and status"
podman exec -t long /bin/tty; out_has /dev/pts "and a terminal"
podman pause long; exits 0 "pause"
podman unpause long; exits 0 "unpause"
podman stop -t 5 long; exits 0 "stop"
podman inspect long --format '{{.State.ExitCode}} {{.State.Status}}'; out_is "5 exited" "it ended as it wanted"
podman rm long; exits 0 "rm"
holds "no state is left" test "$(containers_of_runtime)" = "$before"
podman rmi -af
done_testing
