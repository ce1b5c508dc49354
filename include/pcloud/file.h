/* SPDX-License-Identifier: Apache-2.0 */
/* Open files: reading, writing, holes, and what reaches the disk when. */
#ifndef PCLOUD_FILE_H
#define PCLOUD_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pcloud/node.h"

struct pc_file; /* one open(2); several may be open on one node and share its unwritten data */

/**
 * pc_file_open(v, ino, flags, ret): ${flags} of open(2): access mode, O_APPEND, O_TRUNC, O_SYNC, O_DSYNC count. Holds the node (open-unlinked). -EISDIR,
 * -EINVAL for other kinds. Any thread may use the handle; calls on one node are ordered as they return.
 */
int pc_file_open(struct pc_volume *v, uint64_t ino, int flags, struct pc_file **ret);

/** pc_file_make(v, parent, name, make, flags, attr, ret): pc_make of a regular file (-EINVAL otherwise), opened; ${attr} may be NULL.
 * Without a ${name} (NULL) it has no link, and goes with its last handle or with the process, unless pc_link gives it a name before. */
int pc_file_make(struct pc_volume *v, uint64_t parent, const char *name, const struct pc_make *make,
                 int flags, struct pc_attr *attr, struct pc_file **ret);

/**
 * pc_file_read(f, buf, len, off): bytes read, short only at the end of the file; holes read as zeros. What this process wrote is seen at once,
 * what others flushed too. PC_ECORRUPT for exactly the damaged range (logged with the file's path, counted in pc_volume_stat).
 */
ssize_t pc_file_read(struct pc_file *f, void *buf, size_t len, uint64_t off);

/** pc_file_read_all(f, buf, len, off): as pc_file_read, but never cut short by damage: a range that meets any is an error as a whole. */
ssize_t pc_file_read_all(struct pc_file *f, void *buf, size_t len, uint64_t off);

/**
 * pc_file_write(f, buf, len, off): all of it or an error. Data may stay in memory (bounded: waits when the buffer is full) until flush, fsync or a few
 * seconds. -ENOSPC, -EFBIG; an error found later is returned once by flush or fsync of each handle.
 */
ssize_t pc_file_write(struct pc_file *f, const void *buf, size_t len, uint64_t off);

/** pc_file_append(f, buf, len, ret_off): write at the end, atomically among all handles of this process. */
ssize_t pc_file_append(struct pc_file *f, const void *buf, size_t len, uint64_t *ret_off);

/** pc_file_flush(f): on return every process sees what was written (close-to-open). pc_file_sync: and it is on disk. */
int pc_file_flush(struct pc_file *f);
int pc_file_sync(struct pc_file *f);

/** pc_file_fallocate(f, mode, off, len): fallocate(2): 0, KEEP_SIZE, PUNCH_HOLE|KEEP_SIZE, ZERO_RANGE (with KEEP_SIZE), COLLAPSE_RANGE, INSERT_RANGE: -EOPNOTSUPP for others.
 * What could never fit on the disk is -ENOSPC; nothing is set aside for what can. */
int pc_file_fallocate(struct pc_file *f, int mode, uint64_t off, uint64_t len);

/** pc_file_seek(f, off, whence): SEEK_DATA or SEEK_HOLE of lseek(2); the position, -ENXIO. */
int64_t pc_file_seek(struct pc_file *f, uint64_t off, int whence);

/** pc_file_copy(src, src_off, dst, dst_off, len): copy_file_range(2): slices are shared, no content is moved where block borders allow. */
ssize_t pc_file_copy(struct pc_file *src, uint64_t src_off, struct pc_file *dst, uint64_t dst_off,
                     size_t len);

/** pc_file_attr(f, attr): attributes as this process sees them (size and times with unwritten data). */
int pc_file_attr(struct pc_file *f, struct pc_attr *attr);

/** pc_file_close(f): flush, then free; returns the flush's error. NULL is legal. */
int pc_file_close(struct pc_file *f);

#endif
