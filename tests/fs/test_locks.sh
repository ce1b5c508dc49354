#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Locks: kept by the kernel for each mount, or with locks=shared the same for all mounts of a home on this machine.
. "$(dirname "$0")/../lib/lib.sh"
. "$SRC/tests/fs/mount.sh"
require_fuse
need flock
init_home
build_c locks "$SRC/tests/fs/locks.c"
build_c fs_ops "$SRC"/tests/fs/ops/*.c
mkdir "$TMP/plain"
ok "the cases hold on a plain folder" "$TMP/locks" "$TMP/plain" "$TMP/plain"

mount_home "$TMP/a"
mount_home "$TMP/b"
ok "local: between programs of one mount" "$TMP/locks" "$TMP/a" "$TMP/a"
exec 7>"$TMP/a/each"
wait_until 5 test -e "$TMP/b/each"
flock -n 7 || fail "flock"
ok "local: another mount has its own" flock -n "$TMP/b/each" true
exec 7>&-
not_ok "local: no file is made for a lock" test -e "$PCLOUD_HOME/run/locks"
unmount_home "$TMP/a"
unmount_home "$TMP/b"

mount_home "$TMP/a" locks=shared
mount_home "$TMP/b" locks=shared
ok "shared: between programs of one mount" "$TMP/locks" "$TMP/a" "$TMP/a"
ok "shared: between two mounts" "$TMP/locks" "$TMP/a" "$TMP/b"
mkdir "$TMP/a/cases"
ok "shared: what every filesystem owes" "$TMP/fs_ops" "$TMP/a/cases" locks
no_lock_files() { [ -z "$(ls -A "$PCLOUD_HOME/run/locks")" ]; }
wait_until 10 no_lock_files

# the locks of a mount whose process is killed are free, the other's stay
exec 7>"$TMP/a/dead" 8>"$TMP/b/alive"
wait_until 5 test -e "$TMP/b/dead"
wait_until 5 test -e "$TMP/a/alive"
if ! flock -n 7 || ! flock -n 8; then fail "flock"; fi
not_ok "held by the first mount" flock -n "$TMP/b/dead" true
pid=$(mount_pids "$TMP/a")
kill -KILL "$pid"
wait_until 10 gone "$pid"
ok "free when it is killed" flock -n "$TMP/b/dead" true
not_ok "the other one's is held" flock -n "$TMP/b/alive" true
exec 7>&- 8>&-
wait_until 10 flock -n "$TMP/b/alive" true

# who waits when the mount ends is not left hanging
mount_home "$TMP/a" locks=shared
exec 8>"$TMP/b/alive"
flock -n 8 || fail "flock"
flock "$TMP/a/alive" true 2>/dev/null &
waiter=$!
number=$(printf '#include <sys/syscall.h>\nSYS_flock\n' | cc -E -xc - | tail -n 1)
waits() { grep -q "^$((number)) " "/proc/$waiter/syscall"; }
wait_until 10 waits
kill -TERM "$(mount_pids "$TMP/a")"
wait_until 10 gone "$waiter"
exec 8>&-
unmount_home "$TMP/a"
unmount_home "$TMP/b"
wait_until 10 no_lock_files
fsck_clean "$PCLOUD_HOME"
pass
