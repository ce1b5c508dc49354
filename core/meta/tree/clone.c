/* SPDX-License-Identifier: Apache-2.0 */
/* A tree copied by rows: built aside in steps as an orphan that is held, then linked in one operation. */
#include "meta/ops/ops.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "meta/engine.h"
#include "meta/ops/header.h"
#include "meta/ops/link.h"
#include "meta/ops/quota.h"
#include "meta/ops/slice.h"
#include "meta/s3/past.h"

#define STEP_NS 4000000  /* time of one transaction */
#define STEP_ENTRIES 256 /* names made in one at most */
#define PAGE 64          /* names read at once */
#define LONG_BYTES (1u << 20)
#define LONG_SLICES 512 /* a file with more is copied by so many at a time */
#define LONG_TRIES 4    /* of one that changes meanwhile; then all of it at once */
#define LIST_MAX (1u << 28)

/* What a copy keeps of the flags; INLINE, SLICES come with the content. */
#define KEPT                                                                                       \
    (ROW_IMPLICIT | ROW_TWINS | ROW_XATTR | ROW_OBJECT | ROW_ACL | ROW_TRASH_ON | ROW_TRASH_OFF)

struct pair {
    uint64_t from, to;
};

struct name {
    uint64_t ino;
    uint16_t len;
    char seg[SEGMENT_MAX];
};

struct clone {
    struct meta_clone seen; /* first: a struct meta_clone * is its struct clone * */
    uint64_t src, top;
    uint32_t top_folders; /* in the clone's own folder, which has no links yet */
    bool folder, linked;

    struct pair *todo; /* folders whose entries are to be copied */
    size_t todo_n, todo_cap;
    struct pair *links; /* nodes with several names, by the hash of from; 0: free */
    size_t links_n, links_cap;

    struct pair at;           /* the folder whose entries are copied; 0: none */
    unsigned page_n, page_at; /* some of them */
    struct name page[PAGE];
    size_t after_len;
    char after[SEGMENT_MAX];

    struct pair file; /* a long file between two steps; 0: none */
    uint64_t file_at, file_version;
    unsigned file_tries;
};

static struct clone *clone_of(struct meta_clone *k)
{
    return (struct clone *)(void *)k;
}

static size_t link_slot(const struct pair *links, size_t cap, uint64_t from)
{
    size_t i = (size_t)((from * 0x9e3779b97f4a7c15u) >> 32) & (cap - 1);

    while (links[i].from != 0 && links[i].from != from)
        i = (i + 1) & (cap - 1);
    return i;
}

static uint64_t link_find(const struct clone *k, uint64_t from)
{
    return k->links_cap > 0 ? k->links[link_slot(k->links, k->links_cap, from)].to : 0;
}

static int link_note(struct clone *k, uint64_t from, uint64_t to)
{
    if (2 * k->links_n >= k->links_cap) {
        size_t cap = k->links_cap > 0 ? 2 * k->links_cap : 64;
        struct pair *links = cap <= LIST_MAX ? mem_calloc(cap, sizeof(*links)) : NULL;

        if (!links)
            return -ENOMEM;
        for (size_t i = 0; i < k->links_cap; i++) {
            if (k->links[i].from != 0)
                links[link_slot(links, cap, k->links[i].from)] = k->links[i];
        }
        mem_free(k->links);
        k->links = links;
        k->links_cap = cap;
    }
    k->links[link_slot(k->links, k->links_cap, from)] = (struct pair){from, to};
    k->links_n++;
    return 0;
}

static int todo_push(struct clone *k, uint64_t from, uint64_t to)
{
    if (k->todo_n == k->todo_cap) {
        size_t cap = k->todo_cap > 0 ? 2 * k->todo_cap : 64;
        struct pair *todo = cap <= LIST_MAX ? mem_calloc(cap, sizeof(*todo)) : NULL;

        if (!todo)
            return -ENOMEM;
        if (k->todo_n > 0)
            memcpy(todo, k->todo, k->todo_n * sizeof(*todo));
        mem_free(k->todo);
        k->todo = todo;
        k->todo_cap = cap;
    }
    k->todo[k->todo_n++] = (struct pair){from, to};
    return 0;
}

/* The copy of an object is no version and has no lock. */
static int copy_object(struct sql_conn *c, const struct row *from, uint64_t to)
{
    static const char sql[] = "UPDATE object SET headers=?2 WHERE ino=?1";
    char *data;
    size_t len;
    int rc = object_clone(c, from->ino, to);

    if (rc < 0 || !(from->flags & ROW_LOCKED))
        return rc;
    rc = header_load(c, to, &data, &len);
    if (rc < 0)
        return rc;
    len = lock_strip(data, len);
    rc = sql_run(c, sql, "ub", to, data, len);
    mem_free(data);
    return rc < 0 ? rc : 0;
}

