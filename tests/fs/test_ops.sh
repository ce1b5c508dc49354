#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every case of what a filesystem owes a program holds on the mount; on a plain folder, too, which proves the cases.
. "$(dirname "$0")/../lib/lib.sh"
. "$SRC/tests/fs/mount.sh"
require_fuse
build_c fs_ops "$SRC"/tests/fs/ops/*.c

mkdir "$TMP/plain"
ok "the cases hold on a plain folder" "$TMP/fs_ops" "$TMP/plain"
init_home
mount_home "$TMP/mnt" acl
mkdir "$MOUNT/cases"
ok "the cases hold on the mount" "$TMP/fs_ops" "$MOUNT/cases"
ok "every case left an empty folder" rmdir "$MOUNT/cases"
mount_home "$TMP/mnt2" writeback,noatime
mkdir "$MOUNT/cases"
ok "and with the kernel gathering writes" "$TMP/fs_ops" "$MOUNT/cases" data_
unmount_home "$TMP/mnt2"
unmount_home "$TMP/mnt"
fsck_clean "$PCLOUD_HOME"
pass
