#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command line of mount.pcloud: options, errors in one line each, the background, signals.
. "$(dirname "$0")/../lib/lib.sh"
. "$SRC/tests/fs/mount.sh"
require_fuse
init_home
mnt=$TMP/mnt
mkdir "$mnt"

# refuses TEXT EXIT PATTERN ARGUMENT...: fails with that status, and one line on stderr that matches.
refuses() {
    local text=$1 status=$2 pattern=$3 rc; shift 3
    mount.pcloud "$@" >"$TMP/out" 2>"$TMP/err" </dev/null
    rc=$?
    is "$text: status" "$rc" "$status"
    is "$text: lines of the message ($(cat "$TMP/err"))" "$(wc -l <"$TMP/err")" 1
    ok "$text: message ($(cat "$TMP/err"))" grep -qiE -- "$pattern" "$TMP/err"
    is "$text: nothing on stdout" "$(cat "$TMP/out")" ''
    not_ok "$text: nothing is mounted" is_mounted "$mnt"
}

ok "help" mount.pcloud --help
for o in ro allow_other uid= gid= umask= noatime strictatime allow_dev allow_suid acl noacl locks= cache= writeback passphrase-file= foreground fsname= subtype= remount; do
    ok "help names $o" grep -qF -- "  $o" <(mount.pcloud --help)
    ok "the manual page names $o" grep -qF -- "$(sed 's/-/\\-/; s/=.*//' <<<"$o")" <(mount.pcloud --print-man)
done
ok "version" grep -qE '^mount.pcloud [0-9]' <(mount.pcloud --version)

refuses 'no arguments' 2 usage
refuses 'one argument' 2 usage "$PCLOUD_HOME"
refuses 'an unknown option' 2 "nonsense" "$PCLOUD_HOME" "$mnt" -o nonsense
refuses 'an unknown flag' 2 "'-Q'" -Q "$PCLOUD_HOME" "$mnt"
refuses 'a value too many' 2 "ro takes no value" "$PCLOUD_HOME" "$mnt" -o ro=1
refuses 'a missing value' 2 "uid needs a value" "$PCLOUD_HOME" "$mnt" -o uid=
refuses 'no number' 2 "not a number" "$PCLOUD_HOME" "$mnt" -o umask=99
refuses 'no such user' 2 "no 'nobody-here'" "$PCLOUD_HOME" "$mnt" -o uid=nobody-here
refuses 'a bad size' 1 "cache.size must be" "$PCLOUD_HOME" "$mnt" -o cache=lots
refuses 'no mount point' 1 "no such folder" "$PCLOUD_HOME" "$TMP/missing"
refuses 'remounting what is not mounted' 1 "no volume is mounted there" "$PCLOUD_HOME" "$mnt" -o remount,ro
refuses 'locks of another kind' 2 "local or shared, not 'some'" "$PCLOUD_HOME" "$mnt" -o locks=some
refuses 'another type' 2 "subtype: only pcloud, not 'ext4'" "$PCLOUD_HOME" "$mnt" -o subtype=ext4
touch "$TMP/file"
refuses 'a file as mount point' 1 "not a folder" "$PCLOUD_HOME" "$TMP/file"
refuses 'no home' 1 "no home" "$TMP/nohome" "$mnt"
mkdir "$TMP/empty"
refuses 'an empty folder as home' 1 "home" "$TMP/empty" "$mnt"
echo wrong >"$TMP/wrong"
refuses 'a wrong passphrase' 1 passphrase "$PCLOUD_HOME" "$mnt" -o "passphrase-file=$TMP/wrong"
refuses 'no passphrase file' 1 missing-file "$PCLOUD_HOME" "$mnt" -o "passphrase-file=$TMP/missing-file"
refuses 'a folder that is not there' 1 "not/there" "$PCLOUD_HOME:/not/there" "$mnt"
mkdir "$PCLOUD_HOME/inside"
refuses 'a mount point in the home' 1 "must not hold each other" "$PCLOUD_HOME" "$PCLOUD_HOME/inside"
rmdir "$PCLOUD_HOME/inside"