/* What lies beside the row. */
static int copy_rows(struct sql_conn *c, const struct row *from, uint64_t to)
{
    static const char xattr[] = "INSERT INTO xattr SELECT ?2, name, value FROM xattr WHERE ino=?1";
    static const char link[] = "INSERT INTO symlink SELECT ?2, target FROM symlink WHERE ino=?1";
    int rc = 0;

    if (from->flags & ROW_XATTR)
        rc = sql_run(c, xattr, "uu", from->ino, to);
    if (rc >= 0 && S_ISLNK(from->mode))
        rc = sql_run(c, link, "uu", from->ino, to);
    if (rc >= 0 && (from->flags & ROW_OBJECT))
        rc = copy_object(c, from, to);
    return rc < 0 ? rc : 0;
}

/* Has it more slices than one step should copy? 1, 0. */
static int is_long(struct sql_conn *c, const struct row *r)
{
    static const char sql[] = "SELECT 1 FROM slice WHERE ino=?1 LIMIT 1 OFFSET ?2";
    sqlite3_stmt *st;
    int rc;

    if (!(r->flags & ROW_SLICES) || r->used < LONG_BYTES)
        return 0;
    rc = sql_one(c, sql, &st, "uu", r->ino, (uint64_t)LONG_SLICES);
    if (rc > 0)
        sqlite3_reset(st);
    return rc;
}

/* A node like ${r} with ${nlink} links, its content too, or, of a long one, to be copied by the next steps. */
static int copy_node(struct meta *m, struct sql_conn *c, struct clone *k, const struct row *r,
                     uint32_t nlink, uint64_t parent, struct row *n)
{
    int rc = is_long(c, r);

    if (rc < 0)
        return rc;
    *n = *r;
    n->ino = sql_next_id(m);
    n->nlink = nlink;
    n->parent = parent;
    n->ctime = n->btime = wall_ns();
    n->flags = r->flags & KEPT;
    n->size = n->used = 0;
    if (nlink > 0)
        row_count(m, n, 1);
    if (rc > 0) {
        meta_hold(m, r->ino); /* removed meanwhile, its content stays */
        k->file = (struct pair){r->ino, n->ino};
        k->file_at = 0;
        k->file_version = r->version;
        k->file_tries = 1;
        row_resize(m, n, r->size);
        rc = 0;
    } else {
        rc = content_copy(m, c, r, n);
    }
    if (rc == 0)
        rc = row_insert(c, n);
    if (rc == 0)
        rc = copy_rows(c, r, n->ino);
    if (rc < 0)
        return rc;
    k->seen.entries++;
    k->seen.bytes += S_ISREG(r->mode) ? r->size : 0;
    k->seen.shared += r->flags & ROW_SLICES ? r->used : 0;
    return 0;
}

/* One more name of a node that is copied already. */
static int copy_link(struct sql_conn *c, struct clone *k, const struct name *e, uint64_t ino)
{
    struct row r;
    int rc = edge_insert(c, k->at.to, e->seg, e->len, ino);

    if (rc == 0)
        rc = row_load(c, ino, &r);
    if (rc == 0)
        rc = link_more(c, &r, k->at.to);
    if (rc == 0)
        rc = row_store(c, &r);
    k->seen.entries++;
    return rc;
}

static int copy_entry(struct meta *m, struct sql_conn *c, struct clone *k, const struct name *e)
{
    static const char sql[] = "UPDATE node SET nlink=nlink+1 WHERE ino=?1";
    bool folder = segment_is_folder(e->seg, e->len);
    struct row r, n;
    int rc = row_load(c, e->ino, &r);

    if (rc == -ENOENT || (rc == 0 && (r.nlink == 0 || (r.flags & ROW_TRASH))))
        return 0; /* removed since its name was read; nobody copies the trash */
    if (rc < 0)
        return rc;
    if (!folder && r.nlink > 1 && link_find(k, r.ino) != 0)
        return copy_link(c, k, e, link_find(k, r.ino));
    rc = copy_node(m, c, k, &r, folder ? 2 : 1, k->at.to, &n);
    if (rc == 0)
        rc = edge_insert(c, k->at.to, e->seg, e->len, n.ino);
    if (rc < 0)
        return rc;
    if (!folder)
        return r.nlink > 1 ? link_note(k, r.ino, n.ino) : 0;
    if (k->at.to == k->top)
        k->top_folders++;
    else
        rc = sql_run(c, sql, "u", k->at.to);
    return rc < 0 ? rc : todo_push(k, r.ino, n.ino);
}

