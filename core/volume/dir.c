/* SPDX-License-Identifier: Apache-2.0 */
/* Open folders: pages of entries by segment, with offsets that stay right under change. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "pcloud/err.h"
#include "tree/segment.h"
#include "volume/volume.h"

#define PAGE_ENTRIES 64
#define FIRST_OFFSET 2 /* after "." and ".." */

/*
 * An offset counts the entries given so far. The segment at which each page began is kept, so that a seek back starts at the nearest page;
 * within a page entries are skipped. Reading on, the usual case, starts right after the last segment.
 */
struct mark {
    uint64_t off;
    size_t len;
    char *seg;
};

struct pc_dir {
    struct pc_volume *v;
    uint64_t ino;
    struct mark *marks;
    size_t n, cap;
    uint64_t off; /* of the last entry given */
    size_t last_len;
    char last[SEGMENT_MAX];
};

int pc_dir_open(struct pc_volume *v, uint64_t ino, struct pc_dir **ret)
{
    struct pc_attr attr;
    int rc = pc_getattr(v, ino, &attr);
    if (rc < 0)
        return rc;
    if (!S_ISDIR(attr.mode))
        return -ENOTDIR;
    struct pc_dir *d = mem_calloc(1, sizeof(*d));
    if (d == NULL)
        return -ENOMEM;
    d->v = v;
    d->ino = ino;
    d->off = FIRST_OFFSET;
    *ret = d;
    return 0;
}

void pc_dir_close(struct pc_dir *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->n; i++)
        mem_free(d->marks[i].seg);
    mem_free(d->marks);
    mem_free(d);
}

static int remember(struct pc_dir *d)
{
    if (d->n > 0 && d->marks[d->n - 1].off >= d->off)
        return 0;
    if (d->n == d->cap) {
        size_t cap = d->cap != 0 ? 2 * d->cap : 16;
        struct mark *marks = mem_realloc(d->marks, cap * sizeof(*marks));
        if (marks == NULL)
            return -ENOMEM;
        d->marks = marks;
        d->cap = cap;
    }
    char *seg = mem_alloc(d->last_len != 0 ? d->last_len : 1);
    if (seg == NULL)
        return -ENOMEM;
    memcpy(seg, d->last, d->last_len);
    d->marks[d->n++] = (struct mark){.off = d->off, .len = d->last_len, .seg = seg};
    return 0;
}

/* Go to the newest mark at or before ${off}. */
static void rewind_to(struct pc_dir *d, uint64_t off)
{
    d->off = FIRST_OFFSET;
    d->last_len = 0;
    for (size_t i = d->n; i > 0; i--) {
        const struct mark *m = &d->marks[i - 1];
        if (m->off > off)
            continue;
        d->off = m->off;
        d->last_len = m->len;
        memcpy(d->last, m->seg, m->len);
        return;
    }
}

struct page {
    struct pc_dir *d;
    uint64_t want; /* give entries after this offset */
    int (*fn)(void *arg, const char *name, const struct pc_attr *attr, uint64_t next_off);
    void *arg;
    int stopped;
    uint64_t flushes; /* when the page was read */
    unsigned held;
    struct held {
        char name[PC_NAME_MAX + 1];
        char seg[SEGMENT_MAX];
        size_t seg_len;
        struct pc_attr attr;
    } * entries;
};

static int keep_entry(void *arg, const struct meta_entry *e)
{
    struct page *p = arg;
    struct held *h = &p->entries[p->held++];
    memccpy(h->name, e->name, '\0', sizeof(h->name));
    memcpy(h->seg, e->seg, e->seg_len);
    h->seg_len = e->seg_len;
    h->attr = e->attr;
    return 0;
}

/* Give the kept entries; the engine's callback must not call the engine, this may. */
static void give(struct page *p)
{
    struct pc_dir *d = p->d;
    for (unsigned i = 0; i < p->held && p->stopped == 0; i++) {
        struct held *h = &p->entries[i];
        (void)open_node_attr(d->v, p->flushes,
                             &h->attr); /* what went meanwhile is shown as it was */
        if (d->off + 1 > p->want) {
            p->stopped = p->fn(p->arg, h->name, &h->attr, d->off + 1);
            if (p->stopped != 0)
                return;
        }
        d->off++;
        d->last_len = h->seg_len;
        memcpy(d->last, h->seg, h->seg_len);
    }
}

static int give_dots(struct pc_dir *d, uint64_t off, struct page *p)
{
    struct pc_attr attr;
    int rc = 0;
    if (off < 1) {
        rc = pc_getattr(d->v, d->ino, &attr);
        if (rc == 0 && (p->stopped = p->fn(p->arg, ".", &attr, 1)) != 0)
            return 0;
    }
    if (rc == 0 && off < 2) {
        uint64_t parent;
        rc = pc_parent(d->v, d->ino, &parent);
        if (rc == 0)
            rc = pc_getattr(d->v, parent, &attr);
        if (rc == 0)
            p->stopped = p->fn(p->arg, "..", &attr, 2);
    }
    return rc == -ENOENT ? 0 : rc;
}

int pc_dir_read(struct pc_dir *d, uint64_t off,
                int (*fn)(void *arg, const char *name, const struct pc_attr *attr,
                          uint64_t next_off),
                void *arg)
{
    struct page p = {.d = d, .fn = fn, .arg = arg};
    int rc = give_dots(d, off, &p);
    if (rc < 0 || p.stopped != 0)
        return rc;
    p.want = off > FIRST_OFFSET ? off : FIRST_OFFSET;
    if (d->off != p.want)
        rewind_to(d, p.want);
    p.entries = mem_alloc(PAGE_ENTRIES * sizeof(*p.entries));
    if (p.entries == NULL)
        return -ENOMEM;
    int n = 1;
    while (n > 0 && p.stopped == 0) {
        p.held = 0;
        p.flushes = atomic_load(&d->v->flushes);
        rc = remember(d);
        if (rc == 0)
            rc = n = d->v->meta->node->dir_page(d->v->meta, d->ino, d->last, d->last_len,
                                                PAGE_ENTRIES, keep_entry, &p);
        if (rc < 0)
            break;
        give(&p);
    }
    mem_free(p.entries);
    return rc < 0 ? rc : 0;
}
