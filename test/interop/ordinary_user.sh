# Sourced first by tests that an ordinary user runs, with $0 the test: comes back in a process of such a user.
# For root it is one that is made up for the test: own passwd, group, subuid and subgid files, /dev/shm and open
# /dev/fuse and /dev/net/tun in a mount namespace. Nothing of the machine changes, and what runs as that user is
# ended with the test.
# $ranges: "none" for a user without ranges in subuid and subgid.
script=$(cd "$(dirname "$0")" && pwd)/${0##*/}
program=${LADE%% *}
LADE=$(cd "$(dirname "$program")" && pwd)/${program##*/}${LADE#"$program"}
export LADE
skip_all() { echo "1..0 # SKIP $1"; exit 0; }

if [ -z "${LADE_STAGE:-}" ]; then
  for tool in podman buildah skopeo newuidmap newgidmap setpriv; do
    command -v $tool >/dev/null || skip_all "$tool is not installed"
  done
  if [ "$(id -u)" -ne 0 ]; then
    [ "${ranges:-}" != none ] || skip_all "the user has to be made up: needs root"
    grep -q "^$(id -un):" /etc/subuid && grep -q "^$(id -un):" /etc/subgid ||
      skip_all "there are no ranges for this user in /etc/subuid and /etc/subgid"
  else
    [ "$(awk '{ print $3; exit }' /proc/self/uid_map)" = 4294967295 ] || skip_all "needs root over all IDs"
    unshare --mount true 2>/dev/null || skip_all "mount namespaces are not to be had"
    outer=$(mktemp -d)
    # Of no user of the machine, and of no other test at this time.
    uid=$((60000 + $$ % 5000 + $(date +%N | sed 's/^0*//;s/...$//') % 400000))
    LADE_STAGE=mounts LADE_OUTER=$outer LADE_UID=$uid unshare --mount --propagation private sh "$script"
    status=$?
    # podman's pause process, and what an interrupted test left.
    for process in /proc/[0-9]*; do
      [ "$(stat -c %u "$process" 2>/dev/null)" != "$uid" ] || kill -9 "${process#/proc/}" 2>/dev/null
    done
    rm -rf "$outer"
    exit $status
  fi
elif [ "$LADE_STAGE" = mounts ]; then
  set -e
  outer=$LADE_OUTER uid=$LADE_UID
  mount --make-rshared /
  for file in passwd group subuid subgid; do
    cp /etc/$file "$outer/$file" 2>/dev/null || : >"$outer/$file"
  done
  echo "lade-test:x:$uid:$uid::$outer/home:/bin/sh" >>"$outer/passwd"
  echo "lade-test:x:$uid:" >>"$outer/group"
  for file in subuid subgid; do
    [ "${ranges:-}" = none ] || echo "lade-test:700000:65536" >>"$outer/$file"
    [ -e /etc/$file ] || : >/etc/$file
  done
  for file in passwd group subuid subgid; do mount --bind "$outer/$file" /etc/$file; done
  for device in fuse net/tun; do
    [ -e /dev/$device ] || continue
    node=$outer/device-${device#net/}
    mknod "$node" c "$(stat -c 0x%t /dev/$device)" "$(stat -c 0x%T /dev/$device)"
    chmod 666 "$node"
    mount --bind "$node" /dev/$device
  done
  mount -t tmpfs -o mode=1777 none /dev/shm
  # Of both hierarchies side by side, crun uses neither.
  [ ! -d /sys/fs/cgroup/unified ] || mount -t cgroup2 none /sys/fs/cgroup || :
  mkdir "$outer/home" "$outer/tmp"
  chown "$uid:$uid" "$outer/home" "$outer/tmp"
  chmod 755 "$outer"
  as_user="setpriv --reuid $uid --regid $uid --clear-groups"
  program=${LADE%% *}
  if ! $as_user test -x "$program"; then
    cp "$program" "$outer/lade"
    LADE=$outer/lade${LADE#"$program"}
  fi
  set +e
  cd "$outer/home" || exit 1
  # shellcheck disable=SC2086
  $as_user env -i PATH="$PATH" LADE="$LADE" LADE_STAGE=user TMPDIR="$outer/tmp" USER=lade-test LOGNAME=lade-test \
    SHELL=/bin/sh LADE_KILLS="${LADE_KILLS:-}" sh "$script"
  exit $?
fi
