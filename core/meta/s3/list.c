/* SPDX-License-Identifier: Apache-2.0 */
/* Listing: a depth-first walk in byte order of keys by seeks on the edges' key; its cost is that of its results. */
#include "meta/ops/ops.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "meta/ops/header.h"
#include "meta/s3/key.h"
#include "pcloud/err.h"

/*
 * The walk stands in the folder ${stack}[depth], whose key is key[0, len). One statement runs: over the entries of that folder from a segment on.
 * Going down it starts anew in the subfolder, coming up behind the subfolder's segment: seeks, no state in the database.
 */
struct walk {
    struct sql_conn *c;
    sqlite3_stmt *st; /* NULL: nothing is left */
    bool is_root;     /* of the reserved bucket: other buckets are passed over */
    bool down;        /* the last entry is a folder that is an object: its entries come next */
    unsigned depth;
    size_t len, entry_len; /* the folder's key, the present entry's key */
    struct row row;
    const char *prefix;
    size_t prefix_len;
    struct {
        uint64_t ino;
        size_t len;
    } stack[KEY_DEPTH_MAX];
    char key[PC_KEY_MAX + 2], from[PC_KEY_MAX + 2];
};

static const char walk_sql[] =
    "SELECT e.seg, " ROW_COLUMNS ", o.version, o.etag, o.headers "
    "FROM edge e CROSS JOIN node n ON n.ino=e.ino LEFT JOIN object o ON o.ino=n.ino "
    "WHERE e.parent=?1 AND e.seg>=?2 ORDER BY e.seg";

/* Entries of the present folder from ${seg} on. */
static int walk_from(struct walk *w, const char *seg, size_t len)
{
    int rc = sql_stmt(w->c, walk_sql, &w->st);

    if (rc < 0)
        return rc;
    memmove(w->from, seg, len); /* (the statement keeps looking at it) */
    return sql_bind(w->st, "ub", w->stack[w->depth].ino, w->from, len);
}

static int walk_down(struct walk *w, uint64_t ino, size_t key_len)
{
    w->len = key_len;
    w->depth++;
    w->stack[w->depth].ino = ino;
    w->stack[w->depth].len = key_len;
    w->down = false;
    return walk_from(w, "", 0);
}

/* Behind the segment of the folder that was left. */
static int walk_up(struct walk *w)
{
    size_t at = w->stack[w->depth - 1].len;
    size_t end = w->len;

    w->depth--;
    w->len = at;
    w->key[end] = '\0'; /* the next segment after "x/" is at least "x/" and a NUL */
    return walk_from(w, w->key + at, end + 1 - at);
}

/* Go to the first key that is not below ${bound}. */
static int walk_seek(struct walk *w, const char *bound, size_t len)
{
    w->depth = 0;
    w->len = 0;
    w->down = false;
    for (;;) {
        const char *rest = bound + w->len;
        size_t left = len - w->len;
        const char *slash = memchr(rest, '/', left);
        size_t n = slash ? (size_t)(slash + 1 - rest) : left;
        uint64_t ino;
        int rc = 0;

        if (n < left && w->len + n <= PC_KEY_MAX &&
            !(w->depth == 0 && w->is_root && top_is_bucket(rest, n)))
            rc = edge_find(w->c, w->stack[w->depth].ino, rest, n, &ino);
        if (rc < 0)
            return rc;
        if (rc == 0) /* no such folder, or the bound ends here */
            return walk_from(w, rest, n);
        memcpy(w->key + w->len, rest, n);
        w->len += n;
        w->depth++;
        w->stack[w->depth].ino = ino;
        w->stack[w->depth].len = w->len;
    }
}

/* Is everything from this key on above the prefix? */
static bool is_past(const struct walk *w, size_t len)
{
    size_t n = len < w->prefix_len ? len : w->prefix_len;

    return n > 0 && memcmp(w->key, w->prefix, n) > 0;
}

/* Look at the row under the statement: 1 it is a key, 0 pass on, 2 there are none any more. */
static int walk_row(struct walk *w)
{
    const char *seg;
    size_t len;
    int rc = col_blob(w->st, 0, &seg, &len);

    if (rc < 0)
        return rc;
    if (w->len + len > PC_KEY_MAX) /* too deep for a key: only the mount sees it */
        return 0;
    if (w->depth == 0 && w->is_root && top_is_bucket(seg, len))
        return 0;
    memcpy(w->key + w->len, seg, len);
    w->entry_len = w->len + len;
    if (is_past(w, w->entry_len))
        return 2;
    row_read(w->st, 1, &w->row);
    if (!segment_is_folder(seg, len))
        return S_ISREG(w->row.mode);
    if (w->row.flags & ROW_OBJECT) {
        w->down = true;
        return 1;
    }
    return walk_down(w, w->row.ino, w->entry_len);
}

