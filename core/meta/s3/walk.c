/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a bucket in byte order: a walk in depth by seeks on the edges' key. */
#include "meta/s3/walk.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "meta/ops/header.h"
#include "meta/ops/ops.h"
#include "pcloud/err.h"

static const char walk_sql[] =
    "SELECT e.seg, " ROW_COLUMNS ", o.version, o.etag, o.headers, o.vid "
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

int walk_seek(struct walk *w, const char *bound, size_t len)
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
    if (w->row.flags & ROW_TRASH)
        return 0;
    if (!segment_is_folder(seg, len))
        return S_ISREG(w->row.mode);
    if (w->row.flags & ROW_OBJECT) {
        w->down = true;
        return 1;
    }
    return walk_down(w, w->row.ino, w->entry_len);
}

int walk_next(struct walk *w)
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

int walk_columns(sqlite3_stmt *st, int at, const struct row *r, struct walk_object *ret)
{
    uint64_t version = col_u(st, at);
    const char *vid = (const char *)sqlite3_column_text(st, at + 3);
    size_t len = vid ? strnlen(vid, PC_VERSION_MAX - 1) : 0;
    int rc = col_blob(st, at + 2, &ret->headers.data, &ret->headers.len);

    if (rc < 0)
        return rc;
    if (ret->headers.len > PC_META_MAX)
        return pc_err_set(PC_ECORRUPT, "node %llu: too many headers", (unsigned long long)r->ino);
    object_etag(r, version, (const char *)sqlite3_column_text(st, at + 1), ret->etag);
    memcpy(ret->vid, vid ? vid : "", len);
    ret->vid[len] = '\0';
    if (version != r->version) {
        memcpy(ret->list, ret->headers.data, ret->headers.len);
        ret->headers.len = header_drop_checksums(ret->list, ret->headers.len);
        ret->headers.data = ret->list;
    }
    return 0;
}

size_t walk_start(const struct pc_list *l, char bound[PC_KEY_MAX + 2], bool *ret_end)
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

int walk_open(struct sql_conn *c, const char *bucket, const char *prefix, size_t prefix_len,
              struct walk **ret)
{
    struct walk *w = mem_calloc(1, sizeof(*w));
    int rc;

    if (!w)
        return -ENOMEM;
    w->c = c;
    w->prefix = prefix;
    w->prefix_len = prefix_len;
    rc = bucket_find(c, bucket, &w->stack[0].ino);
    if (rc < 0) {
        mem_free(w);
        return rc;
    }
    w->is_root = w->stack[0].ino == PC_ROOT_INO;
    *ret = w;
    return 0;
}

void walk_close(struct walk *w)
{
    if (w && w->st)
        sqlite3_reset(w->st);
    mem_free(w);
}
