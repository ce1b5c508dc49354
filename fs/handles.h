/* SPDX-License-Identifier: Apache-2.0 */
/* Open files and folders: what stands behind the kernel's file handles. */
#ifndef FS_HANDLES_H
#define FS_HANDLES_H

#include "pcloud/file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define HANDLE_BUCKETS 256

struct handle; /* an open file */

struct handles {
    pthread_mutex_t locks[HANDLE_BUCKETS];
    struct handle *buckets[HANDLE_BUCKETS]; /* by node */
    _Atomic unsigned writers;               /* handles open for writing, on any node */
};

void handles_init(struct handles *t);

/** handles_close_all(t): close what the kernel left open, at the end; returns the first error. */
int handles_close_all(struct handles *t);

/** handle_open(t, v, node, flags, ret): pc_file_open behind a number for the kernel. */
int handle_open(struct handles *t, struct pc_volume *v, uint64_t node, int flags,
                struct handle **ret);

/** handle_close(t, h): the kernel is done with it; the file closes when the last borrower is, too. Returns the error of closing. */
int handle_close(struct handles *t, struct handle *h);

/** handle_fh(h), handle_of(fh): to and from the kernel's number. handle_of checks a magic; NULL if it is none of ours. */
uint64_t handle_fh(const struct handle *h);
struct handle *handle_of(uint64_t fh);

struct pc_file *handle_file(const struct handle *h);
uint64_t handle_node(const struct handle *h);
bool handle_can_write(const struct handle *h);

/** handle_first_read(h): true once, for the first read by this handle. */
bool handle_first_read(struct handle *h);

/**
 * handles_attr(t, node, attr): if this mount has the node open for writing, ${attr} becomes what those who write see (size, times).
 * 1 if so, 0 if nobody writes (untouched), or a code.
 */
int handles_attr(struct handles *t, uint64_t node, struct pc_attr *attr);

/** handles_written(t, node): is it open for writing here? */
bool handles_written(struct handles *t, uint64_t node);

#endif
