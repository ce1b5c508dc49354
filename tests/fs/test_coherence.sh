#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two mounts of one home: what one does the other shows, although the kernel caches names, attributes and pages for minutes.
. "$(dirname "$0")/../lib/lib.sh"
. "$SRC/tests/fs/mount.sh"
require_fuse
init_home
mount_home "$TMP/a"
mount_home "$TMP/b"
a=$TMP/a b=$TMP/b
build_c coherence "$SRC/tests/fs/coherence.c"

ok "changes show within milliseconds, and nothing stale stays" "$TMP/coherence" "$a" "$b" 300
ok "also under load, in both directions" "$TMP/coherence" "$b" "$a" 300 busy

# stays after the race: everything is asked again, and is the same on both sides
(cd "$a" && find . -printf '%p %y %m %s %n\n' | sort) >"$TMP/list-a"
(cd "$b" && find . -printf '%p %y %m %s %n\n' | sort) >"$TMP/list-b"
ok "both list the same" diff "$TMP/list-a" "$TMP/list-b"

# what is open here and removed there lives on
echo "still here" >"$a/removed"
wait_until 5 test -e "$b/removed"
exec 7<"$a/removed"
rm "$b/removed"
wait_until 5 test ! -e "$a/removed"
is "an open file outlives its removal by another mount" "$(cat <&7)" "still here"
exec 7<&-
unmount_home "$a"
unmount_home "$b"
fsck_clean "$PCLOUD_HOME"
pass
