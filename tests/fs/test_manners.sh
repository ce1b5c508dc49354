#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Manners of a local disk: the trash, read-only, times to the nanosecond, what df says.
. "$(dirname "$0")/../lib/lib.sh"
. "$SRC/tests/fs/mount.sh"
require_fuse
need python3

# a disk of its own where that can be: then its figures are nobody else's
disk=$TMP
if [ "$(id -u)" = 0 ] && mkdir "$TMP/disk" && mount -t tmpfs -o size=256m none "$TMP/disk" 2>/dev/null; then
    disk=$TMP/disk
    on_exit umount -l "$disk"
fi
init_home "$disk/home"
mount_home "$TMP/mnt"
m=$TMP/mnt
mkdir "$m/kept" "$m/empty"
printf 'content\n' >"$m/kept/file"
ln -s file "$m/kept/link"

# a file manager's trash, at the top of the mount
if command -v gio >/dev/null; then
    mkdir "$m/letters"
    echo one >"$m/letters/a"
    echo two >"$m/a"
    ok "trash a file" gio trash "$m/a"
    ok "and one of the same name" gio trash "$m/letters/a"
    ok "and a folder" gio trash "$m/letters"
    bin=$m/.Trash-$(id -u)
    not_ok "it is gone" test -e "$m/a"
    is "it is in the trash of the volume, not copied to the home" "$(cat "$bin"/files/a* | sort | tr '\n' ' ')" 'one two '
    ok "a folder too" test -d "$bin/files/letters"
    is "each with the place it came from" "$(sed -n 's/^Path=//p' "$bin"/info/*.trashinfo | sort | tr '\n' ' ')" 'a letters letters/a '
    is "the trash is its owner's alone" "$(stat -c %a:%u "$bin")" "700:$(id -u)"
    ok "and can be emptied" rm -rf "$bin"
fi

# times, on this mount and the next one
touch -d '2001-02-03 04:05:06.123456789Z' "$m/kept/file"
touch -d '1955-11-05 06:15:00.000000001Z' "$m/empty"
unmount_home "$m"
mount_home "$m"
is "nanoseconds are kept" "$(TZ=UTC stat -c %y "$m/kept/file")" '2001-02-03 04:05:06.123456789 +0000'
is "before 1970 too" "$(TZ=UTC stat -c %y "$m/empty")" '1955-11-05 06:15:00.000000001 +0000'

# df shows the disk behind
figures() { stat -fc '%S %b %f %a' "$1" | awk '{ print $1 * $2, $1 * $3, $1 * $4 }'; }
is "the size is the disk's" "$(figures "$m" | cut -d' ' -f1)" "$(figures "$disk/home" | cut -d' ' -f1)"
if [ "$disk" != "$TMP" ]; then
    same() { [ "$(figures "$m")" = "$(figures "$disk")" ]; }
    wait_until 20 same
    before=$(figures "$m" | cut -d' ' -f3)
    head -c 52428800 /dev/urandom >"$m/big"
    sync -f "$m"
    ok "50 MiB take 50 MiB" test $((before - $(figures "$m" | cut -d' ' -f3))) -ge 52428800
    ok "and not twice that" test $((before - $(figures "$m" | cut -d' ' -f3))) -le 104857600
    wait_until 20 same
fi
unmount_home "$m"

