#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The threads that serve requests: few for one program, and none of them waits for another's long request.
. "$(dirname "$0")/../lib/lib.sh"
. "$SRC/tests/fs/mount.sh"
require_fuse
init_home
mount_home "$TMP/mnt" threads=32
mnt=$TMP/mnt

mkdir "$mnt/serial" "$mnt/other"
echo here >"$mnt/other/file"
pid=$(mount_pids "$mnt")
python3 - "$mnt/serial" <<'PY' || fail "files could not be made"
import sys
for i in range(1000):
    with open("%s/f%d" % (sys.argv[1], i), "wb") as f:
        f.write(b"x" * 100)
PY
n=$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)
ok "one program does not have every thread started ($n)" test "$n" -lt 16

# hold LEASE: keep every writer of the home waiting until our input ends.
hold() {
    python3 - "$1" 3<&0 <<'PY'
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, 38, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 1, 0))  # F_OFD_SETLKW
print("held", flush=True)
os.read(3, 1)
PY
}

# nothing is uncommitted then, and the lease is free
sync -f "$mnt"
mkfifo "$TMP/end"
hold "$PCLOUD_HOME/meta/lease" <"$TMP/end" >"$TMP/held" &
holder=$!
exec 8>"$TMP/end"
wait_until 10 grep -q held "$TMP/held"
touch "$mnt/serial/late" 8>&- &
maker=$!
sees() { [ "$(timeout 5 stat -c %s "$mnt/other/file")" = 5 ]; }
for i in 1 2 3 4; do
    echo 2 >/proc/sys/vm/drop_caches 2>/dev/null || true
    ok "answers while a request is kept, $i" sees
done
ok "which is kept still" kill -0 "$maker"
exec 8>&-
wait "$holder" "$maker"
ok "and done in the end" test -e "$mnt/serial/late"

# the end comes while a request is served: it is waited for
unmount_home "$mnt"
mount_home "$mnt" threads=1
is "one thread serves as well" "$(find "$mnt/serial" -type f | wc -l)" 1001
unmount_home "$mnt"
pass
