#!/bin/sh
# lade as an OCI runtime: the life of a container, what hostile bundles try, what is left behind.
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root"; exit 0; }
busybox=$(command -v busybox) || { echo "1..0 # SKIP busybox is not installed"; exit 0; }
unshare --mount --pid --fork true 2>/dev/null || { echo "1..0 # SKIP namespaces are not to be had"; exit 0; }
if ldd "$busybox" >/dev/null 2>&1; then echo "1..0 # SKIP busybox is not static"; exit 0; fi

LADE="$LADE runtime --root $work/state"
mkdir -p bundle/rootfs/bin bundle/rootfs/etc
cp "$busybox" bundle/rootfs/bin/busybox
for name in sh cat id ls sleep true echo grep readlink dd mount; do ln -s busybox bundle/rootfs/bin/$name; done
# config COMMAND [SED...]: the bundle's configuration, running COMMAND in a shell.
config() {
  rm -f bundle/config.json
  run spec --bundle bundle
  command=$1; shift
  awk -v command="$command" '{ gsub(/"terminal": true/, "\"terminal\": false"); i = index($0, "\"sh\"");
    if (i) $0 = substr($0, 1, i - 1) "\"sh\",\"-c\",\"" command "\"" substr($0, i + 4); print }' bundle/config.json >config.new
  for edit in "$@"; do sed -i "$edit" config.new; done
  mv config.new bundle/config.json
}
one_line() { tr -d '\n ' <"$1"; }
status_is() { run state "$1"; one_line out | grep -q "\"status\":\"$2\""; ok $? "$3"; }
nothing_left() {
  [ -z "$(ls -A "$work/state" 2>/dev/null)" ] && [ -z "$(find /sys/fs/cgroup -name "lade-$1" 2>/dev/null)" ]
  ok $? "$2"
}

config 'echo hello; exit 3'
run run --bundle bundle one; exits 3 "run gives the status of the process"; out_is hello "and its output"
nothing_left one "and leaves nothing"
config 'kill -TERM $$$$; sleep 5' 's/\$\$\$\$/$$/'
run run --bundle bundle one; exits 0 "the first process of a pid namespace is not ended by its own SIGTERM"
config 'echo x'; sed -i 's/"sh",/"nosuch",/' bundle/config.json
run run --bundle bundle one; exits 127 "a program that is not there gives 127"
err_has 'executable file `nosuch` not found in $PATH' "and is named"
nothing_left one "and nothing is left of the container"

config 'echo started; exec sleep 1000'
run create --bundle bundle --pid-file pid two; exits 0 "create makes a container"
silent out "whose program does not run yet"
status_is two created "it is created"
pid=$(cat pid)
holds "what waits is not lade's file" sh -c "readlink /proc/$pid/exe | grep -q memfd"
holds "and nothing can write to it" sh -c "! (: >>/proc/$pid/exe) 2>/dev/null"
run create --bundle bundle two; exits 1 "an id cannot be used twice"; err_has 'exists already' "and that is said"
run start two; exits 0 "start executes the program"
status_is two running "it is running"
run start two; exits 1 "a running container cannot be started"
run delete two; exits 1 "nor deleted"; err_has 'it is running' "and that is said"
run exec two id -u; exits 0 "exec runs a further process"; out_is 0 "as the container's user"
run exec --user 5:6 --env A=1,2 two sh -c 'id -u; id -g; echo $A'; out_is "5
6
1,2" "or another, with variables"
run exec two sh -c 'exit 9'; exits 9 "with its status"
run exec two nosuch; exits 127 "127 for a program that is not there"
run exec two sh -c 'ls /proc/self/fd | grep -vE "^[0-3]$"'; silent out "no descriptor of the host is open in it"
run ps two; out_has "$pid" "ps shows the processes"
run ps --format json two; out_has "[$pid" "as JSON too"
run list --quiet; out_is two "list shows the container"
run pause two && status_is two paused "pause pauses it"
run resume two && status_is two running "resume lets it go on"
run kill two KILL; exits 0 "kill sends a signal"
i=0; while kill -0 "$pid" 2>/dev/null && [ $i -lt 50 ]; do i=$((i + 1)); sleep 0.1; done
status_is two stopped "the container has stopped"
run kill two; exits 1 "a stopped container gets no signals"
run delete two; exits 0 "delete removes it"; nothing_left two "with everything"
run state two; exits 1 "then it does not exist"; err_has 'container `two` does not exist' "and that is said"
run delete --force two; exits 0 "delete --force does not mind"

