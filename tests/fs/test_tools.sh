#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The programs that people use work in the mount as they do elsewhere: git, make, sqlite3, rsync, tar, cp.
. "$(dirname "$0")/../lib/lib.sh"
. "$SRC/tests/fs/mount.sh"
require_fuse
init_home
mount_home "$TMP/mnt"
src=$TMP/src

# a small project with enough in it to be a real one
mkdir -p "$src/lib" "$src/data/naïve dir" "$src/empty"
for i in $(seq 60); do
    printf 'int part_%d(int x);\nint part_%d(int x)\n{\n    return x + %d;\n}\n' "$i" "$i" "$i" >"$src/lib/part_$i.c"
    head -c $((i * 977)) /dev/urandom >"$src/data/naïve dir/file $i"
done
{
    for i in $(seq 60); do printf 'int part_%d(int x);\n' "$i"; done
    printf '#include <stdio.h>\nint main(void)\n{\n    int x = 0;\n'
    for i in $(seq 60); do printf '    x = part_%d(x);\n' "$i"; done
    printf '    printf("%%d\\n", x);\n    return 0;\n}\n'
} >"$src/main.c"
{
    printf 'objects = main.o %s\n' "$(seq -f 'lib/part_%g.o' -s ' ' 60)"
    printf 'program: $(objects)\n\t$(CC) -o $@ $^\n'
} >"$src/Makefile"
head -c 9000000 /dev/urandom >"$src/data/large"
truncate -s 3000000 "$src/data/sparse"
ln -s ../main.c "$src/data/link"
ln "$src/main.c" "$src/hard.c"
chmod 4755 "$src/Makefile"
touch -d 1999-12-31 "$src/main.c"

same() { diff -r --no-dereference "$1" "$2"; }
picture() { (cd "$1" && find . -printf '%P %y %m %s %n %TY%Tm%Td%TH%TM%TS %l\n' | grep -v '^ d' | sed '/ d /s/ [0-9]* [0-9]* / /' | sort); }

ok "cp -a" cp -a "$src" "$MOUNT/copy"
ok "cp -a: content" same "$src" "$MOUNT/copy"
ok "cp -a: everything else" diff <(picture "$src") <(picture "$MOUNT/copy")
ok "cp -a within the mount" cp -a "$MOUNT/copy" "$MOUNT/again"
ok "cp -a within the mount: content" same "$src" "$MOUNT/again"

ok "make" make -s -j2 -C "$MOUNT/copy" program
is "the program runs" "$("$MOUNT/copy/program")" 1830
ok "make knows what is done" sh -c 'make -C "$1" program | grep -q "up to date"' - "$MOUNT/copy"

ok "tar in" sh -c 'tar -C "$1" -cf - . | tar -C "$2" -xpf -' - "$src" "$(mkdir "$MOUNT/tar" && echo "$MOUNT/tar")"
ok "tar: content" same "$src" "$MOUNT/tar"
ok "tar out" sh -c 'tar -C "$1" -cf - . | tar -C "$2" -xpf -' - "$MOUNT/tar" "$(mkdir "$TMP/out" && echo "$TMP/out")"
ok "tar out: content" same "$src" "$TMP/out"

if command -v rsync >/dev/null; then
    ok "rsync" rsync -aH "$src/" "$MOUNT/rsync/"
    ok "rsync: content" same "$src" "$MOUNT/rsync"
    rm -r "$src/data/naïve dir/file 7" "$src/empty"
    echo changed >>"$src/lib/part_3.c"
    ok "rsync --delete" rsync -aH --delete "$src/" "$MOUNT/rsync/"
    ok "rsync --delete: content" same "$src" "$MOUNT/rsync"
    is "rsync finds nothing to do" "$(rsync -aHi --delete "$src/" "$MOUNT/rsync/")" ''
fi

if command -v git >/dev/null; then
    export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
    git config --global safe.directory '*'
    ok "git: a repository" sh -ec 'cd "$1"; git init -q .; git add -A; git commit -qm one; echo x >>main.c; git commit -qam two' - "$src"
    ok "git clone" git clone -q "$src" "$MOUNT/clone"
    ok "git fsck" git -C "$MOUNT/clone" fsck --strict --no-progress
    is "git status is clean" "$(git -C "$MOUNT/clone" status --porcelain)" ''
    ok "git: branches, merges, gc" sh -ec 'cd "$1"; git checkout -qb side; echo side >side; git add side; git commit -qm side
        git checkout -q -; git merge -q --no-ff -m merge side; git gc -q --prune=now; git fsck --no-progress; git checkout -q HEAD~1; git checkout -q -' - "$MOUNT/clone"
    is "git status is clean again" "$(git -C "$MOUNT/clone" status --porcelain)" ''
    ok "git clone out of the mount" git clone -q "$MOUNT/clone" "$TMP/clone-out"
    ok "and it is the same" same "$MOUNT/clone/lib" "$TMP/clone-out/lib"
fi

if command -v sqlite3 >/dev/null; then
    for mode in delete wal; do
        db=$MOUNT/$mode.db
        is "sqlite3 ($mode)" "$(sqlite3 "$db" "pragma journal_mode=$mode; create table t(a integer primary key, b text);" | tail -1)" "$mode"
        for w in 1 2; do
            for i in $(seq 40); do echo "pragma busy_timeout=20000; insert into t(b) values('$w $i');"; done | sqlite3 "$db" >/dev/null &
        done
        wait
        is "sqlite3 ($mode): two writers" "$(sqlite3 "$db" 'select count(*) from t')" 80
        is "sqlite3 ($mode): whole" "$(sqlite3 "$db" 'pragma integrity_check')" ok
    done
fi

ok "rm -r" rm -r "$MOUNT/copy" "$MOUNT/again" "$MOUNT/tar"
not_ok "rm -r leaves nothing" test -e "$MOUNT/copy"
unmount_home "$TMP/mnt"
fsck_clean "$PCLOUD_HOME"
pass
