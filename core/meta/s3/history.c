/* SPDX-License-Identifier: Apache-2.0 */
/* Listing versions: the walk over what is current and the rows of past in one order; its cost is that of its results. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "meta/ops/ops.h"
#include "meta/s3/past.h"
#include "meta/s3/walk.h"
#include "pcloud/err.h"

/* Two streams, each with its next entry or at its end. */
struct merge {
    struct sql_conn *c;
    const char *bucket;
    const struct pc_version_list *l;
    int (*fn)(void *arg, const struct pc_version_entry *e);
    void *arg;
    struct walk *w;
    sqlite3_stmt *st; /* over past */
    bool has_edge, has_past;
    struct past past;
    struct row row;           /* of past's node */
    struct place place;       /* its bucket */
    size_t key_len, last_len; /* last: the key that was given last, whose newest is behind us */
    char key[PC_KEY_MAX + 2], last[PC_KEY_MAX + 2], from[PC_KEY_MAX + 2];
};

static const char past_sql[] =
    "SELECT p.key, p.rank, p.mtime, p.ino, p.id, " ROW_COLUMNS ", "
    "o.version, o.etag, o.headers, o.vid FROM past p LEFT JOIN node n ON n.ino=p.ino "
    "LEFT JOIN object o ON o.ino=p.ino WHERE p.bucket=?1 AND (p.key, p.rank) > (?2, ?3) "
    "ORDER BY p.key, p.rank";

static bool in_prefix(const struct merge *g, const char *key, size_t len)
{
    return len >= g->l->prefix_len && memcmp(key, g->l->prefix, g->l->prefix_len) == 0;
}

static int past_step(struct merge *g)
{
    const char *key;
    int rc = sql_step(g->st);

    g->has_past = false;
    if (rc <= 0)
        return rc;
    rc = col_blob(g->st, 0, &key, &g->key_len);
    if (rc == 0 && g->key_len > PC_KEY_MAX)
        rc = pc_err_set(PC_ECORRUPT, "a past version has a key of %zu bytes", g->key_len);
    if (rc == 0)
        rc = past_read(g->st, 1, &g->past);
    if (rc < 0)
        return rc;
    memcpy(g->key, key, g->key_len);
    row_read(g->st, 5, &g->row);
    g->has_past = in_prefix(g, g->key, g->key_len);
    return 0;
}

static int past_from(struct merge *g, const char *key, size_t len, int64_t rank)
{
    int rc = sql_stmt(g->c, past_sql, &g->st);

    if (rc < 0)
        return rc;
    memmove(g->from, key, len);
    rc = sql_bind(g->st, "ubi", g->place.bucket.ino, g->from, len, rank);
    return rc < 0 ? rc : past_step(g);
}

static int edge_step(struct merge *g)
{
    int rc = walk_next(g->w);

    g->has_edge = rc > 0 && in_prefix(g, g->w->key, g->w->entry_len);
    return rc < 0 ? rc : 0;
}

static int seek(struct merge *g, const char *bound, size_t len)
{
    int rc = walk_seek(g->w, bound, len);

    if (rc == 0)
        rc = edge_step(g);
    return rc < 0 ? rc : past_from(g, bound, len, INT64_MIN);
}

/* The entry is the key's, whatever the order of the two: < 0 the walk's is first (or the same key), > 0 the past one. */
static int order(const struct merge *g)
{
    size_t n = g->key_len < g->w->entry_len ? g->key_len : g->w->entry_len;
    int diff;

    if (!g->has_past || !g->has_edge)
        return g->has_edge ? -1 : 1;
    diff = n > 0 ? memcmp(g->w->key, g->key, n) : 0;
    return diff ? diff : g->w->entry_len > g->key_len ? 1 : -1;
}

static bool same_key(const struct merge *g, const char *key, size_t len)
{
    return g->has_past && g->key_len == len && memcmp(g->key, key, len) == 0;
}

static void remember(struct merge *g, const char *key, size_t len)
{
    memcpy(g->last, key, len);
    g->last_len = len;
}

static int give_edge(struct merge *g)
{
    struct walk *w = g->w;
    struct walk_object x;
    struct object o = {.row = w->row};
    char id[PC_VERSION_MAX] = VERSION_NULL;
    struct pc_version_entry e = {.key = w->key,
                                 .len = w->entry_len,
                                 .latest = true,
                                 .version = id,
                                 .mtime = ns_to(w->row.mtime),
                                 .size = w->row.size,
                                 .etag = x.etag,
                                 .headers = &x.headers};
    int rc = walk_columns(w->st, 1 + ROW_NCOLUMNS, &w->row, &x);

    if (rc < 0)
        return rc;
    memcpy(o.vid, x.vid, sizeof(o.vid));
    g->place.key = w->key;
    g->place.len = w->entry_len;
    if (o.vid[0] != '\0' || same_key(g, w->key, w->entry_len))
        rc = version_of(g->c, &g->place, &o, id);
    if (rc == 0)
        rc = g->fn(g->arg, &e);
    remember(g, w->key, w->entry_len);
    return rc != 0 ? rc : edge_step(g);
}

