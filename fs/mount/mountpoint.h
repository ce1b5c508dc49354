/* SPDX-License-Identifier: Apache-2.0 */
/* The mount point: whether it can be used, what the kernel is told, and how it is left. */
#ifndef FS_MOUNTPOINT_H
#define FS_MOUNTPOINT_H

#include "mount/options.h"

#include <fuse_opt.h>
#include <stdint.h>

/**
 * mountpoint_check(path): is it a folder that nothing of ours is mounted on? A mount that a killed process has left dead is detached. Errors have
 * a message.
 */
int mountpoint_check(const char *path);

/** mountpoint_is_ours(path): is a volume mounted there, dead or alive? */
bool mountpoint_is_ours(const char *path);

/** mountpoint_args(o, args): libfuse's arguments for these options. -ENOMEM. */
int mountpoint_args(const struct mount_options *o, struct fuse_args *args);

/** mountpoint_remount(o): give the mount that is there the kernel's options of ${o}. Errors have a message. */
int mountpoint_remount(const struct mount_options *o);

/** mountpoint_unmount(path, lazy): as root by umount2(2), else by fusermount3. -EBUSY while in use unless ${lazy}. */
int mountpoint_unmount(const char *path, bool lazy);

/** mountpoint_readahead(dev, kib): let the kernel read this far ahead; only root can. */
void mountpoint_readahead(dev_t dev, unsigned kib);

/** mountpoint_lock_name(path, buf, cap): the name of the lock that makes a second mount on the same point impossible. */
void mountpoint_lock_name(const char *path, char *buf, size_t cap);

#endif