config 'trap : TERM HUP INT; while :; do sleep 100; done'
run run --detach --bundle bundle stubborn; exits 0 "run --detach returns"
run delete --force stubborn; exits 0 "a process that ignores signals is ended by delete --force"
nothing_left stubborn "and nothing is left"
config 'i=0; while [ $i -lt 100 ]; do sleep 100 & i=$((i + 1)); done; wait'
run run --detach --bundle bundle bomb
run update --pids-limit 20 bomb; exits 0 "limits are changed"
run delete --force bomb; exits 0 "processes that multiply are ended too"; nothing_left bomb "and nothing is left"

# kill -9 at moments of run: the next command cleans what is left.
config 'exec sleep 1000'
for delay in 0.002 0.006 0.012 0.03; do
  # shellcheck disable=SC2086
  $LADE run --bundle bundle killed >/dev/null 2>&1 & lade=$!
  sleep $delay; kill -9 $lade 2>/dev/null; wait $lade 2>/dev/null
  run run --detach --bundle bundle killed; exits 0 "after kill -9 at $delay s the id can be used again"
  run delete --force killed
  nothing_left killed "and nothing is left"
done
chmod 777 "$work/state"
run create --bundle bundle killed; exits 1 "a state directory that others can write to is refused"; err_has 'can be written to by other users' "and that is said"
chmod 700 "$work/state"
mkdir "$work/state/killed"
run create --bundle bundle killed; exits 0 "a directory without a record is what a killed command left"
run delete --force killed

# What a hostile image tries.
mkdir outside; echo secret >outside/file
config 'cat /target/file'
ln -s "$work/outside" bundle/rootfs/target
sed -i 's|"mounts": \[|"mounts": [{"destination":"/target/made","type":"tmpfs","source":"tmpfs"},|' bundle/config.json
run run --bundle bundle escape
holds "a mount target behind a symbolic link stays inside of the root" test ! -e outside/made
rm -rf bundle/rootfs/target
mv bundle/rootfs/proc proc.real 2>/dev/null; ln -s /tmp bundle/rootfs/proc; mkdir -p bundle/rootfs/tmp
config 'echo ran'
run run --bundle bundle escape; exits 1 "an image whose /proc is a symbolic link is refused"
err_has 'symbolic link' "and that is said"
rm bundle/rootfs/proc
config 'ls -l /proc/interrupts'
mkdir -p bundle/rootfs/dev; ln -s /etc/passwd bundle/rootfs/dev/null
run run --bundle bundle masks; out_has '1,   3' "masks are the host's /dev/null, whatever the image has in its place"
rm -rf bundle/rootfs/dev
config 'echo ran' 's|"cwd": "/"|"cwd": "/proc/self/fd/7"|'
status=0
# shellcheck disable=SC2086
$LADE run --preserve-fds 5 --bundle bundle cwd >out 2>err 3<. 4<. 5<. 6<. 7</ || status=$?
exits 1 "a working directory outside of the container is refused (CVE-2024-21626)"
config 'echo ran'; printf '#!/proc/self/exe\n' >bundle/rootfs/bin/self; chmod 755 bundle/rootfs/bin/self
sed -i 's/"sh",/"self",/' bundle/config.json
run run --bundle bundle self
holds "executing /proc/self/exe does not execute lade (CVE-2019-5736)" sh -c '! grep -q "lade version\|Usage" out err'
config 'cat /proc/self/setgroups; grep -c . /proc/self/uid_map' 's|"type": "pid"|"type": "user"},{"type": "pid"|' \
  's|"linux": {|"linux": {"uidMappings":[{"containerID":0,"hostID":100000,"size":1000}],"gidMappings":[{"containerID":0,"hostID":100000,"size":1000}],|'
run run --bundle bundle mapped; exits 0 "a user namespace with maps works"; out_has allow "with setgroups"
done_testing