static int give_past(struct merge *g)
{
    struct walk_object x;
    bool newest = g->last_len != g->key_len || memcmp(g->last, g->key, g->key_len) != 0;
    struct pc_version_entry e = {.key = g->key,
                                 .len = g->key_len,
                                 .marker = g->past.ino == 0,
                                 .latest = newest && g->past.ino == 0,
                                 .version = g->past.id,
                                 .mtime = ns_to(g->past.mtime)};
    int rc = e.marker ? 0 : walk_columns(g->st, 5 + ROW_NCOLUMNS, &g->row, &x);

    if (rc < 0)
        return rc;
    if (!e.marker) {
        e.size = g->row.size;
        e.etag = x.etag;
        e.headers = &x.headers;
    }
    rc = g->fn(g->arg, &e);
    remember(g, g->key, g->key_len);
    return rc != 0 ? rc : past_step(g);
}

/* A common prefix; then behind all that it stands for. */
static int give_prefix(struct merge *g, const char *key, size_t len)
{
    char bound[PC_KEY_MAX + 2];
    struct pc_version_entry e = {.key = bound, .len = len, .is_prefix = true};
    int rc;

    memcpy(bound, key, len);
    rc = g->fn(g->arg, &e);
    if (rc != 0)
        return rc;
    len = key_past(bound, len);
    if (len > 0)
        return seek(g, bound, len);
    g->has_edge = g->has_past = false;
    return 0;
}

/* Behind one version of a key. 1: done, 0: it begins behind or before the key as the key alone says. */
static int start_at_version(struct merge *g)
{
    const struct pc_version_list *l = g->l;
    struct meta_key k = {.bucket = g->bucket, .key = l->after, .len = l->after_len};
    char bound[PC_KEY_MAX + 2], id[PC_VERSION_MAX];
    struct key_path path;
    struct object o;
    struct past p = {.rank = INT64_MIN};
    int found, rc;

    if (!l->after_id || !*l->after_id || l->after_len > PC_KEY_MAX ||
        !in_prefix(g, l->after, l->after_len) ||
        key_rollup(l->after, l->after_len, l->prefix_len, l->delimiter, l->delimiter_len) > 0)
        return 0;
    g->place.key = l->after;
    g->place.len = l->after_len;
    rc = key_walk(g->c, &k, &path);
    found = rc > 0 ? object_find(g->c, &path, &o) : rc;
    rc = found > 0 ? version_of(g->c, &g->place, &o, id) : found;
    if (rc < 0)
        return rc;
    found = found > 0 && strcmp(id, l->after_id) == 0;
    rc = found ? 0 : past_find(g->c, &g->place, l->after_id, &p);
    if (rc < 0)
        return rc;
    memcpy(bound, l->after, l->after_len);
    bound[l->after_len] = '\0';
    if (found || rc > 0)
        remember(g, l->after, l->after_len);
    rc = walk_seek(g->w, bound, l->after_len + (found || rc > 0));
    if (rc == 0)
        rc = edge_step(g);
    if (rc == 0)
        rc = past_from(g, l->after, l->after_len, p.rank);
    return rc < 0 ? rc : 1;
}

static int start(struct merge *g)
{
    const struct pc_version_list *l = g->l;
    struct pc_list by_key = {.prefix = l->prefix,
                             .prefix_len = l->prefix_len,
                             .delimiter = l->delimiter,
                             .delimiter_len = l->delimiter_len,
                             .after = l->after,
                             .after_len = l->after_len};
    char bound[PC_KEY_MAX + 2];
    bool end = false;
    size_t n;
    int rc = start_at_version(g);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    n = walk_start(&by_key, bound, &end);
    return end ? 0 : seek(g, bound, n);
}

static int list_in(struct merge *g, bool *ret_truncated)
{
    int rc = start(g);

    for (unsigned count = 0; rc == 0 && (g->has_edge || g->has_past); count++) {
        bool edge = order(g) < 0;
        const char *key = edge ? g->w->key : g->key;
        size_t len = edge ? g->w->entry_len : g->key_len, n;

        if (count == g->l->max) {
            *ret_truncated = true;
            return 0;
        }
        n = key_rollup(key, len, g->l->prefix_len, g->l->delimiter, g->l->delimiter_len);
        rc = n > 0 ? give_prefix(g, key, n) : edge ? give_edge(g) : give_past(g);
    }
    return rc;
}

static int open_in(struct merge *g, bool *ret_truncated)
{
    uint64_t ino;
    int rc = bucket_find(g->c, g->bucket, &ino);

    if (rc == 0)
        rc = row_load(g->c, ino, &g->place.bucket);
    if (rc == 0)
        rc = walk_open(g->c, g->bucket, g->l->prefix, g->l->prefix_len, &g->w);
    if (rc < 0)
        return rc;
    if (g->l->max > 0)
        rc = list_in(g, ret_truncated);
    if (g->st)
        sqlite3_reset(g->st);
    walk_close(g->w);
    return rc;
}

int op_version_list(struct meta *m, const char *bucket, const struct pc_version_list *list,
                    int (*fn)(void *arg, const struct pc_version_entry *e), void *arg,
                    bool *ret_truncated)
{
    struct merge *g = mem_calloc(1, sizeof(*g));
    bool truncated = false;
    int rc;

    if (!g)
        return -ENOMEM;
    g->bucket = bucket;
    g->l = list;
    g->fn = fn;
    g->arg = arg;
    g->last_len = SIZE_MAX;
    rc = sql_read_begin(m, &g->c);
    if (rc == 0) {
        rc = open_in(g, &truncated);
        sql_read_end(m, g->c);
    }
    mem_free(g);
    if (rc >= 0)
        *ret_truncated = truncated;
    return rc;
}
