/* SPDX-License-Identifier: Apache-2.0 */
/* One mount: what its requests share. */
#ifndef FS_FS_H
#define FS_FS_H

#include "atime.h"
#include "coherence.h"
#include "handles.h"
#include "inodes.h"
#include "locks.h"
#include "mount/options.h"
#include "pcloud/node.h"
#include "pcloud/volume.h"

#include <fuse_lowlevel.h>
#include <stdatomic.h>

#define FS_REQUEST_MAX (1u << 20) /* bytes of one read or write */
#define FS_CACHE_TIMEOUT 300.0 /* seconds the kernel trusts a name or attributes nobody changed */
#define FS_BLOCK_SIZE (128u << 10) /* what programs are told to read and write at once */

struct fs {
    const struct mount_options *opt;
    struct pc_volume *volume;
    struct fuse_session *session;
    struct inodes *inodes;
    struct handles handles;
    struct atimes atimes;
    struct coherence *coherence;
    struct locks *locks; /* NULL: the kernel keeps them */
    bool access_times;   /* not with ro or noatime */
    bool acl;            /* access control lists are taken and honoured */
    uint64_t root;       /* the node that the mount shows as its root */
};

/** fs_of(req): the mount a request is for. */
struct fs *fs_of(fuse_req_t req);

/** fs_node(fs, ino), fs_ino(fs, node): between the kernel's number of a node and ours: they differ for the root only. */
uint64_t fs_node(const struct fs *fs, fuse_ino_t ino);
fuse_ino_t fs_ino(const struct fs *fs, uint64_t node);

/** fs_fail(req, op, code): answer a request with an error; what is no ordinary error is logged. */
void fs_fail(fuse_req_t req, const char *op, long long code);

/** fs_fail_node(req, op, code): the same for requests by node: a node that is gone is stale, so that the kernel looks again. */
void fs_fail_node(fuse_req_t req, const char *op, long long code);

/** fs_buffer(): this thread's buffer of FS_REQUEST_MAX bytes, page aligned; NULL if out of memory. */
void *fs_buffer(void);

/** fs_ops: every request the mount serves. */
extern const struct fuse_lowlevel_ops fs_ops;

#endif
