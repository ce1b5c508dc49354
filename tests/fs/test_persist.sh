#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What was written is there after a new mount; what was synced is there after kill -9.
. "$(dirname "$0")/../lib/lib.sh"
. "$SRC/tests/fs/mount.sh"
require_fuse
init_home
mnt=$TMP/mnt
mount_home "$mnt"

mkdir -p "$mnt/tree/sub dir/ünïcode"
head -c 5000000 /dev/urandom >"$mnt/tree/big"
for i in $(seq 200); do echo "small $i" >"$mnt/tree/sub dir/$i"; done
ln -s big "$mnt/tree/link"
ln "$mnt/tree/big" "$mnt/tree/hard"
mkfifo "$mnt/tree/fifo"
chmod 640 "$mnt/tree/big"
touch -d '2001-02-03 04:05:06.789' "$mnt/tree/big"
setfattr -n user.note -v kept "$mnt/tree/big" 2>/dev/null || python3 -c 'import os,sys; os.setxattr(sys.argv[1], "user.note", b"kept")' "$mnt/tree/big"

# picture DIR: everything that can be seen of a tree.
picture() {
    (cd "$1" && find . -printf '%p %y %m %s %T@ %l %n\n' | sort | grep -v '^\. ' && find . -type f -exec sha256sum {} + | sort -k2)
}
picture "$mnt/tree" >"$TMP/before"
unmount_home "$mnt"
mount_home "$mnt"
picture "$mnt/tree" >"$TMP/after"
ok "the tree is the same after a new mount" diff "$TMP/before" "$TMP/after"
is "extended attributes too" "$(python3 -c 'import os,sys; print(os.getxattr(sys.argv[1], "user.note").decode())' "$mnt/tree/big")" kept

python3 - "$mnt" >"$TMP/synced" <<'END'
import hashlib, os, sys
root = sys.argv[1]
for i in range(40):
    name = f"{root}/synced-{i}"
    data = os.urandom(1 + i * 40009)
    fd = os.open(name, os.O_CREAT | os.O_WRONLY, 0o644)
    for at in range(0, len(data), 65536):
        os.write(fd, data[at:at + 65536])
    if i % 3 == 0:
        os.pwrite(fd, b"patched", len(data) // 2)
        data = data[:len(data) // 2] + b"patched" + data[len(data) // 2 + 7:]
    os.fsync(fd)
    os.close(fd)
    if i % 5 == 0:
        os.rename(name, name + ".moved")
        d = os.open(root, os.O_RDONLY)
        os.fsync(d)
        os.close(d)
        name += ".moved"
    print(hashlib.sha256(data).hexdigest() + "  " + os.path.basename(name), flush=True)
END
is "forty files were synced" "$(wc -l <"$TMP/synced")" 40
echo "not synced" >"$mnt/unsynced"
# files without a name: one is given its name and synced, one is left
python3 - "$mnt" <<'END' &
import os, signal, sys
root = sys.argv[1]
kept, lost = (os.open(root, os.O_TMPFILE | os.O_RDWR, 0o644) for _ in range(2))
os.write(kept, b"named late")
os.write(lost, b"never named")
os.fsync(lost)
os.link(f"/proc/self/fd/{kept}", root + "/late", src_dir_fd=kept) # with it, the link is followed
os.fsync(kept)
os.rename(root + "/late", root + "/named")
os.fsync(kept)
signal.pause()
END
late=$!
on_exit kill "$late"
wait_until 20 test -e "$mnt/named"
sync -f "$mnt/named"
pid=$(mount_pids "$mnt")
kill -KILL "$pid"
wait_until 10 gone "$pid"
fusermount3 -uz "$mnt"
mount_home "$mnt"
ok "what was synced is there after kill -9" sh -c 'cd "$1" && sha256sum -c --quiet "$2"' - "$mnt" "$TMP/synced"
picture "$mnt/tree" >"$TMP/after"
ok "and everything older" diff "$TMP/before" "$TMP/after"
is "a file that got its name late too" "$(cat "$mnt/named")" 'named late'
case "$(cat "$mnt/unsynced" 2>/dev/null)" in '' | 'not synced') ;; *) fail "half of an unsynced file is visible" ;; esac
unmount_home "$mnt"
fsck_clean "$PCLOUD_HOME"
plaintext_absent "small 17"
plaintext_absent "ünïcode"
pass
