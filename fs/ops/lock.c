/* SPDX-License-Identifier: Apache-2.0 */
/* Advisory locks, where they are shared with other mounts; else the kernel keeps them to itself. */
#include "locks.h"
#include "ops/ops.h"

#include <errno.h>
#include <sys/file.h>

static struct lock_key key_of(const struct fs *fs, fuse_ino_t ino, const struct fuse_file_info *fi,
                              bool whole)
{
    return (struct lock_key){
        .node = fs_node(fs, ino), .owner = fi->lock_owner, .fh = fi->fh, .whole = whole};
}

void fs_op_getlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *lock)
{
    struct fs *fs = fs_of(req);
    struct lock_key key = key_of(fs, ino, fi, false);
    int r = locks_test(fs->locks, &key, lock);

    if (r < 0)
        fs_fail(req, "getlk", r);
    else
        (void)fuse_reply_lock(req, lock);
}

static void answer(fuse_req_t req, const char *op, int r)
{
    if (r < 0)
        fs_fail(req, op, r);
    else if (r == 0)
        (void)fuse_reply_err(req, 0);
}

void fs_op_setlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *lock,
                 int sleep)
{
    struct fs *fs = fs_of(req);
    struct lock_key key = key_of(fs, ino, fi, false);

    answer(req, "setlk", locks_set(fs->locks, &key, lock, sleep, req));
}

void fs_op_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, int op)
{
    struct fs *fs = fs_of(req);
    struct lock_key key = key_of(fs, ino, fi, true);
    struct flock lock = {.l_len = 1};

    switch (op & ~LOCK_NB) {
    case LOCK_SH:
        lock.l_type = F_RDLCK;
        break;
    case LOCK_EX:
        lock.l_type = F_WRLCK;
        break;
    case LOCK_UN:
        lock.l_type = F_UNLCK;
        break;
    default:
        fs_fail(req, "flock", -EINVAL);
        return;
    }
    answer(req, "flock", locks_set(fs->locks, &key, &lock, !(op & LOCK_NB), req));
}
