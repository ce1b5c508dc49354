/* SPDX-License-Identifier: Apache-2.0 */
/* Open files: content, holes, and what reaches the disk when. */
#include "ops/attr.h"
#include "ops/ops.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "wire.h"

#include <fcntl.h>
#include <sys/stat.h>

#define COPY_MAX (256u << 20) /* bytes of one copy_file_range: callers go on with the rest */

/* The flags that mean something to the volume. */
static int open_flags(const struct fs *fs, int flags)
{
    int kept = flags & (O_ACCMODE | O_APPEND | O_TRUNC | O_SYNC | O_DSYNC);

    if (fs->opt->given[OPTION_SYNC])
        kept |= O_SYNC;
    if (!fs->opt->given[OPTION_WRITEBACK])
        return kept;
    /* The kernel reads pages to fill them up, and places appended data itself. */
    if ((kept & O_ACCMODE) == O_WRONLY)
        kept = (kept & ~O_ACCMODE) | O_RDWR;
    return kept & ~O_APPEND;
}

static void fill_info(const struct fs *fs, struct fuse_file_info *fi, const struct handle *h)
{
    fi->fh = handle_fh(h);
    /* What others change is invalidated as it happens; but of what the kernel has, it does not say that it was read. */
    fi->keep_cache = !fs->opt->given[OPTION_STRICTATIME];
    fi->noflush = !fs->locks && !handle_can_write(h) && !fs->opt->given[OPTION_WRITEBACK];
}

void fs_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs *fs = fs_of(req);
    uint64_t node = fs_node(fs, ino);
    struct handle *h;
    int r = 0;

    if (wire_kill_suid())
        r = attr_kill_suid(fs, node);
    if (r >= 0)
        r = handle_open(&fs->handles, fs->volume, node, open_flags(fs, fi->flags), &h);
    if (r < 0) {
        fs_fail_node(req, "open", r);
        return;
    }
    fill_info(fs, fi, h);
    if (fuse_reply_open(req, fi) == -ENOENT)
        (void)handle_close(&fs->handles, h);
}

/* Make a file (1), or open the one that somebody else has made meanwhile (0). Without a name it is nobody else's. */
static int create(struct fs *fs, uint64_t parent, const char *name, const struct pc_make *m,
                  int flags, struct pc_attr *attr, struct handle **ret)
{
    int kept = open_flags(fs, flags);
    int r = handle_make(&fs->handles, fs->volume, parent, name, m, kept, attr, ret);

    if (r != -EEXIST || flags & O_EXCL || !name)
        return r < 0 ? r : 1;
    r = pc_lookup(fs->volume, parent, name, attr);
    return r < 0 ? r : handle_open(&fs->handles, fs->volume, attr->ino, kept, ret);
}

void fs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                  struct fuse_file_info *fi)
{
    const struct fuse_ctx *ctx = fuse_req_ctx(req);
    struct fs *fs = fs_of(req);
    struct pc_make m = {
        .mode = S_IFREG | (mode & 07777), .umask = ctx->umask, .uid = ctx->uid, .gid = ctx->gid};
    uint64_t mark = coherence_mark(fs->coherence), folder = fs_node(fs, parent);
    struct fuse_entry_param e;
    struct handle *h;
    struct pc_attr attr;
    int r;

    if (wire_is_unnamed())
        name = NULL;
    r = create(fs, folder, name, &m, fi->flags, &attr, &h);

    if (r < 0) {
        fs_fail(req, "create", r);
        return;
    }
    r = inodes_ref(fs->inodes, attr.ino, attr_facts(&attr) | (r > 0 ? INODE_NO_CAPS : 0));
    if (r < 0) {
        (void)handle_close(&fs->handles, h);
        fs_fail(req, "create", r);
        return;
    }
    attr_entry(fs, &attr, &e);
    fill_info(fs, fi, h);
    if (fuse_reply_create(req, &e, fi) == -ENOENT) {
        (void)handle_close(&fs->handles, h);
        inodes_unref(fs->inodes, attr.ino, 1);
    }
    if (name)
        coherence_check_name(fs->coherence, mark, folder, name, attr.ino);
}

