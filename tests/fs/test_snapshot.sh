#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Snapshots on the mount: what .snapshots/NAME shows stays, is read-only, comes back by restore, and goes from the kernel's caches when it is removed.
. "$(dirname "$0")/../lib/lib.sh"
. "$SRC/tests/fs/mount.sh"
require_fuse
init_home
mount_home "$TMP/mnt"
m=$TMP/mnt

picture() { (cd "$1" && find . -mindepth 1 -printf '%P %y %m %n %U:%G %TY%Tm%Td%TH%TM%TS %l\n' | sort && find . -type f -exec sha256sum {} + | sort -k 2); }
same_picture() { diff <(picture "$1") "$2"; }

mkdir -p "$m/docs/old" "$m/empty"
echo "first" >"$m/docs/note"
head -c 3000000 /dev/urandom >"$m/docs/large"
truncate -s 2000000 "$m/docs/sparse"
ln -s ../empty "$m/docs/old/link"
ln "$m/docs/note" "$m/docs/old/same"
chmod 2751 "$m/docs/old"
setfattr -n user.k -v one "$m/docs/note" 2>/dev/null || note "no setfattr here"
picture "$m" >"$TMP/was"

# what is closed is in a snapshot that another process takes
ok "take" pcloud snapshot take first
not_ok "a name is taken once" pcloud snapshot take first
not_ok "a bad name" pcloud snapshot take a/b
is "it is listed" "$(pcloud snapshot list --json | python3 -c 'import json,sys; print([s["name"] for s in json.load(sys.stdin)])')" "['first']"
s=$m/.snapshots/first
ok "it shows what is there" same_picture "$s" "$TMP/was"
is "no listing shows the folder" "$(find "$m" -maxdepth 1 -name .snapshots)" ""
is "the folder lists it" "$(ls "$m/.snapshots")" first

# everything changes
echo "second" >"$m/docs/note"
printf 'x' | dd of="$m/docs/large" bs=1 seek=1000000 conv=notrunc 2>/dev/null
rm "$m/docs/sparse" "$m/docs/old/link"
mv "$m/docs/old" "$m/older"
rmdir "$m/empty"
echo new >"$m/docs/new"
ok "it stays as it was" same_picture "$s" "$TMP/was"
if command -v getfattr >/dev/null; then
    setfattr -n user.k -v two "$m/docs/note"
    is "an attribute too" "$(getfattr --only-values -n user.k "$s/docs/note")" one
fi
rm -rf "${m:?}"/*
is "rm -rf * takes everything else" "$(find "$m" -mindepth 1 -maxdepth 1 ! -name .trash)" ""
ok "and leaves the past" same_picture "$s" "$TMP/was"

# read-only, by each kind of change
rofs() { local what=$1; shift; LC_ALL=C "$@" 2>"$TMP/err" && fail "$what: was done"; grep -qi 'read-only' "$TMP/err" || fail "$what: $(cat "$TMP/err")"; }
rofs "write" dd if=/dev/zero of="$s/docs/note" count=1 conv=notrunc
rofs "create" touch "$s/docs/x"
rofs "mkdir" mkdir "$s/docs/x"
rofs "unlink" rm -f "$s/docs/note"
rofs "rmdir" rmdir "$s/empty"
rofs "rename" mv -T "$s/docs" "$s/d"
rofs "chmod" chmod 600 "$s/docs/note"
rofs "in the folder itself" mkdir "$m/.snapshots/x"
rofs "the folder itself" rmdir "$m/.snapshots"

# back again: by the command, and by cp
ok "restore a folder" pcloud snapshot restore first /docs
ok "its content" diff -r --no-dereference "$s/docs" "$m/docs"
ok "restore elsewhere, by paths of the mount" pcloud snapshot restore first "$m/docs/old" "$m/again"
is "its mode" "$(stat -c %a "$m/again")" 2751
not_ok "not over what is there" pcloud snapshot restore first /docs
not_ok "not what was not" pcloud snapshot restore first /nothing
ok "cp" cp -a "$s/docs/large" "$m/copied"
ok "cp: content" cmp "$s/docs/large" "$m/copied"

# one that is removed goes from the caches
cat "$s/docs/note" >/dev/null
ok "rm" pcloud snapshot rm first
wait_until 10 test ! -e "$s"
ok "what was restored stays" test -s "$m/docs/large"
not_ok "it is gone" pcloud snapshot rm first
echo again >"$m/docs/note"
ok "take under the same name" pcloud snapshot take first
wait_until 10 test -e "$s/docs/note"
is "it is another" "$(cat "$s/docs/note")" again

# a folder that is mounted shows its own past
mkdir "$TMP/sub"
on_exit unmount_home "$TMP/sub"
ok "mount a folder" mount.pcloud "$PCLOUD_HOME:/docs" "$TMP/sub"
is "its past" "$(cat "$TMP/sub/.snapshots/first/note")" again
unmount_home "$TMP/sub"

# rules: whoever has the volume open carries them out
not_ok "a bad rule" pcloud snapshot keep sometimes=3
is "set" "$(pcloud snapshot keep hourly=2 daily=1)" "hourly=2 daily=1"
automatic() { [ "$(pcloud snapshot list --json | python3 -c 'import json,sys; print(sum(s["automatic"] for s in json.load(sys.stdin)))')" -ge 1 ]; }
wait_until 60 automatic
is "off" "$(pcloud snapshot keep off)" off
unmount_home "$m"
fsck_clean "$PCLOUD_HOME"
for name in $(pcloud snapshot list --json | python3 -c 'import json,sys; print(*[s["name"] for s in json.load(sys.stdin)])'); do
    ok "rm $name" pcloud snapshot rm "$name"
done
fsck_clean "$PCLOUD_HOME"
pass
