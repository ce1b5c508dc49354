/* SPDX-License-Identifier: Apache-2.0 */
/* Open folders: their entries, with attributes or without. */
#include "ops/attr.h"
#include "ops/ops.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER_REPLY_MAX                                                                           \
    (FS_REQUEST_MAX / 2) /* the other half of the buffer lists the nodes of the reply */

/* An entry of a reply that still has to be counted as a lookup. */
struct counted {
    uint64_t node;
    uint32_t at; /* of the entry in the reply */
    uint32_t facts;
};

struct page {
    fuse_req_t req;
    struct fs *fs;
    char *buf;
    size_t size, used;
    struct counted *counted; /* NULL without attributes */
    size_t n, max;
    bool root; /* the folder is the mount's root: nothing is above it */
};

void fs_op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs *fs = fs_of(req);
    struct handle *h;
    int r = handle_open_dir(&fs->handles, fs->volume, fs_node(fs, ino), &h);

    if (r < 0) {
        fs_fail_node(req, "opendir", r);
        return;
    }
    fi->fh = handle_fh(h);
    if (fuse_reply_open(req, fi) == -ENOENT)
        (void)handle_close(&fs->handles, h);
}

void fs_op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs *fs = fs_of(req);
    struct handle *h = handle_of(fi->fh);

    (void)ino;
    if (h)
        (void)handle_close(&fs->handles, h);
    (void)fuse_reply_err(req, h ? 0 : EBADF);
}

static bool is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* One entry into the reply; 1 when there is no room for it. */
static int add(void *arg, const char *name, const struct pc_attr *attr, uint64_t next_off)
{
    struct page *p = arg;
    char *at = p->buf + p->used;
    size_t left = p->size - p->used, need;
    struct fuse_entry_param e;

    if (p->counted && p->n == p->max)
        return 1;
    attr_entry(p->fs, attr, &e);
    if (p->root && strcmp(name, "..") == 0)
        e.attr.st_ino = FUSE_ROOT_ID;
    need = p->counted ? fuse_add_direntry_plus(p->req, at, left, name, &e, (off_t)next_off)
                      : fuse_add_direntry(p->req, at, left, name, &e.attr, (off_t)next_off);
    if (need > left)
        return 1;
    if (p->counted && !is_dots(name))
        p->counted[p->n++] =
            (struct counted){.node = attr->ino, .at = (uint32_t)p->used, .facts = attr_facts(attr)};
    else if (p->counted)
        memset(at, 0, sizeof(uint64_t)); /* no node: the kernel takes the name only */
    p->used += need;
    return 0;
}

/* Count each entry's lookup. Where that fails the kernel gets the name only. */
static void count(struct page *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct counted *c = &p->counted[i];

        if (inodes_ref(p->fs->inodes, c->node, c->facts) < 0)
            memset(p->buf + c->at, 0, sizeof(uint64_t));
        else
            p->counted[kept++] = *c;
    }
    p->n = kept;
}

static void read_folder(fuse_req_t req, size_t size, off_t off, struct fuse_file_info *fi,
                        bool plus)
{
    struct fs *fs = fs_of(req);
    uint64_t mark = coherence_mark(fs->coherence), node;
    struct handle *h = handle_of(fi->fh);
    char *buf = fs_buffer();
    struct page p = {.req = req,
                     .fs = fs,
                     .buf = buf,
                     .size = size < FOLDER_REPLY_MAX ? size : FOLDER_REPLY_MAX,
                     .max = FOLDER_REPLY_MAX / sizeof(struct counted)};
    int r = !h ? -EBADF : !buf ? -ENOMEM : 0;

    if (r >= 0) {
        if (plus)
            p.counted = (struct counted *)(void *)(buf + FOLDER_REPLY_MAX);
        p.root = handle_node(h) == fs->root;
        r = pc_dir_read(handle_dir_lock(h), (uint64_t)off, add, &p);
        handle_dir_unlock(h);
    }
    if (r < 0) {
        fs_fail_node(req, "readdir", r);
        return;
    }
    count(&p);
    node = handle_node(h); /* once it is answered, the handle may be closed at any time */
    if (fuse_reply_buf(req, buf, p.used) == -ENOENT)
        for (size_t i = 0; i < p.n; i++)
            inodes_unref(fs->inodes, p.counted[i].node, 1);
    coherence_check_folder(fs->coherence, mark, node);
}

void fs_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                   struct fuse_file_info *fi)
{
    (void)ino;
    read_folder(req, size, off, fi, false);
}

void fs_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                       struct fuse_file_info *fi)
{
    (void)ino;
    read_folder(req, size, off, fi, true);
}

void fs_op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
    struct fs *fs = fs_of(req);
    int r = pc_volume_sync(fs->volume);

    (void)ino;
    (void)datasync;
    (void)fi;
    if (r < 0)
        fs_fail(req, "fsyncdir", r);
    else
        (void)fuse_reply_err(req, 0);
}
