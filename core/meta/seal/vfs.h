/* SPDX-License-Identifier: Apache-2.0 */
/* A layer below SQLite that seals every page on its way to disk. */
#ifndef META_SEAL_VFS_H
#define META_SEAL_VFS_H

#include <sqlite3.h>
#include <stdint.h>

#include "crypto/aead.h"

struct seal_vfs;

/**
 * seal_vfs_new(key, below, ret): register a VFS over the one named ${below} (NULL: "unix"); the key is copied into locked memory. It opens main databases
 * and their write-ahead logs and refuses every other file, so that nothing reaches the disk in clear. -ENOMEM, -EIO.
 */
int seal_vfs_new(const uint8_t key[AEAD_KEY_BYTES], const char *below, struct seal_vfs **ret);

/** seal_vfs_free(v): unregister, wipe, free; every connection that used it is closed. NULL is legal. */
void seal_vfs_free(struct seal_vfs *v);

/** seal_vfs_name(v): what to give to sqlite3_open_v2. */
const char *seal_vfs_name(const struct seal_vfs *v);

/** seal_vfs_aead(v, ret): a context with the key; the caller frees it. */
int seal_vfs_aead(const struct seal_vfs *v, struct aead **ret);

/** seal_vfs_below(v): the layer below. */
sqlite3_vfs *seal_vfs_below(const struct seal_vfs *v);

/**
 * seal_probe(v, path): does the key open this database? Before SQLite does: to a wrong key a log is empty, and would be removed. 0: yes, page 1 or else some
 * page or frame opens; PC_EPASSPHRASE: none does; PC_ECORRUPT: too short to say; -errno.
 */
int seal_probe(const struct seal_vfs *v, const char *path);

/** seal_reserve(db): make a new database leave room in its pages. Before anything is written. */
int seal_reserve(sqlite3 *db);

#endif
