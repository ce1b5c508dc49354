#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Access control lists by setfacl and getfacl: as on a plain folder, seen by other mounts at once, and only taken where they are honoured.
. "$(dirname "$0")/../lib/lib.sh"
. "$SRC/tests/fs/mount.sh"
require_fuse
need setfacl getfacl
init_home

# a volume that holds none: refused, unless asked for
mount_home "$TMP/a"
echo text >"$TMP/a/plain"
not_ok "a mount that does not honour lists takes none" setfacl -m u:1:r "$TMP/a/plain" 2>"$TMP/err"
ok "and says so" grep -q 'not supported' "$TMP/err"
is "the mode is shown as a list" "$(getfacl -cEp "$TMP/a/plain" | head -n 1)" "user::rw-"
unmount_home "$TMP/a"
mount_home "$TMP/a" acl
mount_home "$TMP/b" acl

# steps DIR: lists made, changed, inherited, copied and removed; prints every result
steps() {
    (
        cd "$1" || exit 1
        umask 022
        mkdir tree; cd tree || exit 1
        echo x >f; mkdir d
        setfacl -m u:1000:rw,g:100:r f; getfacl -cn f; stat -c %A f
        chmod g-rw f; getfacl -cn f
        setfacl -m m::r f; getfacl -cn f; stat -c %A f
        setfacl -x g:100 f; getfacl -cn f
        setfacl -d -m u:1000:rwx,g:100:rx,o:- d; getfacl -cn d
        umask 077
        echo y >d/f; mkdir -p d/s/t; mkfifo d/p; ln -s f d/l
        getfacl -cn d/f d/s d/s/t d/p
        echo z >d/s/t/deep; getfacl -cn d/s/t/deep
        cp -p f copied; getfacl -cn copied
        cp -a d again; getfacl -cnR again
        getfacl -n f d/f >saved; setfacl -b f d/f; getfacl -cn f d/f
        setfacl --restore=saved; getfacl -cn f d/f
        setfacl -k d; getfacl -cn d
        echo n >d/new; getfacl -cn d/new
        setfacl -m u:1000:7 d/missing; echo "$?"
        setfacl -d -m u:1000:7 f; echo "$?"
        setfacl -b f; stat -c %A f; getfattr -m - f
    ) 2>&1
}
mkdir "$TMP/plain"
steps "$TMP/plain" >"$TMP/wanted"
ok "a plain folder has lists" grep -q user:1000 "$TMP/wanted"
steps "$TMP/a" >"$TMP/got"
ok "every step as on a plain folder" diff "$TMP/wanted" "$TMP/got"

# a hundred entries
for i in $(seq 2000 2100); do printf 'u:%d:r\n' "$i"; done >"$TMP/many"
ok "many entries" setfacl -M "$TMP/many" "$TMP/a/plain"
is "are kept" "$(getfacl -cnp "$TMP/a/plain" | grep -c '^user:2')" 101

# what one mount changes the other one's kernel forgets
echo text >"$TMP/a/shared"
shows() { getfacl -cnp "$TMP/b/shared" | grep -q "$1"; }
for i in 1 2 3 4 5; do
    getfacl -cnp "$TMP/b/shared" >/dev/null
    setfacl -m "u:$((1000 + i)):r" "$TMP/a/shared"
    wait_until 5 shows "user:$((1000 + i))"
done
chmod 600 "$TMP/a/shared"
wait_until 5 shows mask::---
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 755 "$TMP" "$TMP/a" "$TMP/b"
    chmod 711 "${TMP%/*}" 2>/dev/null
    reads() { setpriv --reuid "$1" --regid "$1" --clear-groups cat "$TMP/b/shared" >"$TMP/read" 2>&1; }
    not_ok "what the mask takes away nobody has" reads 1003
    setfacl -m u:1003:r "$TMP/a/shared"
    wait_until 5 reads 1003
    not_ok "others have nothing" reads 1010
    setfacl -x u:1003 "$TMP/a/shared"
    gone_again() { ! reads 1003; }
    wait_until 5 gone_again
    setfacl -m u:1003:r "$TMP/a/shared"
fi

# from now on every mount honours them, but where it is told not to
unmount_home "$TMP/b"
unmount_home "$TMP/a"
mount_home "$TMP/a"
ok "a new mount of a volume with lists honours them" grep -q user:1003 <(getfacl -cnp "$TMP/a/shared")
unmount_home "$TMP/a"
mount_home "$TMP/a" noacl
not_ok "noacl: refused" setfacl -m u:1:r "$TMP/a/shared" 2>/dev/null
not_ok "noacl: not shown" grep -q user:1003 <(getfacl -cnp "$TMP/a/shared")
unmount_home "$TMP/a"
fsck_clean "$PCLOUD_HOME"
pass
