/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes, extended attributes, and the volume's figures. */
#include "ops/attr.h"
#include "ops/ops.h"
#include "pcloud/quota.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

void fs_op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs *fs = fs_of(req);
    uint64_t mark = coherence_mark(fs->coherence), node = fs_node(fs, ino);
    struct pc_attr attr;
    struct stat st;
    int r = pc_getattr(fs->volume, node, &attr);

    (void)fi;
    if (r < 0) {
        fs_fail_node(req, "getattr", r);
        return;
    }
    attr_stat(fs, &attr, &st);
    (void)fuse_reply_attr(req, &st, attr_timeout(&attr));
    coherence_check(fs->coherence, mark, node);
}

static const struct {
    int fuse;
    unsigned pc;
} set_bits[] = {{FUSE_SET_ATTR_MODE, PC_SET_MODE},
                {FUSE_SET_ATTR_UID, PC_SET_UID},
                {FUSE_SET_ATTR_GID, PC_SET_GID},
                {FUSE_SET_ATTR_SIZE, PC_SET_SIZE},
                {FUSE_SET_ATTR_ATIME, PC_SET_ATIME},
                {FUSE_SET_ATTR_MTIME, PC_SET_MTIME},
                {FUSE_SET_ATTR_ATIME_NOW, PC_SET_ATIME_NOW},
                {FUSE_SET_ATTR_MTIME_NOW, PC_SET_MTIME_NOW}};

static unsigned set_of(int fuse_set)
{
    unsigned set = wire_kill_suid() ? PC_SET_KILL_SUID : 0;

    for (size_t i = 0; i < sizeof(set_bits) / sizeof(*set_bits); i++)
        if (fuse_set & set_bits[i].fuse)
            set |= set_bits[i].pc;
    if (set & PC_SET_ATIME_NOW)
        set &= ~(unsigned)PC_SET_ATIME;
    if (set & PC_SET_MTIME_NOW)
        set &= ~(unsigned)PC_SET_MTIME;
    /* A mode that is given is meant as it is. */
    if (set & PC_SET_MODE)
        set &= ~(unsigned)PC_SET_KILL_SUID;
    return set;
}

void fs_op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int fuse_set,
                   struct fuse_file_info *fi)
{
    struct fs *fs = fs_of(req);
    uint64_t mark = coherence_mark(fs->coherence), node = fs_node(fs, ino);
    unsigned set = set_of(fuse_set);
    struct pc_attr in = {.mode = st->st_mode,
                         .uid = st->st_uid,
                         .gid = st->st_gid,
                         .size = (uint64_t)st->st_size,
                         .atime = st->st_atim,
                         .mtime = st->st_mtim};
    struct pc_attr attr;
    struct stat out;
    int r;

