/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes on their way to the kernel. */
#ifndef FS_ATTR_H
#define FS_ATTR_H

#include "fs.h"

/** attr_stat(fs, attr, st): as stat(2) shows it, with the uid, gid and umask of the mount's options. */
void attr_stat(struct fs *fs, const struct pc_attr *attr, struct stat *st);

/** attr_timeout(attr): seconds that the kernel may trust it. */
double attr_timeout(const struct pc_attr *attr);

/** attr_entry(fs, attr, e): a name's answer, to be cached. */
void attr_entry(struct fs *fs, const struct pc_attr *attr, struct fuse_entry_param *e);

/** attr_facts(attr): what the table of nodes can learn from it. */
unsigned attr_facts(const struct pc_attr *attr);

/** attr_kill_suid(fs, node): clear set-user-id and set-group-id, if there are any, before content changes. */
int attr_kill_suid(struct fs *fs, uint64_t node);

#endif
