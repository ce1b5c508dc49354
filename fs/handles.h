/* SPDX-License-Identifier: Apache-2.0 */
/* Open files and folders: what stands behind the kernel's handles. */
#ifndef FS_HANDLES_H
#define FS_HANDLES_H

#include "pcloud/file.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct handle; /* an open file or an open folder */

struct handles {
    pthread_mutex_t lock;
    struct handle *first;
};

void handles_init(struct handles *t);

/** handles_close_all(t): close what the kernel left open, at the end; returns the first error. */
int handles_close_all(struct handles *t);

/** handle_open(t, v, node, flags, ret): pc_file_open behind a number for the kernel. */
int handle_open(struct handles *t, struct pc_volume *v, uint64_t node, int flags,
                struct handle **ret);

/** handle_make(t, v, parent, name, make, flags, attr, ret): the same with pc_file_make. */
int handle_make(struct handles *t, struct pc_volume *v, uint64_t parent, const char *name,
                const struct pc_make *make, int flags, struct pc_attr *attr, struct handle **ret);

/** handle_open_dir(t, v, node, ret): pc_dir_open; the folder is held, so that it lives while it is open. */
int handle_open_dir(struct handles *t, struct pc_volume *v, uint64_t node, struct handle **ret);

/** handle_close(t, h): the kernel is done with it. Returns the error of closing. */
int handle_close(struct handles *t, struct handle *h);

/** handle_fh(h), handle_of(fh): to and from the kernel's number. handle_of checks a magic; NULL if it is none of ours. */
uint64_t handle_fh(const struct handle *h);
struct handle *handle_of(uint64_t fh);

/** handle_file(h): of an open file. handle_dir_lock(h): of an open folder, for this thread alone until handle_dir_unlock(h). */
struct pc_file *handle_file(const struct handle *h);
struct pc_dir *handle_dir_lock(struct handle *h);
void handle_dir_unlock(struct handle *h);

uint64_t handle_node(const struct handle *h);
bool handle_can_write(const struct handle *h);

/** handle_first_read(h): true once, for the first read by this handle. */
bool handle_first_read(struct handle *h);

#endif
