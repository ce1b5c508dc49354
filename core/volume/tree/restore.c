/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of a snapshot made anew in the present: names, attributes, and content that shares the snapshot's blocks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/alloc.h"
#include "meta/snap/snapshot.h"
#include "pcloud/err.h"
#include "pcloud/snapshot.h"
#include "volume/volume.h"

#define PAGE 64
#define DEPTH_MAX 4096
#define LINKS_MAX (1u << 20) /* files with several names that one restore remembers */
#define VALUE_MAX 65536

/* Of a file with several names, what it became. */
struct link {
    uint64_t from, to;
};

struct restore {
    struct pc_volume *v;
    struct pc_restore_result r;
    struct link *links;
    size_t links_n, links_cap;
    unsigned depth;
    char *names, *value; /* room for attributes */
};

static int copy_xattrs(struct restore *w, uint64_t from, uint64_t to)
{
    ssize_t len = pc_xattr_list(w->v, from, w->names, VALUE_MAX);
    int rc = 0;

    for (const char *n = w->names; len > 0 && n < w->names + len && rc == 0; n += strlen(n) + 1) {
        ssize_t size = pc_xattr_get(w->v, from, n, w->value, VALUE_MAX);

        rc = size < 0 ? (int)size : pc_xattr_set(w->v, to, n, w->value, (size_t)size, 0);
    }
    return len < 0 ? (int)len : rc;
}

static int copy_content(struct restore *w, const struct pc_attr *from, uint64_t to)
{
    const struct meta_content_ops *ops = w->v->meta->content;
    uint8_t data[META_INLINE_MAX];
    size_t len = 0;
    int rc = ops->read(w->v->meta, from->ino, 0, 0, NULL, 0, data, &len, NULL, NULL);

    if (rc >= 0 && len > 0)
        rc = ops->write_inline(w->v->meta, to, data, len, 0);
    else if (rc >= 0 && from->size > 0)
        rc = ops->share(w->v->meta, from->ino, 0, to, 0, from->size);
    if (rc >= 0)
        w->r.bytes += from->size;
    return rc < 0 ? rc : 0;
}

/* Last of all, for making what is below and setting what is of it changes them. */
static int copy_attr(struct restore *w, const struct pc_attr *from, uint64_t to)
{
    unsigned set = PC_SET_UID | PC_SET_GID | PC_SET_ATIME | PC_SET_MTIME;

    if (!S_ISLNK(from->mode))
        set |= PC_SET_MODE;
    return pc_setattr(w->v, to, set, from, NULL);
}

/* The place of a number in a table of ${cap}, a power of two that is never full. */
static struct link *link_at(struct link *links, size_t cap, uint64_t from)
{
    size_t i = (size_t)(from * 0x9e3779b97f4a7c15u >> 32) & (cap - 1);

    while (links[i].from != 0 && links[i].from != from)
        i = (i + 1) & (cap - 1);
    return &links[i];
}

static int links_grow(struct restore *w)
{
    size_t cap = w->links_cap ? 2 * w->links_cap : 64;
    struct link *more;

    if (cap > LINKS_MAX)
        return pc_err_set(PC_ELIMIT, "more than %u files with several names: restore a part",
                          LINKS_MAX / 2);
    more = mem_calloc(cap, sizeof(*more));
    if (!more)
        return -ENOMEM;
    for (size_t i = 0; i < w->links_cap; i++)
        if (w->links[i].from != 0)
            *link_at(more, cap, w->links[i].from) = w->links[i];
    mem_free(w->links);
    w->links = more;
    w->links_cap = cap;
    return 0;
}

static int link_keep(struct restore *w, uint64_t from, uint64_t to)
{
    int rc = w->links_n * 2 >= w->links_cap ? links_grow(w) : 0;

    if (rc < 0)
        return rc;
    *link_at(w->links, w->links_cap, from) = (struct link){from, to};
    w->links_n++;
    return 0;
}

static int make(struct restore *w, const struct pc_attr *from, uint64_t parent, const char *name,
                struct pc_attr *ret)
{
    char target[PC_SYMLINK_MAX + 1];
    struct pc_make m = {.mode = from->mode, .uid = from->uid, .gid = from->gid, .rdev = from->rdev};
    ssize_t n = 0;

    if (S_ISLNK(from->mode)) {
        n = pc_readlink(w->v, from->ino, target, sizeof(target));
        m.target = target;
    }
    return n < 0 ? (int)n : pc_make(w->v, parent, name, &m, ret);
}

static int copy_folder(struct restore *w, uint64_t from, uint64_t to);

static int copy_node(struct restore *w, const struct pc_attr *from, uint64_t parent,
                     const char *name)
{
    struct pc_attr made;
    bool many = !S_ISDIR(from->mode) && from->nlink > 1;
    uint64_t linked = many && w->links_cap > 0 ? link_at(w->links, w->links_cap, from->ino)->to : 0;
    int rc;

    if (linked != 0)
        return pc_link(w->v, linked, parent, name, NULL);
    rc = make(w, from, parent, name, &made);
    if (rc == 0 && many)
        rc = link_keep(w, from->ino, made.ino);
    if (rc == 0 && S_ISREG(from->mode))
        rc = copy_content(w, from, made.ino);
    if (rc == 0 && S_ISDIR(from->mode))
        rc = copy_folder(w, from->ino, made.ino);
    if (rc == 0)
        rc = copy_xattrs(w, from->ino, made.ino);
    if (rc == 0)
        rc = copy_attr(w, from, made.ino);
    if (rc == 0)
        *(S_ISDIR(from->mode) ? &w->r.folders : &w->r.files) += 1;
    return rc;
}

