/* SPDX-License-Identifier: Apache-2.0 */
/* Names: looking them up, making, moving and removing them. */
#include "ops/attr.h"
#include "ops/ops.h"
#include "pcloud/snapshot.h"
#include "pcloud/tree.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* After a change of names, with -o sync, wait for the disk. */
static int settle(struct fs *fs, int r)
{
    return r >= 0 && fs->opt->given[OPTION_SYNC] ? pc_volume_sync(fs->volume) : r;
}

void reply_entry(fuse_req_t req, const char *op, uint64_t parent, const char *name, uint64_t mark,
                 const struct pc_attr *attr)
{
    struct fs *fs = fs_of(req);
    struct fuse_entry_param e;
    uint64_t node = attr->ino;
    int r = inodes_ref(fs->inodes, node, attr_facts(attr));

    if (r < 0) {
        fs_fail(req, op, r);
        return;
    }
    attr_entry(fs, attr, &e);
    if (fuse_reply_entry(req, &e) == -ENOENT)
        inodes_unref(fs->inodes, node, 1);
    coherence_check_name(fs->coherence, mark, parent, name, node);
}

/* "." and "..", which come only from exporting over NFS. */
static int lookup_dots(struct fs *fs, uint64_t parent, const char *name, struct pc_attr *attr)
{
    uint64_t node = parent;
    int r = 0;

    if (name[1] == '.' && parent != fs->root)
        r = pc_parent(fs->volume, parent, &node);
    return r < 0 ? r : pc_getattr(fs->volume, node, attr);
}

static int lookup(struct fs *fs, uint64_t parent, const char *name, struct pc_attr *attr)
{
    int r;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return lookup_dots(fs, parent, name, attr);
    r = pc_lookup(fs->volume, parent, name, attr);
    if (r == -ENOENT && parent == fs->root && strcmp(name, PC_SNAPSHOTS) == 0)
        r = pc_getattr(fs->volume, pc_snapshots_of(parent), attr); /* of a folder that is mounted */
    return r;
}

void fs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fs *fs = fs_of(req);
    uint64_t mark = coherence_mark(fs->coherence), folder = fs_node(fs, parent);
    struct fuse_entry_param e;
    struct pc_attr attr;
    int r = lookup(fs, folder, name, &attr);

    if (r >= 0)
        r = inodes_ref(fs->inodes, attr.ino, attr_facts(&attr));
    if (r >= 0) {
        attr_entry(fs, &attr, &e);
    } else if (r == -ENOENT) {
        attr.ino = 0;
        e = (struct fuse_entry_param){.entry_timeout = FS_CACHE_TIMEOUT};
        if ((inodes_facts(fs->inodes, folder) & INODE_TRASH) || strcmp(name, PC_TRASH_NAME) == 0)
            e.entry_timeout = 0; /* what is removed comes there */
    } else {
        fs_fail(req, "lookup", r);
        return;
    }
    if (fuse_reply_entry(req, &e) == -ENOENT && r >= 0)
        inodes_unref(fs->inodes, attr.ino, 1);
    coherence_check_name(fs->coherence, mark, folder, name, attr.ino);
}

void fs_op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
    struct fs *fs = fs_of(req);

    if (ino != FUSE_ROOT_ID)
        inodes_unref(fs->inodes, fs_node(fs, ino), n);
    fuse_reply_none(req);
}

void fs_op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    struct fs *fs = fs_of(req);

    for (size_t i = 0; i < count; i++)
        if (forgets[i].ino != FUSE_ROOT_ID)
            inodes_unref(fs->inodes, fs_node(fs, forgets[i].ino), forgets[i].nlookup);
    fuse_reply_none(req);
}

static void make(fuse_req_t req, const char *op, fuse_ino_t parent, const char *name,
                 struct pc_make *m)
{
    const struct fuse_ctx *ctx = fuse_req_ctx(req);
    struct fs *fs = fs_of(req);
    uint64_t mark = coherence_mark(fs->coherence), folder = fs_node(fs, parent);
    struct pc_attr attr;
    int r;

    m->uid = ctx->uid;
    m->gid = ctx->gid;
    m->umask = ctx->umask;
    r = settle(fs, pc_make(fs->volume, folder, name, m, &attr));
    if (r < 0)
        fs_fail(req, op, r);
    else
        reply_entry(req, op, folder, name, mark, &attr);
}

void fs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
    make(req, "mknod", parent, name, &(struct pc_make){.mode = mode, .rdev = rdev});
}

void fs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    make(req, "mkdir", parent, name, &(struct pc_make){.mode = S_IFDIR | (mode & 07777)});
}

void fs_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    make(req, "symlink", parent, name, &(struct pc_make){.mode = S_IFLNK | 0777, .target = target});
}

void fs_op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
    struct fs *fs = fs_of(req);
    uint64_t mark = coherence_mark(fs->coherence), folder = fs_node(fs, parent);
    struct pc_attr attr;
    int r = settle(fs, pc_link(fs->volume, fs_node(fs, ino), folder, name, &attr));

    if (r < 0)
        fs_fail(req, "link", r);
    else
        reply_entry(req, "link", folder, name, mark, &attr);
}

static void done(fuse_req_t req, const char *op, int r)
{
    r = settle(fs_of(req), r);
    if (r < 0)
        fs_fail(req, op, r);
    else
        (void)fuse_reply_err(req, 0);
}

void fs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fs *fs = fs_of(req);

    done(req, "unlink", pc_unlink(fs->volume, fs_node(fs, parent), name));
}

void fs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fs *fs = fs_of(req);

    done(req, "rmdir", pc_rmdir(fs->volume, fs_node(fs, parent), name));
}

void fs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                  const char *new_name, unsigned flags)
{
    struct fs *fs = fs_of(req);

    if (flags & ~(unsigned)(PC_RENAME_NOREPLACE | PC_RENAME_EXCHANGE))
        fs_fail(req, "rename", -EINVAL);
    else
        done(req, "rename",
             pc_rename(fs->volume, fs_node(fs, parent), name, fs_node(fs, new_parent), new_name,
                       flags));
}

void fs_op_readlink(fuse_req_t req, fuse_ino_t ino)
{
    struct fs *fs = fs_of(req);
    char target[PC_SYMLINK_MAX + 1];
    ssize_t n = pc_readlink(fs->volume, fs_node(fs, ino), target, sizeof(target));

    if (n < 0)
        fs_fail_node(req, "readlink", n);
    else
        (void)fuse_reply_readlink(req, target);
}