# read-only: every way to change something is refused, and reading leaves no trace
mount_home "$m" ro
atime=$(stat -c %x "$m/kept/file")
cat >"$TMP/ro.py" <<'END'
import errno, os, socket, sys
m = sys.argv[1]
f, d, l = m + '/kept/file', m + '/empty', m + '/kept/link'
ways = {
    'create': lambda: os.open(m + '/new', os.O_CREAT | os.O_WRONLY),
    'open for writing': lambda: os.open(f, os.O_WRONLY),
    'open for both': lambda: os.open(f, os.O_RDWR),
    'append': lambda: os.open(f, os.O_WRONLY | os.O_APPEND),
    'open and cut': lambda: os.open(f, os.O_RDONLY | os.O_TRUNC),
    'truncate': lambda: os.truncate(f, 0),
    'mkdir': lambda: os.mkdir(m + '/new'),
    'rmdir': lambda: os.rmdir(d),
    'unlink': lambda: os.unlink(f),
    'rename': lambda: os.rename(f, m + '/new'),
    'link': lambda: os.link(f, m + '/new'),
    'symlink': lambda: os.symlink('x', m + '/new'),
    'mkfifo': lambda: os.mkfifo(m + '/new'),
    'chmod': lambda: os.chmod(f, 0o600),
    'chown': lambda: os.chown(f, os.getuid(), os.getgid()),
    'lchown': lambda: os.lchown(l, os.getuid(), os.getgid()),
    'utime': lambda: os.utime(f),
    'setxattr': lambda: os.setxattr(f, 'user.a', b'b'),
    'removexattr': lambda: os.removexattr(f, 'user.a'),
    'set a list': lambda: os.setxattr(d, 'system.posix_acl_default', b'\2\0\0\0\1\0\6\0\xff\xff\xff\xff\4\0\4\0\xff\xff\xff\xff\x20\0\4\0\xff\xff\xff\xff'),
}
def bind():
    socket.socket(socket.AF_UNIX).bind(os.path.relpath(m + '/new'))
ways['bind a socket'] = bind
bad = 0
for name, way in ways.items():
    try:
        way()
        got = 'no error'
    except OSError as e:
        got = errno.errorcode[e.errno]
    if got != 'EROFS':
        print(name, got)
        bad = 1
sys.exit(bad)
END
(cd "$TMP" && ok "every change is refused with EROFS" python3 "$TMP/ro.py" "$m") || exit 1
LIB_CHECKS=$((LIB_CHECKS + 1))
is "what is there can be read" "$(cat "$m/kept/link")" content
is "and reading leaves no time" "$(stat -c %x "$m/kept/file")" "$atime"
ok "locks for reading can be had" flock -s -n "$m/kept/file" true
unmount_home "$m"
mount_home "$m"
is "nothing changed, not even the time of reading" "$(stat -c %x "$m/kept/file")" "$atime"
is "nothing changed" "$(cat "$m/kept/file"; TZ=UTC stat -c %y:%a "$m/kept/file")" "$(printf 'content\n2001-02-03 04:05:06.123456789 +0000:644')"
unmount_home "$m"

# what the disk can never hold is refused; only on the mount, an ordinary disk would be filled up by trying
cat >"$TMP/room.py" <<'END'
import errno, os, sys
fd = os.open(sys.argv[1] + '/large', os.O_CREAT | os.O_RDWR)
fs = os.fstatvfs(fd)
try:
    os.posix_fallocate(fd, 0, 2 * fs.f_bavail * fs.f_frsize)
    sys.exit('no error')
except OSError as e:
    assert e.errno == errno.ENOSPC, e
assert os.fstat(fd).st_size == 0
os.posix_fallocate(fd, 0, 1 << 20)
assert os.fstat(fd).st_size == 1 << 20
END
mount_home "$m"
ok "more than the disk is no space" python3 "$TMP/room.py" "$m"
unmount_home "$m"

# times of reading, as they were asked for: reading moves_time what's there, or not
moves_time() {
    local before; before=$(stat -c %x "$m/kept/file")
    cat "$m/kept/file" >"$TMP/read"
    [ "$(stat -c %x "$m/kept/file")" != "$before" ]
}
mount_home "$m"
cat "$m/kept/file" >"$TMP/read"
not_ok "relatime: a second reading leaves no time" moves_time
unmount_home "$m"
mount_home "$m" strictatime
for _ in 1 2 3; do ok "strictatime: every reading does" moves_time; done
unmount_home "$m"
mount_home "$m" strictatime,noatime
not_ok "noatime: none does" moves_time
unmount_home "$m"
fsck_clean "$PCLOUD_HOME"
pass