mount.pcloud -f "$PCLOUD_HOME" "$mnt" || fail "-f"
not_ok "-f mounts nothing" is_mounted "$mnt"

mount_home "$mnt" 'defaults,noauto,nofail,_netdev,x-systemd.automount,user,fsname=one\,two'
ok "it answers when the program returns" is_mounted "$mnt"
is "the type" "$(awk -v d="$mnt" '$2 == d { print $3 }' /proc/mounts)" fuse.pcloud
is "the source" "$(awk -v d="$mnt" '$2 == d { print $1 }' /proc/mounts)" one,two
ok "the state is written" grep -qF "\"path\":\"$mnt\"" "$PCLOUD_HOME/run/mount.json"
ok "with the process" grep -qF "\"pid\":$(mount_pids "$mnt")" "$PCLOUD_HOME/run/mount.json"
mount.pcloud "$PCLOUD_HOME" "$mnt" 2>"$TMP/err" </dev/null
is "a second mount is refused" "$?" 1
ok "a second mount is refused: why ($(cat "$TMP/err"))" grep -qiE 'already|mounted' "$TMP/err"
echo content >"$mnt/file"
pid=$(mount_pids "$mnt")
kill -HUP "$pid"
wait_until 10 grep -q 'read again' "$PCLOUD_HOME/log/mount.log"
begin=$SECONDS
kill -TERM "$pid"
wait_until 10 gone "$pid"
ok "SIGTERM takes no longer than 10 s" test $((SECONDS - begin)) -le 10
not_ok "SIGTERM unmounts" is_mounted "$mnt"
not_ok "and takes the state away" test -e "$PCLOUD_HOME/run/mount.json"

# SIGTERM while a file is open and a folder is used: detached, everything that was written is kept
mount_home "$mnt"
exec 7>"$mnt/open"
printf 'written before the end' >&7
pid=$(mount_pids "$mnt")
kill -TERM "$pid"
wait_until 10 gone "$pid"
exec 7>&-
mount_home "$mnt"
is "what was open is kept" "$(cat "$mnt/open")" 'written before the end'
unmount_home "$mnt"

mount_home "$mnt" ro
is "read-only: reading" "$(cat "$mnt/file")" content
not_ok "read-only: writing" touch "$mnt/new"
unmount_home "$mnt"

mount_home "$mnt" uid=12,gid=34,umask=027
is "shown owner, group and permissions" "$(stat -c %u:%g:%a "$mnt/file")" 12:34:750
unmount_home "$mnt"

mount_home "$mnt"
mkdir -p "$mnt/deep/er"
echo below >"$mnt/deep/er/f"
chmod 700 "$mnt/deep/er"
unmount_home "$mnt"
mount.pcloud "$PCLOUD_HOME:/deep/er" "$mnt" || fail "mounting a folder"
is "a folder as the root" "$(ls -A "$mnt")" f
is "its content" "$(cat "$mnt/f")" below
is "its permissions" "$(stat -c %a "$mnt")" 700
is "nothing is above it" "$(stat -c %i "$mnt/..")" "$(stat -c %i "$TMP")"
echo more >"$mnt/g"
mkdir "$mnt/sub"
unmount_home "$mnt"
mount_home "$mnt"
is "what was made there is in the whole volume" "$(cat "$mnt/deep/er/g")" more
ok "and so is a folder" test -d "$mnt/deep/er/sub"

# a mount whose process was killed is freed by the next one
pid=$(mount_pids "$mnt")
kill -KILL "$pid"
wait_until 10 gone "$pid"
not_ok "a dead mount does not answer" stat "$mnt/file"
mount_home "$mnt"
is "the next mount frees it" "$(cat "$mnt/file")" content
unmount_home "$mnt"

