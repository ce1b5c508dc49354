/* SPDX-License-Identifier: Apache-2.0 */
/* The change feed as the doors see it: names instead of segments. */
#include <errno.h>

#include "base/alloc.h"
#include "pcloud/err.h"
#include "pcloud/volume.h"
#include "tree/segment.h"
#include "volume/volume.h"

#define FEED_PAGE 256

struct pc_feed {
    struct pc_volume *v;
    uint64_t seq;
    volatile bool cancelled;
    int given;
    void (*fn)(void *arg, const struct pc_change *c);
    void *arg;
    unsigned n;
    struct held {
        struct pc_change c;
        char name[SEGMENT_NAME_MAX + 1];
        char twin[SEGMENT_NAME_MAX + 1];
    } page[FEED_PAGE];
};

int pc_feed_open(struct pc_volume *v, struct pc_feed **ret)
{
    struct pc_feed *f = mem_calloc(1, sizeof(*f));
    if (f == NULL)
        return -ENOMEM;
    f->v = v;
    f->seq = meta_feed_end(v->meta);
    *ret = f;
    return 0;
}

void pc_feed_close(struct pc_feed *f)
{
    mem_free(f);
}

void pc_feed_wake(struct pc_feed *f)
{
    __atomic_store_n(&f->cancelled, true, __ATOMIC_RELEASE);
    meta_feed_wake(f->v->meta);
}

static void keep(void *arg, const struct meta_change *m)
{
    struct pc_feed *f = arg;
    struct held *h = &f->page[f->n++];
    h->c = (struct pc_change){
        .seq = m->seq, .kinds = m->kinds, .ino = m->ino, .parent = m->parent, .own = m->own};
    h->name[0] = h->twin[0] = '\0';
    if (m->seg_len > 0 && m->seg_len <= SEGMENT_MAX) {
        segment_to_name(m->seg, m->seg_len, false, h->name);
        if (!segment_is_folder(m->seg, m->seg_len))
            segment_to_name(m->seg, m->seg_len, true, h->twin);
    }
}

/* A file may be cached under its plain name and, beside its folder twin, under its escaped one. */
static void give(struct pc_feed *f, struct held *h)
{
    h->c.name = h->name;
    f->fn(f->arg, &h->c);
    f->given++;
    if (h->twin[0] == '\0' || (h->c.kinds & PC_CHANGE_ENTRY) == 0)
        return;
    h->c.name = h->twin;
    h->c.kinds = PC_CHANGE_ENTRY;
    f->fn(f->arg, &h->c);
}

static int drain(struct pc_feed *f)
{
    do {
        f->n = 0;
        f->seq = meta_feed_skip_own(f->v->meta, f->seq);
        if (f->seq == meta_feed_end(f->v->meta))
            return 0;
        int rc = meta_feed_read(f->v->meta, f->seq, FEED_PAGE, keep, f);
        if (rc == -EOVERFLOW) {
            f->seq = meta_feed_end(f->v->meta);
            const struct pc_change lost = {.seq = f->seq, .kinds = PC_CHANGE_LOST};
            f->fn(f->arg, &lost);
            f->given++;
            return 0;
        }
        if (rc < 0)
            return rc;
        for (unsigned i = 0; i < f->n; i++) {
            f->seq = f->page[i].c.seq;
            give(f, &f->page[i]);
        }
    } while (f->n == FEED_PAGE && !__atomic_load_n(&f->cancelled, __ATOMIC_ACQUIRE));
    return 0;
}

int pc_feed_wait(struct pc_feed *f, int timeout_ms,
                 void (*fn)(void *arg, const struct pc_change *c), void *arg)
{
    if (__atomic_load_n(&f->cancelled, __ATOMIC_ACQUIRE))
        return -ECANCELED;
    int rc = meta_feed_wait(f->v->meta, f->seq, timeout_ms, &f->cancelled);
    if (__atomic_load_n(&f->cancelled, __ATOMIC_ACQUIRE))
        return -ECANCELED;
    if (rc <= 0)
        return rc;
    f->fn = fn;
    f->arg = arg;
    f->given = 0;
    rc = drain(f);
    return rc < 0 ? rc : f->given;
}