/* More names of the folder: their number. */
static int read_page(struct sql_conn *c, struct clone *k)
{
    static const char sql[] = "SELECT seg, ino FROM edge WHERE parent=?1 AND seg>?2 ORDER BY seg "
                              "LIMIT 64";
    sqlite3_stmt *st;
    int rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    k->page_n = k->page_at = 0;
    rc = sql_bind(st, "ub", k->at.from, k->after, k->after_len);
    while (rc >= 0 && k->page_n < PAGE && (rc = sql_step(st)) > 0) {
        struct name *e = &k->page[k->page_n];
        const char *seg;
        size_t len;

        rc = col_blob(st, 0, &seg, &len);
        if (rc < 0 || len == 0 || len > SEGMENT_MAX)
            continue; /* (nothing makes such a one) */
        memcpy(e->seg, seg, len);
        e->len = (uint16_t)len;
        e->ino = col_u(st, 1);
        k->page_n++;
    }
    sqlite3_reset(st);
    if (rc < 0)
        return rc;
    if (k->page_n > 0) {
        k->after_len = k->page[k->page_n - 1].len;
        memcpy(k->after, k->page[k->page_n - 1].seg, k->after_len);
    }
    return (int)k->page_n;
}

/* The next names to copy: 1, 0 if all is done. */
static int next_names(struct sql_conn *c, struct clone *k)
{
    for (;;) {
        int rc = k->at.from != 0 ? read_page(c, k) : 0;

        if (rc != 0)
            return rc < 0 ? rc : 1;
        if (k->todo_n == 0)
            return 0;
        k->at = k->todo[--k->todo_n];
        k->after_len = 0;
    }
}

/* A long file changed since its first slices: it begins again, or is copied at once: 1. */
static int copy_again(struct meta *m, struct sql_conn *c, struct clone *k, const struct row *r,
                      struct row *n)
{
    int rc = content_drop(m, c, n);

    if (rc == 0)
        rc = is_long(c, r);
    if (rc < 0)
        return rc;
    n->version = k->file_version = r->version;
    k->file_at = 0;
    if (rc > 0 && ++k->file_tries <= LONG_TRIES) {
        row_resize(m, n, r->size);
        return 0;
    }
    rc = content_copy(m, c, r, n);
    return rc < 0 ? rc : 1;
}

/* The next slices: 1 if these were the last. */
static int copy_some(struct meta *m, struct sql_conn *c, struct clone *k, const struct row *r,
                     struct row *n)
{
    struct slice_row rows[LONG_SLICES];
    int got = slice_page(c, r->ino, k->file_at, PC_FILE_MAX, LONG_SLICES, rows), rc;
    uint64_t end;

    if (got <= 0)
        return got < 0 ? got : 1;
    end = rows[got - 1].pos + rows[got - 1].len;
    rc = slice_share(m, c, r->ino, k->file_at, n, k->file_at, end - k->file_at);
    k->file_at = end;
    return rc < 0 ? rc : got < LONG_SLICES;
}

static int copy_slices(struct meta *m, struct sql_conn *c, struct clone *k)
{
    struct row r, n;
    int done, rc = row_load(c, k->file.from, &r);

    if (rc == 0)
        rc = row_load(c, k->file.to, &n);
    if (rc < 0)
        return rc;
    done = r.version != k->file_version ? copy_again(m, c, k, &r, &n) : 0;
    if (done == 0)
        done = copy_some(m, c, k, &r, &n);
    rc = done < 0 ? done : row_store(c, &n);
    if (rc == 0 && done > 0) {
        meta_drop(m, k->file.from);
        k->file = (struct pair){0, 0};
    }
    return rc;
}

static int step_in(struct meta *m, struct sql_conn *c, struct clone *k)
{
    int64_t until = monotonic_ns() + STEP_NS;
    unsigned n = 0;
    int rc;

    do {
        if (k->file.to != 0) {
            rc = copy_slices(m, c, k);
        } else if (k->page_at < k->page_n) {
            rc = copy_entry(m, c, k, &k->page[k->page_at++]);
        } else {
            rc = next_names(c, k);
            if (rc <= 0)
                return rc;
        }
    } while (rc >= 0 && ++n < STEP_ENTRIES && monotonic_ns() < until);
    return rc < 0 ? rc : 1;
}

int op_clone_step(struct meta *m, struct meta_clone *k)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    return rc < 0 ? rc : sql_write_end(m, c, step_in(m, c, clone_of(k)));
}