void fs_op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs *fs = fs_of(req);
    struct handle *h = handle_of(fi->fh);
    int r = -EBADF;

    if (fs->locks)
        locks_release(fs->locks, fs_node(fs, ino), fi->fh);
    if (h)
        r = handle_close(&fs->handles, h);
    if (r < 0) /* nobody sees an error of release */
        pc_log(PC_LOG_ERROR, "release", "written data was lost: %s", pc_err_text(r));
    (void)fuse_reply_err(req, 0);
}

void fs_op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs *fs = fs_of(req);
    struct handle *h = handle_of(fi->fh);
    int r = h ? 0 : -EBADF;

    if (fs->locks)
        locks_close(fs->locks, fs_node(fs, ino), fi->lock_owner);
    if (r >= 0 && handle_can_write(h))
        r = fs->opt->given[OPTION_SYNC] ? pc_file_sync(handle_file(h))
                                        : pc_file_flush(handle_file(h));
    if (r < 0)
        fs_fail(req, "flush", r);
    else
        (void)fuse_reply_err(req, 0);
}

void fs_op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
    struct handle *h = handle_of(fi->fh);
    int r = h ? pc_file_sync(handle_file(h)) : -EBADF;

    (void)ino;
    (void)datasync;
    if (r < 0)
        fs_fail(req, "fsync", r);
    else
        (void)fuse_reply_err(req, 0);
}

void fs_op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    struct fs *fs = fs_of(req);
    struct handle *h = handle_of(fi->fh);
    uint64_t mark = coherence_mark(fs->coherence), node;
    char *buf = fs_buffer();
    ssize_t n = h ? 0 : -EBADF;

    (void)ino;
    if (!buf)
        n = -ENOMEM;
    if (n >= 0 && !(fi->flags & O_DIRECT))
        inodes_learn(fs->inodes, handle_node(h), INODE_PAGES); /* before it is read */
    if (n >=
        0) /* whole: the kernel takes a read that damage cut short for the end, and shows zeros behind it */
        n = pc_file_read_all(handle_file(h), buf, size < FS_REQUEST_MAX ? size : FS_REQUEST_MAX,
                             (uint64_t)off);
    if (n < 0) {
        fs_fail(req, "read", n);
        return;
    }
    if (n > 0 && fs->access_times && handle_first_read(h))
        atimes_read(&fs->atimes, fs->volume, handle_node(h), fs->opt->given[OPTION_STRICTATIME]);
    node = handle_node(h); /* once it is answered, the handle may be closed at any time */
    (void)fuse_reply_buf(req, buf, (size_t)n);
    coherence_check(fs->coherence, mark, node);
}

/* The kernel's idea of the end may be old: append by ours, and have it forget the pages that it filled at the wrong place. */
static ssize_t append(struct fs *fs, struct handle *h, const char *buf, size_t size, off_t off)
{
    uint64_t at = 0;
    ssize_t n = pc_file_append(handle_file(h), buf, size, &at);

    if (n >= 0 && at != (uint64_t)off)
        coherence_drop(fs->coherence, handle_node(h), true);
    return n;
}

/*
 * Before it sends direct writes the kernel drops the pages that they lie in, and after asynchronous ones (io_submit) it does not do so again: pages that were
 * read meanwhile would stay for ever.
 */
static void written_direct(struct fs *fs, uint64_t node)
{
    if (!(inodes_facts(fs->inodes, node) & INODE_PAGES))
        return;
    inodes_doubt(fs->inodes, node, INODE_PAGES);
    coherence_drop_pages(fs->coherence, node);
}

