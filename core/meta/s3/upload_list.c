/* SPDX-License-Identifier: Apache-2.0 */
/* Listing the uploads of a bucket by key, then by time, with common prefixes. */
#include <errno.h>
#include <string.h>

#include "meta/ops/ops.h"
#include "meta/s3/upload.h"
#include "pcloud/err.h"

/* Where a listing stands: strictly above (key, created, num). */
struct place {
    char key[PC_KEY_MAX + 1];
    size_t len;
    int64_t created;
    uint64_t num;
};

struct lister {
    struct sql_conn *c;
    uint64_t bucket;
    const struct pc_upload_list *l;
    size_t prefix_len, delimiter_len;
    int (*fn)(void *arg, const struct pc_upload *u, const char *key, size_t len);
    void *arg;
};

static void above_key(struct place *p, const char *key, size_t len)
{
    p->len = len < PC_KEY_MAX ? len : PC_KEY_MAX;
    memcpy(p->key, key, p->len);
    p->created = INT64_MAX;
    p->num = INT64_MAX;
}

static void from_key(struct place *p, size_t len)
{
    p->len = len;
    p->created = INT64_MIN;
    p->num = 0;
}

/* The upload that a listing goes on behind, if it is still there and of the key it goes on behind. */
static int marker(struct lister *w, struct place *p)
{
    static const char sql[] =
        "SELECT created, num FROM upload WHERE id=?1 AND bucket=?2 AND key=?3";
    sqlite3_stmt *st;
    int rc = sql_one(w->c, sql, &st, "tub", w->l->after_id, w->bucket, p->key, p->len);

    if (rc <= 0)
        return rc;
    p->created = sqlite3_column_int64(st, 0);
    p->num = col_u(st, 1);
    sqlite3_reset(st);
    return 0;
}

static int start(struct lister *w, struct place *p, bool *ret_end)
{
    const char *after = w->l->after_key;
    size_t n = strlen(after), common = n < w->prefix_len ? n : w->prefix_len;
    int order = memcmp(after, w->l->prefix, common);
    size_t rolled;

    *ret_end = w->prefix_len > PC_KEY_MAX;
    if (*ret_end)
        return 0;
    if (n == 0 || order < 0 || (order == 0 && n < w->prefix_len)) {
        memcpy(p->key, w->l->prefix, w->prefix_len);
        from_key(p, w->prefix_len);
        return 0;
    }
    *ret_end = order > 0;
    above_key(p, after, n);
    rolled = key_rollup(p->key, p->len, w->prefix_len, w->l->delimiter, w->delimiter_len);
    if (rolled > 0) {
        from_key(p, key_past(p->key, rolled));
        *ret_end = *ret_end || p->len == 0;
        return 0;
    }
    return w->l->after_id[0] != '\0' ? marker(w, p) : 0;
}

static const char list_sql[] = "SELECT id, key, owner, created, headers, num FROM upload "
                               "WHERE bucket=?1 AND (key, created, num) > (?2, ?3, ?4) "
                               "ORDER BY key, created, num";

/* One result behind the place: 1 given (and the place moved), 0 there is none; *ret_stop: what the callback said. */
static int give_one(struct lister *w, struct place *p, bool give, int *ret_stop)
{
    struct pc_upload u;
    size_t rolled;
    sqlite3_stmt *st;
    int rc = sql_one(w->c, list_sql, &st, "ubiu", w->bucket, p->key, p->len, p->created, p->num);

    if (rc <= 0)
        return rc;
    rc = upload_read(st, &u);
    if (rc == 0 && u.len > PC_KEY_MAX)
        rc = PC_ECORRUPT;
    if (rc < 0 || u.len < w->prefix_len || memcmp(u.key, w->l->prefix, w->prefix_len) != 0)
        goto reset;
    rc = 1;
    if (!give)
        goto reset;
    rolled = key_rollup(u.key, u.len, w->prefix_len, w->l->delimiter, w->delimiter_len);
    if (rolled > 0) {
        *ret_stop = w->fn(w->arg, NULL, u.key, rolled);
        memcpy(p->key, u.key, rolled);
        from_key(p, key_past(p->key, rolled));
        if (p->len == 0)
            above_key(p, u.key, u.len); /* (all bytes were 0xff) */
    } else {
        *ret_stop = w->fn(w->arg, &u, u.key, u.len);
        memcpy(p->key, u.key, u.len);
        p->len = u.len;
        p->created = ns_of(&u.created);
        p->num = col_u(st, 5);
    }
reset:
    sqlite3_reset(st);
    return rc;
}

static int list_in(struct lister *w, const char *bucket, bool *ret_truncated)
{
    struct place p;
    bool end = false;
    int stop = 0, rc = bucket_find(w->c, bucket, &w->bucket);

    if (rc == 0)
        rc = start(w, &p, &end);
    if (rc < 0 || end || w->l->max == 0)
        return rc;
    for (unsigned n = 0; n < w->l->max; n++) {
        rc = give_one(w, &p, true, &stop);
        if (rc <= 0 || stop != 0)
            return rc < 0 ? rc : stop;
    }
    rc = give_one(w, &p, false, &stop);
    if (rc > 0)
        *ret_truncated = true;
    return rc < 0 ? rc : 0;
}

int op_upload_list(struct meta *m, const char *bucket, const struct pc_upload_list *list,
                   int (*fn)(void *arg, const struct pc_upload *u, const char *key, size_t len),
                   void *arg, bool *ret_truncated)
{
    struct lister w = {.l = list,
                       .prefix_len = strlen(list->prefix),
                       .delimiter_len = strlen(list->delimiter),
                       .fn = fn,
                       .arg = arg};
    bool truncated = false;
    int rc = sql_read_begin(m, &w.c);

    if (rc < 0)
        return rc;
    rc = list_in(&w, bucket, &truncated);
    sql_read_end(m, w.c);
    if (rc >= 0)
        *ret_truncated = truncated;
    return rc;
}
