/* SPDX-License-Identifier: Apache-2.0 */
/* The table of requests, and what all of them use. */
#include "ops/ops.h"

#include "errmap.h"
#include "pcloud/err.h"
#include "pcloud/log.h"

#include <pthread.h>
#include <stdlib.h>

struct fs *fs_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

uint64_t fs_node(const struct fs *fs, fuse_ino_t ino)
{
    return ino == FUSE_ROOT_ID ? fs->root : ino;
}

fuse_ino_t fs_ino(const struct fs *fs, uint64_t node)
{
    return node == fs->root ? FUSE_ROOT_ID : node;
}

/* Answers that are part of normal work; anything else is worth a line in the log. */
static bool is_ordinary(int error)
{
    return error != EIO && error != ENOMEM && error != ENOSPC && error != EMFILE;
}

void fs_fail(fuse_req_t req, const char *op, long long code)
{
    int error = errmap(code);

    if (!is_ordinary(error))
        pc_log(PC_LOG_ERROR, "request", "%s: %s", op, pc_err_text((int)code));
    (void)fuse_reply_err(req, error);
}

void fs_fail_node(fuse_req_t req, const char *op, long long code)
{
    fs_fail(req, op, code == -ENOENT ? -ESTALE : code);
}

static pthread_key_t buffer_key;
static pthread_once_t buffer_once = PTHREAD_ONCE_INIT;

static void make_buffer_key(void)
{
    pthread_key_create(&buffer_key, free);
}

void *fs_buffer(void)
{
    void *buffer;

    pthread_once(&buffer_once, make_buffer_key);
    buffer = pthread_getspecific(buffer_key);
    if (!buffer) {
        buffer = aligned_alloc(4096, FS_REQUEST_MAX);
        pthread_setspecific(buffer_key, buffer);
    }
    return buffer;
}

static void fs_op_init(void *userdata, struct fuse_conn_info *conn)
{
    unsigned want = FUSE_CAP_EXPLICIT_INVAL_DATA | FUSE_CAP_CACHE_SYMLINKS |
                    FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_EXPIRE_ONLY | FUSE_CAP_DONT_MASK;
    struct fs *fs = userdata;

    fs->acl = fs->acl && conn->capable & FUSE_CAP_POSIX_ACL;
    if (fs->acl)
        want |= FUSE_CAP_POSIX_ACL;

    if (!fs->locks) /* the kernel keeps them */
        conn->want &= ~(unsigned)(FUSE_CAP_POSIX_LOCKS | FUSE_CAP_FLOCK_LOCKS);
    if (fs->opt->given[OPTION_WRITEBACK])
        want |= FUSE_CAP_WRITEBACK_CACHE;
    /* Content is sealed and opened in our memory: splicing would only add pipes. */
    conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
    if (conn->capable & FUSE_CAP_EXPLICIT_INVAL_DATA)
        conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA;
    conn->want |= want & conn->capable;
    conn->max_write = FS_REQUEST_MAX;
    conn->max_read = FS_REQUEST_MAX;
    conn->max_background = 64;
    conn->congestion_threshold = 48;
}

const struct fuse_lowlevel_ops fs_ops = {
    .init = fs_op_init,
    .lookup = fs_op_lookup,
    .forget = fs_op_forget,
    .forget_multi = fs_op_forget_multi,
    .getattr = fs_op_getattr,
    .setattr = fs_op_setattr,
    .readlink = fs_op_readlink,
    .mknod = fs_op_mknod,
    .mkdir = fs_op_mkdir,
    .symlink = fs_op_symlink,
    .link = fs_op_link,
    .unlink = fs_op_unlink,
    .rmdir = fs_op_rmdir,
    .rename = fs_op_rename,
    .create = fs_op_create,
    .open = fs_op_open,
    .read = fs_op_read,
    .write = fs_op_write,
    .flush = fs_op_flush,
    .release = fs_op_release,
    .fsync = fs_op_fsync,
    .fallocate = fs_op_fallocate,
    .lseek = fs_op_lseek,
    .copy_file_range = fs_op_copy_file_range,
    .opendir = fs_op_opendir,
    .readdir = fs_op_readdir,
    .readdirplus = fs_op_readdirplus,
    .releasedir = fs_op_releasedir,
    .fsyncdir = fs_op_fsyncdir,
    .statfs = fs_op_statfs,
    .setxattr = fs_op_setxattr,
    .getxattr = fs_op_getxattr,
    .listxattr = fs_op_listxattr,
    .removexattr = fs_op_removexattr,
    .getlk = fs_op_getlk,
    .setlk = fs_op_setlk,
    .flock = fs_op_flock,
};