    (void)fi;
    if (set & (PC_SET_MODE | PC_SET_UID | PC_SET_GID))
        inodes_doubt(fs->inodes, node, INODE_NO_SUID);
    r = pc_setattr(fs->volume, node, set, &in, &attr);
    if (r < 0) {
        fs_fail_node(req, "setattr", r);
        return;
    }
    if (set & (PC_SET_ATIME | PC_SET_ATIME_NOW))
        atimes_forget(&fs->atimes, node);
    if (set & (PC_SET_MODE | PC_SET_UID | PC_SET_GID))
        inodes_doubt(fs->inodes, node, INODE_NO_SUID);
    attr_stat(fs, &attr, &out);
    (void)fuse_reply_attr(req, &out, attr_timeout(&attr));
    coherence_check(fs->coherence, mark, node);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Below a folder with a quota that is the size; available is what it, those above it and the disk leave. */
static void statfs_limit(struct statvfs *st, const struct pc_quota_room *room)
{
    uint64_t frag = st->f_frsize;

    if (room->bytes_max != PC_QUOTA_NONE) {
        st->f_bavail = least(st->f_bavail, room->bytes_free / frag);
        st->f_blocks = (room->bytes_max + frag - 1) / frag;
        st->f_bfree = st->f_blocks - least(st->f_blocks, (room->bytes + frag - 1) / frag);
    }
    if (room->nodes_max != PC_QUOTA_NONE) {
        st->f_favail = least(st->f_favail, room->nodes_free);
        st->f_files = room->nodes_max;
        st->f_ffree = room->nodes_max - least(room->nodes_max, room->nodes);
    }
}

void fs_op_statfs(fuse_req_t req, fuse_ino_t ino)
{
    struct fs *fs = fs_of(req);
    struct pc_quota_room room;
    struct pc_volume_stat v;
    struct statvfs out;
    uint64_t files;
    int r = pc_volume_stat(fs->volume, &v);

    if (r == 0)
        r = pc_quota_room(fs->volume, fs_node(fs, ino), &room);
    if (r < 0 && r != -ENOENT) {
        fs_fail(req, "statfs", r);
        return;
    }
    files = v.files + v.folders;
    out = (struct statvfs){.f_bsize = FS_BLOCK_SIZE,
                           .f_frsize = 4096,
                           .f_blocks = v.disk_total / 4096,
                           .f_bfree = v.disk_free / 4096,
                           .f_bavail = v.disk_avail / 4096,
                           .f_files = files + v.disk_avail / 512,
                           .f_ffree = v.disk_avail / 512,
                           .f_favail = v.disk_avail / 512,
                           .f_namemax = PC_NAME_MAX};
    if (r > 0)
        statfs_limit(&out, &room);
    (void)fuse_reply_statfs(req, &out);
}

static bool is_acl(const char *name)
{
    return strcmp(name, "system.posix_acl_access") == 0 ||
           strcmp(name, "system.posix_acl_default") == 0;
}

/* Names that can be kept; access control lists only if the kernel enforces them. */
static bool is_kept(const struct fs *fs, const char *name)
{
    return (fs->acl && is_acl(name)) || strncmp(name, "user.", 5) == 0 ||
           strncmp(name, "trusted.", 8) == 0 || strncmp(name, "security.", 9) == 0;
}

static bool is_caps(const char *name)
{
    return strcmp(name, "security.capability") == 0;
}

void fs_op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
                    size_t size, int flags)
{
    struct fs *fs = fs_of(req);
    uint64_t node = fs_node(fs, ino);
    int r = is_kept(fs, name) ? 0 : -EOPNOTSUPP;

    if (is_caps(name))
        inodes_learn(fs->inodes, node, INODE_CAPS_SET);
    if (is_acl(name))
        inodes_doubt(fs->inodes, node, INODE_NO_ACL);
    if (wire_kill_suid())
        flags |= PC_XATTR_KILL_SGID;
    if (r >= 0)
        r = pc_xattr_set(fs->volume, node, name, value, size, flags);
    if (r < 0)
        fs_fail_node(req, "setxattr", r);
    else
        (void)fuse_reply_err(req, 0);
}

/*
 * The kernel asks for security.capability before the first write to each file, and for the access control list when another than the owner comes to
 * it first: answer from memory where it can be.
 */
static bool is_known_absent(struct fs *fs, uint64_t node, const char *name)
{
    if (is_acl(name))
        return inodes_facts(fs->inodes, node) & INODE_NO_ACL;
    return is_caps(name) &&
           (inodes_facts(fs->inodes, node) & (INODE_NO_CAPS | INODE_CAPS_SET)) == INODE_NO_CAPS;
}

static void reply_bytes(fuse_req_t req, const char *op, size_t size, char *buf, ssize_t n)
{
    if (n < 0)
        fs_fail_node(req, op, n);
    else if (size == 0)
        (void)fuse_reply_xattr(req, (size_t)n);
    else
        (void)fuse_reply_buf(req, buf, (size_t)n);
}

void fs_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    struct fs *fs = fs_of(req);
    uint64_t mark = coherence_mark(fs->coherence), node = fs_node(fs, ino);
    char *buf = fs_buffer();
    ssize_t n = !buf ? -ENOMEM : is_kept(fs, name) ? -ENODATA : -EOPNOTSUPP;

    if (n == -ENODATA && !is_known_absent(fs, node, name)) {
        n = pc_xattr_get(fs->volume, node, name, buf,
                         size < FS_REQUEST_MAX ? size : FS_REQUEST_MAX);
        if (n == -ENODATA && is_caps(name) && coherence_mark(fs->coherence) == mark)
            inodes_learn(fs->inodes, node, INODE_NO_CAPS);
    }
    reply_bytes(req, "getxattr", size, buf, n);
}

void fs_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    struct fs *fs = fs_of(req);
    char *buf = fs_buffer();
    ssize_t n = -ENOMEM;

    if (buf)
        n = pc_xattr_list(fs->volume, fs_node(fs, ino), buf,
                          size < FS_REQUEST_MAX ? size : FS_REQUEST_MAX);
    reply_bytes(req, "listxattr", size, buf, n);
}

void fs_op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
    struct fs *fs = fs_of(req);
    int r = is_kept(fs, name) ? pc_xattr_remove(fs->volume, fs_node(fs, ino), name) : -EOPNOTSUPP;

    if (r < 0)
        fs_fail_node(req, "removexattr", r);
    else
        (void)fuse_reply_err(req, 0);
}