/* The next key: 1 with w->key, w->entry_len, w->row and the object's columns under w->st; 0 at the end. */
static int walk_next(struct walk *w)
{
    int rc = w->down ? walk_down(w, w->row.ino, w->entry_len) : 0;

    while (rc == 0) {
        rc = sql_step(w->st);
        if (rc > 0) {
            rc = walk_row(w);
            if (rc == 2)
                return 0;
        } else if (rc == 0) {
            if (w->depth == 0)
                return 0;
            rc = walk_up(w);
        }
    }
    return rc;
}

static int give_key(struct walk *w, int (*fn)(void *arg, const struct pc_list_entry *e), void *arg)
{
    const int at = 1 + ROW_NCOLUMNS;
    uint64_t version = col_u(w->st, at);
    char etag[PC_ETAG_MAX], list[PC_META_MAX];
    struct pc_headers h = {0};
    struct pc_list_entry e = {.key = w->key,
                              .len = w->entry_len,
                              .size = w->row.size,
                              .mtime = ns_to(w->row.mtime),
                              .etag = etag,
                              .headers = &h};
    int rc = col_blob(w->st, at + 2, &h.data, &h.len);

    if (rc < 0)
        return rc;
    if (h.len > PC_META_MAX)
        return pc_err_set(PC_ECORRUPT, "node %llu: too many headers",
                          (unsigned long long)w->row.ino);
    object_etag(&w->row, version, (const char *)sqlite3_column_text(w->st, at + 1), etag);
    if (version != w->row.version) {
        memcpy(list, h.data, h.len);
        h.len = header_drop_checksums(list, h.len);
        h.data = list;
    }
    return fn(arg, &e);
}

/* Where the listing starts: the prefix, behind ${after}, or behind all that rolls up with it. Its length, or 0 with *ret_end if nothing can be there. */
static size_t start(const struct pc_list *l, char bound[PC_KEY_MAX + 2], bool *ret_end)
{
    size_t n = l->after_len < PC_KEY_MAX ? l->after_len : PC_KEY_MAX;
    size_t common = n < l->prefix_len ? n : l->prefix_len;
    int order = common > 0 ? memcmp(l->after, l->prefix, common) : 0;

    *ret_end = l->prefix_len > PC_KEY_MAX;
    if (n == 0 || order < 0 || (order == 0 && n < l->prefix_len)) {
        n = *ret_end ? 0 : l->prefix_len;
        memcpy(bound, l->prefix, n);
        return n;
    }
    if (order > 0)
        *ret_end = true;
    memcpy(bound, l->after, n);
    common = key_rollup(bound, n, l->prefix_len, l->delimiter, l->delimiter_len);
    if (common > 0) {
        n = key_past(bound, common);
        *ret_end = *ret_end || n == 0;
        return n;
    }
    bound[n] = '\0';
    return n + 1;
}

static int list_in(struct walk *w, const struct pc_list *l,
                   int (*fn)(void *arg, const struct pc_list_entry *e), void *arg,
                   bool *ret_truncated)
{
    char bound[PC_KEY_MAX + 2];
    bool end = false;
    size_t n = start(l, bound, &end);
    int rc = end ? 0 : walk_seek(w, bound, n);

    for (unsigned count = 0; rc == 0 && !end; count++) {
        rc = walk_next(w);
        if (rc <= 0 || w->entry_len < w->prefix_len ||
            memcmp(w->key, w->prefix, w->prefix_len) != 0)
            return rc < 0 ? rc : 0;
        if (count == l->max) {
            *ret_truncated = true;
            return 0;
        }
        n = key_rollup(w->key, w->entry_len, l->prefix_len, l->delimiter, l->delimiter_len);
        if (n > 0) {
            struct pc_list_entry e = {.key = bound, .len = n, .is_prefix = true};

            memcpy(bound, w->key, n);
            rc = fn(arg, &e);
            n = key_past(bound, n);
            end = n == 0;
            if (rc == 0 && !end)
                rc = walk_seek(w, bound, n);
        } else {
            rc = give_key(w, fn, arg);
        }
    }
    return rc;
}

int op_list(struct meta *m, const char *bucket, const struct pc_list *list,
            int (*fn)(void *arg, const struct pc_list_entry *e), void *arg, bool *ret_truncated)
{
    struct walk *w = mem_calloc(1, sizeof(*w));
    bool truncated = false;
    int rc;

    if (!w)
        return -ENOMEM;
    w->prefix = list->prefix;
    w->prefix_len = list->prefix_len;
    rc = sql_read_begin(m, &w->c);
    if (rc < 0)
        goto free_walk;
    rc = bucket_find(w->c, bucket, &w->stack[0].ino);
    w->is_root = rc == 0 && w->stack[0].ino == PC_ROOT_INO;
    if (rc == 0 && list->max > 0)
        rc = list_in(w, list, fn, arg, &truncated);
    if (w->st)
        sqlite3_reset(w->st);
    sql_read_end(m, w->c);
    if (rc >= 0)
        *ret_truncated = truncated;

free_walk:
    mem_free(w);
    return rc;
}
