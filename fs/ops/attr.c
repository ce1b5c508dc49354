/* SPDX-License-Identifier: Apache-2.0 */
/* Turns the volume's attributes into the kernel's. */
#include "ops/attr.h"

#include <sys/stat.h>

void attr_stat(struct fs *fs, const struct pc_attr *stored, struct stat *st)
{
    const struct mount_options *o = fs->opt;
    struct pc_attr shown = *stored, *attr = &shown;

    atimes_show(&fs->atimes, &shown);

    *st = (struct stat){
        .st_ino = fs_ino(fs, attr->ino),
        .st_mode = attr->mode,
        .st_nlink = attr->nlink,
        .st_uid = o->given[OPTION_UID] ? o->uid : attr->uid,
        .st_gid = o->given[OPTION_GID] ? o->gid : attr->gid,
        .st_rdev = (dev_t)attr->rdev,
        .st_size = (off_t)attr->size,
        .st_blksize = FS_BLOCK_SIZE,
        .st_blocks = (blkcnt_t)((attr->used + 511) / 512),
        .st_atim = attr->atime,
        .st_mtim = attr->mtime,
        .st_ctim = attr->ctime,
    };
    if (o->given[OPTION_UMASK] && !S_ISLNK(attr->mode))
        st->st_mode = (attr->mode & S_IFMT) | (0777 & ~o->umask);
}

double attr_timeout(const struct pc_attr *attr)
{
    return attr->has & PC_HAS_TRASH ? 0.0 : FS_CACHE_TIMEOUT;
}

void attr_entry(struct fs *fs, const struct pc_attr *attr, struct fuse_entry_param *e)
{
    *e = (struct fuse_entry_param){
        .ino = fs_ino(fs, attr->ino),
        .attr_timeout = attr_timeout(attr),
        .entry_timeout = attr_timeout(attr),
    };
    attr_stat(fs, attr, &e->attr);
}

unsigned attr_facts(const struct pc_attr *attr)
{
    unsigned facts = S_ISDIR(attr->mode) ? INODE_DIR : 0;

    if (!(attr->has & PC_HAS_ACL))
        facts |= INODE_NO_ACL;
    if (attr->has & PC_HAS_TRASH)
        facts |= INODE_TRASH;
    return attr->mode & (S_ISUID | S_ISGID) ? facts : facts | INODE_NO_SUID;
}

int attr_kill_suid(struct fs *fs, uint64_t node)
{
    struct pc_attr attr;
    uint64_t mark = coherence_mark(fs->coherence);
    int r;

    if (inodes_facts(fs->inodes, node) & INODE_NO_SUID)
        return 0;
    r = pc_getattr(fs->volume, node, &attr);
    if (r >= 0 && attr.mode & (S_ISUID | S_ISGID)) {
        r = pc_setattr(fs->volume, node, PC_SET_KILL_SUID, &attr, &attr);
        coherence_drop(fs->coherence, node, false);
    }
    if (r >= 0 && coherence_mark(fs->coherence) == mark)
        inodes_learn(fs->inodes, node, attr_facts(&attr));
    return r;
}