/* Entries of one page. A callback must not call the engine. */
struct page {
    unsigned n;
    struct {
        char *name, *seg;
        size_t seg_len;
        struct pc_attr attr;
    } e[PAGE];
};

static int keep(void *arg, const struct meta_entry *e)
{
    struct page *p = arg;

    p->e[p->n].name = mem_strdup(e->name);
    p->e[p->n].seg = mem_dup(e->seg, e->seg_len);
    p->e[p->n].seg_len = e->seg_len;
    p->e[p->n].attr = e->attr;
    return !p->e[p->n].name || !p->e[p->n++].seg;
}

static void page_free(struct page *p)
{
    for (unsigned i = 0; i < PAGE; i++) {
        mem_free(p->e[i].name);
        mem_free(p->e[i].seg);
    }
    memset(p, 0, sizeof(*p));
}

static int copy_folder(struct restore *w, uint64_t from, uint64_t to)
{
    struct page *p;
    char *after = NULL;
    size_t after_len = 0;
    int n = 0, rc = ++w->depth > DEPTH_MAX ? PC_ELIMIT : 0;

    p = rc == 0 ? mem_calloc(1, sizeof(*p)) : NULL;
    if (!p)
        return rc < 0 ? rc : -ENOMEM;
    do {
        n = w->v->meta->node->dir_page(w->v->meta, from, after, after_len, PAGE, keep, p);
        if (n >= 0 && (unsigned)n != p->n)
            rc = -ENOMEM;
        for (unsigned i = 0; n > 0 && i < p->n && rc == 0; i++)
            rc = copy_node(w, &p->e[i].attr, to, p->e[i].name);
        mem_free(after);
        after = NULL;
        if (rc == 0 && n == PAGE) {
            after = p->e[PAGE - 1].seg;
            after_len = p->e[PAGE - 1].seg_len;
            p->e[PAGE - 1].seg = NULL;
        }
        page_free(p);
    } while (n == PAGE && rc == 0);
    mem_free(after);
    mem_free(p);
    w->depth--;
    return n < 0 ? n : rc;
}

/* The folder of a path and, in ${name}, its last part. */
static int split(struct pc_volume *v, const char *path, uint64_t *ret_parent,
                 char name[PC_NAME_MAX + 1])
{
    struct pc_attr attr;
    char *folder, *slash;
    size_t len = strlen(path);
    int rc = 0;

    while (len > 0 && path[len - 1] == '/')
        len--;
    folder = mem_alloc(len + 1);
    if (!folder)
        return -ENOMEM;
    memcpy(folder, path, len);
    folder[len] = '\0';
    slash = strrchr(folder, '/');
    if (!slash || slash[1] == '\0')
        rc = pc_err_set(-EINVAL, "\"%s\" is no absolute path of something in the volume", path);
    else if (strlen(slash + 1) > PC_NAME_MAX)
        rc = -ENAMETOOLONG;
    if (rc == 0) {
        memcpy(name, slash + 1, strlen(slash + 1) + 1);
        *slash = '\0';
        rc = pc_resolve(v, folder, &attr);
    }
    if (rc == 0)
        *ret_parent = attr.ino;
    mem_free(folder);
    return rc;
}

/* What ${path} was in the snapshot. */
static int find(struct pc_volume *v, const char *name, const char *path, struct pc_attr *ret)
{
    struct pc_snapshot s;
    char *full;
    int rc = meta_snapshot_find(v->meta, name, &s);

    if (rc < 0)
        return rc;
    full = mem_printf("/" PC_SNAPSHOTS "/%s/%s", name, path);
    if (!full)
        return -ENOMEM;
    rc = pc_resolve(v, full, ret);
    mem_free(full);
    if (rc == -ENOENT)
        pc_err_set(rc, "%s is not in snapshot %s", path, name);
    return rc;
}

int pc_snapshot_restore(struct pc_volume *v, const char *name, const char *path, const char *to,
                        struct pc_restore_result *ret)
{
    struct restore w = {.v = v};
    char last[PC_NAME_MAX + 1];
    struct pc_attr from, there;
    uint64_t parent = 0;
    int rc = find(v, name, path, &from);

    if (rc == 0)
        rc = split(v, to ? to : path, &parent, last);
    if (rc == 0) {
        rc = pc_lookup(v, parent, last, &there);
        if (rc == 0)
            rc = pc_err_set(-EEXIST, "%s: there is something already: say where to, or remove it",
                            to ? to : path);
        else if (rc == -ENOENT)
            rc = 0;
    }
    if (rc < 0)
        return rc;
    w.names = mem_alloc(VALUE_MAX);
    w.value = mem_alloc(VALUE_MAX);
    rc = w.names && w.value ? copy_node(&w, &from, parent, last) : -ENOMEM;
    mem_free(w.names);
    mem_free(w.value);
    mem_free(w.links);
    if (rc == 0)
        rc = pc_volume_sync(v);
    if (rc == 0)
        *ret = w.r;
    return rc;
}
