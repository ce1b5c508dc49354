/* SPDX-License-Identifier: Apache-2.0 */
/* Listing: keys and common prefixes out of a walk; its cost is that of its results. */
#include "meta/ops/ops.h"

#include <string.h>

#include "meta/s3/walk.h"

static int give_key(struct walk *w, int (*fn)(void *arg, const struct pc_list_entry *e), void *arg)
{
    struct walk_object o;
    struct pc_list_entry e = {.key = w->key,
                              .len = w->entry_len,
                              .size = w->row.size,
                              .mtime = ns_to(w->row.mtime),
                              .etag = o.etag,
                              .headers = &o.headers};
    int rc = walk_columns(w->st, 1 + ROW_NCOLUMNS, &w->row, &o);

    return rc < 0 ? rc : fn(arg, &e);
}

static int list_in(struct walk *w, const struct pc_list *l,
                   int (*fn)(void *arg, const struct pc_list_entry *e), void *arg,
                   bool *ret_truncated)
{
    char bound[PC_KEY_MAX + 2];
    bool end = false;
    size_t n = walk_start(l, bound, &end);
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
    bool truncated = false;
    struct sql_conn *c;
    struct walk *w;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = walk_open(c, bucket, list->prefix, list->prefix_len, &w);
    if (rc == 0) {
        if (list->max > 0)
            rc = list_in(w, list, fn, arg, &truncated);
        walk_close(w);
    }
    sql_read_end(m, c);
    if (rc >= 0)
        *ret_truncated = truncated;
    return rc;
}