/* May it go there? ${r}: the source. */
static int check(struct sql_conn *c, uint64_t src, uint64_t parent, const char *name, struct row *r,
                 struct row *p, struct edge *e)
{
    int rc = row_load(c, src, r);

    if (rc == 0 && (r->nlink == 0 || (r->flags & (ROW_PAST | ROW_PART))))
        rc = -ENOENT;
    if (rc == 0 && (r->flags & ROW_TRASH))
        rc = -EPERM;
    if (rc < 0)
        return rc;
    if (S_ISDIR(r->mode)) {
        rc = folder_is_above(c, src, parent);
        if (rc != 0)
            return rc < 0 ? rc : -EINVAL;
    }
    return edge_new(c, parent, name, S_ISDIR(r->mode), p, e);
}

static int begin_in(struct meta *m, struct sql_conn *c, struct clone *k, uint64_t parent,
                    const char *name)
{
    struct row r, p, n;
    struct edge e;
    int rc = check(c, k->src, parent, name, &r, &p, &e);

    /* Its parent is the root until it is linked: whoever climbs from what is below arrives. */
    if (rc == 0)
        rc = copy_node(m, c, k, &r, 0, PC_ROOT_INO, &n);
    if (rc == 0)
        rc = orphan_add(m, c, n.ino);
    k->folder = S_ISDIR(r.mode);
    if (rc == 0 && k->folder)
        rc = quota_aside(c, n.ino);
    if (rc < 0)
        return rc;
    if (k->folder)
        rc = todo_push(k, r.ino, n.ino);
    if (rc == 0) {
        k->top = n.ino;
        meta_hold(m, n.ino);
    }
    return rc;
}

int op_clone_begin(struct meta *m, uint64_t src, uint64_t parent, const char *name,
                   struct meta_clone **ret)
{
    struct clone *k = mem_calloc(1, sizeof(*k));
    struct sql_conn *c;
    int rc;

    if (!k)
        return -ENOMEM;
    k->src = src;
    rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);
    if (rc == 0)
        rc = sql_write_end(m, c, begin_in(m, c, k, parent, name));
    if (rc < 0) {
        op_clone_free(m, &k->seen);
        return rc;
    }
    *ret = &k->seen;
    return 0;
}

static int end_in(struct meta *m, struct sql_conn *c, const struct clone *k, uint64_t parent,
                  const char *name, struct row *r)
{
    static const char del[] = "DELETE FROM orphan WHERE ino=?1";
    struct row p;
    struct edge e;
    int rc = k->folder ? folder_is_above(c, k->src, parent) : 0;

    if (rc != 0)
        return rc < 0 ? rc : -EINVAL;
    rc = edge_new(c, parent, name, k->folder, &p, &e);
    if (rc == 0)
        rc = row_load(c, k->top, r);
    if (rc == 0)
        rc = edge_insert(c, parent, e.seg, e.len, k->top);
    if (rc == 0)
        rc = sql_run(c, del, "u", k->top);
    if (rc < 0)
        return rc;
    sql_total_add(m, SQL_ORPHANS, -1);
    r->nlink = k->folder ? 2 + k->top_folders : 1;
    r->parent = parent;
    r->ctime = wall_ns();
    r->flags &= ~(unsigned)ROW_IMPLICIT;
    row_count(m, r, 1);
    rc = row_store(c, r);
    if (rc == 0 && c->quota)
        rc = quota_forget(c, r->ino); /* (kept aside: it has counted what came) */
    if (rc < 0)
        return rc;
    p.mtime = p.ctime = r->ctime;
    p.nlink += k->folder;
    p.flags &= ~(unsigned)ROW_IMPLICIT;
    rc = row_store(c, &p);
    e.ino = k->top;
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY | PC_CHANGE_ATTR, &e);
}

int op_clone_end(struct meta *m, struct meta_clone *k, uint64_t parent, const char *name,
                 struct pc_attr *attr)
{
    struct clone *s = clone_of(k);
    struct sql_conn *c;
    struct row r;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    if (rc < 0)
        return rc;
    rc = sql_write_end(m, c, end_in(m, c, s, parent, name, &r));
    if (rc == 0 && attr)
        row_attr(&r, attr);
    s->linked = s->linked || rc == 0;
    return rc;
}

void op_clone_free(struct meta *m, struct meta_clone *k)
{
    struct clone *s;

    if (!k)
        return;
    s = clone_of(k);
    if (s->file.from != 0)
        meta_drop(m, s->file.from);
    if (s->top != 0)
        meta_drop(m, s->top);
    mem_free(s->todo);
    mem_free(s->links);
    mem_free(s);
}
