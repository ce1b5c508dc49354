#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An ordinary user (nobody: fusermount3 wants a name) makes a home and mounts it, by fusermount3; nobody else can look in.
. "$(dirname "$0")/../lib/lib.sh"
. "$SRC/tests/fs/mount.sh"
require_fuse
[ "$(id -u)" = 0 ] || skip "needs root, to become somebody else"
need setpriv
user=$(id -u nobody 2>/dev/null) || skip "no user nobody here"
as_user() { setpriv --reuid="$user" --regid="$user" --clear-groups env HOME="$TMP/theirs" PATH="$PATH" "$@"; }
as_user true 2>/dev/null || skip "cannot become another user"
if ! as_user test -r /dev/fuse -a -w /dev/fuse; then
    # the device is root's here: with one of ours in its place, in a name space of its own
    [ -z "${INNER:-}" ] || skip "other users may not use /dev/fuse"
    unshare -m true 2>/dev/null && mknod -m 666 "$TMP/fuse" c 10 229 || skip "other users may not use /dev/fuse"
    INNER=1 PCLOUD_TEST_TMP=$TMP unshare -m bash -c 'mount --bind "$1" /dev/fuse && exec bash "$2"' - "$TMP/fuse" "$0"
    rc=$?
    LIB_PASSED=1
    exit $rc
fi
as_user mount.pcloud --version >/dev/null 2>&1 || skip "other users cannot reach the build tree"
mkdir "$TMP/theirs"
chmod 755 "$TMP"
chown "$user:$user" "$TMP/theirs"
as_user test -w "$TMP/theirs" || skip "other users cannot reach $TMP"

home=$TMP/theirs/home mnt=$TMP/theirs/mnt
as_user mkdir "$mnt"
PCLOUD_KDF_FAST=1 as_user pcloud --home "$home" init >"$TMP/init.out" 2>&1 </dev/null || { cat "$TMP/init.out" >&2; fail "pcloud init"; }
on_exit fusermount3 -uz "$mnt"
as_user mount.pcloud "$home" "$mnt" </dev/null || fail "mounting as a user"
as_user sh -ec 'cd "$1"; echo mine >f; mkdir d; mv f d; cat d/f >/dev/null; chmod 600 d/f' - "$mnt" || fail "using it"
is "its owner sees it" "$(as_user cat "$mnt/d/f")" mine
is "what they make is theirs" "$(as_user stat -c %u:%g "$mnt/d/f")" "$user:$user"
not_ok "root may not look in" ls "$mnt" 2>/dev/null
not_ok "a user may not give files away" as_user chown 0 "$mnt/d/f" 2>/dev/null
pid=$(mount_pids "$mnt")
as_user fusermount3 -u "$mnt" || fail "unmounting as a user"
wait_until 10 gone "$pid"
as_user mount.pcloud "$home" "$mnt" </dev/null || fail "mounting again"
pid=$(mount_pids "$mnt")
is "it is all there" "$(as_user cat "$mnt/d/f")" mine
kill -TERM "$pid"
wait_until 10 gone "$pid"
not_ok "SIGTERM unmounts a user's mount" is_mounted "$mnt"
pass