# in the foreground, as under systemd
python3 - "$TMP/notify" <<'END' >"$TMP/notified" &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print(s.recv(4096).decode(), flush=True)
END
wait_until 10 test -S "$TMP/notify"
NOTIFY_SOCKET=$TMP/notify mount.pcloud "$PCLOUD_HOME" "$mnt" -o foreground 2>"$TMP/foreground.log" &
pid=$!
on_exit kill "$pid"
wait_until 20 grep -q READY=1 "$TMP/notified"
ok "ready means mounted" is_mounted "$mnt"
ok "with the main process" grep -qx "MAINPID=$pid" "$TMP/notified"
kill -INT "$pid"
wait "$pid"
is "SIGINT ends with 0" "$?" 0
not_ok "SIGINT unmounts" is_mounted "$mnt"

# umount(8) as anybody does it
mount_home "$mnt"
pid=$(mount_pids "$mnt")
echo last >"$mnt/last"
fusermount3 -u "$mnt"
wait_until 10 gone "$pid"
mount_home "$mnt"
is "after umount everything is there" "$(cat "$mnt/last")" last
unmount_home "$mnt"

if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null && [ -e /sbin/mount.fuse3 ]; then
    # mount(8) looks for helpers in /sbin only: put ours over another one, in a name space of its own
    # shellcheck disable=SC2016
    ok "mount(8) finds the helper and its options" unshare -m sh -ec '
        mount --bind "$(command -v mount.pcloud)" /sbin/mount.fuse3
        mount -t fuse3 -o noatime,nofail,x-test "$PCLOUD_HOME" "$1"
        grep -q content "$1/file"
        umount "$1"' - "$mnt"
fi

if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    # and by the type that /proc/mounts shows, as fstab and test suites give it
    echo "$PCLOUD_HOME $mnt fuse.pcloud noauto,ro,nofail,fsname=tabled 0 0" >"$TMP/fstab"
    # shellcheck disable=SC2016
    ok "mount -t fuse.pcloud: source, type, options" unshare -m sh -ec '
        mkdir "$2/sbin"
        mount -t tmpfs none "$2/sbin"
        mkdir "$2/sbin/up" "$2/sbin/work"
        ln -s "$(command -v mount.pcloud)" "$2/sbin/up/mount.fuse.pcloud"
        mount -t overlay -o "lowerdir=$(readlink -f /sbin),upperdir=$2/sbin/up,workdir=$2/sbin/work" none "$(readlink -f /sbin)"
        mount -t fuse.pcloud -o noatime,subtype=pcloud,fsname=shown,default_permissions "$PCLOUD_HOME" "$1"
        test "$(awk -v d="$1" "\$2 == d { print \$1, \$3 }" /proc/mounts)" = "shown fuse.pcloud"
        awk -v d="$1" "\$2 == d" /proc/mounts | grep -q noatime
        grep -q content "$1/file"
        mount -o remount,ro "$1"
        if touch "$1/new" 2>"$2/err"; then exit 1; fi
        grep -q "Read-only" "$2/err"
        awk -v d="$1" "\$2 == d" /proc/mounts | grep nosuid | grep -q nodev
        mount -o remount,rw "$1"
        touch "$1/new"
        rm "$1/new"
        umount "$1"
        mount -t fuse.pcloud -o dev,suid,allow_dev,allow_suid "$PCLOUD_HOME" "$1"
        if awk -v d="$1" "\$2 == d" /proc/mounts | grep -qE "nosuid|nodev"; then exit 1; fi
        umount "$1"
        mount -T "$2/fstab" "$1"
        test "$(awk -v d="$1" "\$2 == d { print \$1, \$3 }" /proc/mounts)" = "tabled fuse.pcloud"
        if touch "$1/new" 2>"$2/err"; then exit 1; fi
        grep -q "Read-only" "$2/err"
        umount "$1"' - "$mnt" "$TMP"
fi
fsck_clean "$PCLOUD_HOME"
pass