void fs_op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
                 struct fuse_file_info *fi)
{
    struct fs *fs = fs_of(req);
    struct handle *h = handle_of(fi->fh);
    ssize_t n = h ? 0 : -EBADF;

    (void)ino;
    if (n >= 0 && wire_kill_suid())
        n = attr_kill_suid(fs, handle_node(h));
    if (n >= 0) {
        if (fi->flags & O_APPEND && !fi->writepage && !fs->opt->given[OPTION_WRITEBACK])
            n = append(fs, h, buf, size, off);
        else
            n = pc_file_write(handle_file(h), buf, size, (uint64_t)off);
        if (fi->flags & O_DIRECT)
            written_direct(fs, handle_node(h));
    }
    if (n < 0)
        fs_fail(req, "write", n);
    else
        (void)fuse_reply_write(req, (size_t)n);
}

static bool is_in_group(fuse_req_t req, uint32_t gid)
{
    gid_t groups[64];
    int n = fuse_req_ctx(req)->gid == gid ? -1 : fuse_req_getgroups(req, 64, groups);

    for (int i = 0; i < n && i < 64; i++)
        if (groups[i] == gid)
            return true;
    return n < 0 || n > 64; /* itself, or who can tell */
}

/*
 * Content changes by a request that does not say whether it is to clear set-user-id: the kernel leaves that to us (FUSE_HANDLE_KILLPRIV_V2), and would want
 * it from everybody who lacks CAP_FSETID.
 */
static int changed_by(fuse_req_t req, const struct handle *h)
{
    const struct fuse_ctx *ctx = fuse_req_ctx(req);
    struct fs *fs = fs_of(req);
    struct pc_attr attr;
    int r;

    if (ctx->uid == 0 || inodes_facts(fs->inodes, handle_node(h)) & INODE_NO_SUID)
        return 0;
    r = attr_kill_suid(fs, handle_node(h));
    if (r >= 0)
        r = pc_getattr(fs->volume, handle_node(h), &attr);
    if (r < 0 || !(attr.mode & S_ISGID) || is_in_group(req, attr.gid))
        return r;
    attr.mode &=
        ~(uint32_t)S_ISGID; /* of a file that no group may run: by strangers to the group only */
    r = pc_setattr(fs->volume, handle_node(h), PC_SET_MODE, &attr, NULL);
    coherence_drop(fs->coherence, handle_node(h), false);
    return r;
}

void fs_op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
                     struct fuse_file_info *fi)
{
    struct handle *h = handle_of(fi->fh);
    int r = h ? changed_by(req, h) : -EBADF;

    (void)ino;
    if (r >= 0)
        r = pc_file_fallocate(handle_file(h), mode, (uint64_t)off, (uint64_t)len);
    if (r < 0)
        fs_fail(req, "fallocate", r);
    else
        (void)fuse_reply_err(req, 0);
}

void fs_op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
    struct handle *h = handle_of(fi->fh);
    int64_t r = h ? pc_file_seek(handle_file(h), (uint64_t)off, whence) : -EBADF;

    (void)ino;
    if (r < 0)
        fs_fail(req, "lseek", r);
    else
        (void)fuse_reply_lseek(req, (off_t)r);
}

void fs_op_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
                           struct fuse_file_info *in, fuse_ino_t ino_out, off_t off_out,
                           struct fuse_file_info *out, size_t len, int flags)
{
    struct handle *src = handle_of(in->fh), *dst = handle_of(out->fh);
    ssize_t n = -EBADF;

    (void)ino_in;
    (void)ino_out;
    if (flags)
        n = -EINVAL;
    else if (src && dst)
        n = changed_by(req, dst);
    if (n >= 0)
        n = pc_file_copy(handle_file(src), (uint64_t)off_in, handle_file(dst), (uint64_t)off_out,
                         len < COPY_MAX ? len : COPY_MAX);
    if (n < 0)
        fs_fail(req, "copy_file_range", n);
    else
        (void)fuse_reply_write(req, (size_t)n);
}
