#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./quickstart in a copy of the tree: from sources to a running home, twice, and --stop.
. "$SRC/tests/lib/lib.sh"
require_fuse
need autoreconf make gcc

mkdir "$TMP/tree"
(cd "$SRC" && tar -c --exclude=./build --exclude=./.git --exclude=./autom4te.cache .) | tar -x -C "$TMP/tree"
export PREFIX=$TMP/prefix PCLOUD_HOME=$TMP/home CFLAGS='-O0'
export PATH="$PREFIX/bin:$PATH"
LIB_HOMES+=("$PCLOUD_HOME")
quickstart() { "$TMP/tree/quickstart" "$@" >"$TMP/out" 2>&1 </dev/null; }

ok 'help' quickstart --help
ok 'version' quickstart --version
quickstart --nonsense
is 'wrong usage' $? 2
not_ok 'nothing to stop yet' quickstart --stop

# a home with free ports and its own mount; quickstart takes the home that is there
pcloud init >"$TMP/init.out" 2>&1 </dev/null || fail "init: $(cat "$TMP/init.out")"
ok 's3 port' pcloud config set s3.listen 127.0.0.1:0
ok 'web port' pcloud config set web.listen 127.0.0.1:0
ok 'mount' pcloud config set mount.path "$PCLOUD_HOME.mnt"

quickstart || fail "quickstart: $(tail -n 30 "$TMP/out")"
hash -r # pcloud was the one of the build tree
env_home
ok 'it shows the folder' grep -qF "$PCLOUD_MOUNT" "$TMP/out"
ok 'it shows the endpoint' grep -qF "$AWS_ENDPOINT_URL" "$TMP/out"
ok 'the mount is there' is_mounted "$PCLOUD_HOME.mnt"
is 'what runs is what was installed' "$(command -v pcloud)" "$PREFIX/bin/pcloud"
ok 'the helper is there by the type of its mounts, too' "$PREFIX/sbin/mount.fuse.pcloud" --version

# the three lines it shows do what they say
sed -n '/^Three lines/,/^$/p' "$TMP/out" | sed 1d >"$TMP/lines"
is 'three lines' "$(grep -c . "$TMP/lines")" 3
bash -e "$TMP/lines" >"$TMP/lines.out" 2>"$TMP/lines.err" || fail "the three lines: $(cat "$TMP/lines.err" "$TMP/lines.out")"
ok 'the object is the file' grep -qF "$(head -n 1 "$SRC/README.md")" "$TMP/lines.out"

endpoint=$AWS_ENDPOINT_URL
quickstart || fail "the second quickstart: $(tail -n 30 "$TMP/out")"
env_home
is 'nothing was started anew' "$AWS_ENDPOINT_URL" "$endpoint"
ok 'the file is there' test -f "$PCLOUD_MOUNT/photos/README.md"

ok 'stop' quickstart --stop
not_ok 'the mount is gone' is_mounted "$PCLOUD_HOME.mnt"
ok 'stop again' quickstart --stop
pass
