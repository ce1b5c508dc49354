#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Random operations on one file agree with a model: on a plain folder, on the mount, on the mount with the kernel gathering writes.
. "$(dirname "$0")/../lib/lib.sh"
. "$SRC/tests/fs/mount.sh"
require_fuse
build_c fsx "$SRC/tests/fs/fsx.c"
count=${FSX_COUNT:-1500}

ok "on a plain folder" "$TMP/fsx" "$TMP/plain" 1 "$count"
init_home
mount_home "$TMP/mnt"
for seed in 1 2 3; do ok "on the mount" "$TMP/fsx" "$MOUNT/file-$seed" "$seed" "$count"; done
ok "on the mount, without mappings" "$TMP/fsx" "$MOUNT/file-4" 4 "$count" nomap
(cd "$MOUNT" && sha256sum file-*) >"$TMP/sums"
unmount_home "$TMP/mnt"
mount_home "$TMP/mnt" writeback
ok "the same after a new mount" sh -c "cd '$MOUNT' && sha256sum -c --quiet '$TMP/sums'"
ok "with the kernel gathering writes" "$TMP/fsx" "$MOUNT/gathered" 5 "$count"
unmount_home "$TMP/mnt"
fsck_clean "$PCLOUD_HOME"
pass
