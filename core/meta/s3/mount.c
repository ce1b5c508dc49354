/* SPDX-License-Identifier: Apache-2.0 */
/* What the mount does to keys of buckets that keep versions: nothing that S3 named gets lost. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "meta/ops/ops.h"
#include "meta/s3/past.h"
#include "pcloud/err.h"

static bool may_be_object(const struct row *r)
{
    return S_ISREG(r->mode) || (S_ISDIR(r->mode) && (r->flags & ROW_OBJECT));
}

/* The entry's key, if its bucket keeps versions: 1, 0; a lock that no bucket guards guards itself. */
static int begin(struct sql_conn *c, const struct edge *e, const struct row *r, struct place *pl,
                 struct object *o)
{
    int rc = may_be_object(r) ? place_of(c, e->parent, e->seg, e->len, pl) : 0;

    if (rc == 0)
        rc = lock_guard(c, r, false);
    if (rc <= 0)
        return rc;
    *o = (struct object){.row = *r};
    rc = object_load(c, o);
    return rc < 0 ? rc : 1;
}

int version_leave(struct meta *m, struct sql_conn *c, const struct edge *e, struct row *r,
                  bool mark)
{
    struct place pl;
    struct object o;
    int taken, rc = begin(c, e, r, &pl, &o);

    if (rc <= 0)
        return rc;
    taken = version_replace(m, c, &pl, &o);
    rc = taken >= 0 && mark ? version_mark(m, c, &pl, NULL) : 0;
    *r = o.row;
    return taken < 0 ? taken : rc < 0 ? rc : taken;
}

/* A copy of the version becomes past, the node goes on without its id. */
static int split(struct meta *m, struct sql_conn *c, const struct place *pl, struct row *r)
{
    struct object o = {.row = *r};
    int rc = object_load(c, &o);

    if (rc == 0)
        rc = version_copy(m, c, pl, &o);
    *r = o.row;
    return rc;
}

int version_move(struct meta *m, struct sql_conn *c, const struct edge *e, struct row *r, bool mark)
{
    struct place pl;
    struct object o;
    struct past top;
    int rc = S_ISREG(r->mode) ? begin(c, e, r, &pl, &o) : 0;

    if (rc <= 0)
        return rc;
    if (r->flags & (ROW_VERSION | ROW_LOCKED))
        rc = split(m, c, &pl, r);
    if (rc < 0 || !mark)
        return rc < 0 ? rc : 0;
    rc = past_newest(c, &pl, &top);
    if (rc <= 0 || top.ino == 0)
        return rc < 0 ? rc : 0;
    rc = version_replace(m, c, &pl, NULL);
    return rc < 0 ? rc : version_mark(m, c, &pl, NULL);
}

int version_change(struct meta *m, struct sql_conn *c, struct row *r)
{
    struct place pl;
    struct edge e;
    int rc;

    if (r->flags & ROW_PAST)
        return -ESTALE;
    rc = edge_of(c, r->parent, r->ino, &e);
    if (rc > 0)
        rc = place_of(c, e.parent, e.seg, e.len, &pl);
    if (rc > 0)
        return split(m, c, &pl, r);
    if (rc == 0)
        rc = lock_guard(c, r, false);
    return rc < 0 ? rc : version_bare(m, c, r);
}

/* The top folder that ${at} is in, or is. */
static int top_of(struct sql_conn *c, uint64_t at, struct row *ret)
{
    int rc;

    do {
        rc = row_load(c, at, ret);
        at = ret->parent;
    } while (rc == 0 && at != PC_ROOT_INO);
    return rc;
}

int folder_may_move(struct sql_conn *c, const struct edge *e, const struct row *r,
                    uint64_t new_parent, const char *new_name)
{
    char seg[SEGMENT_MAX + 2];
    size_t len = strnlen(new_name, SEGMENT_MAX);
    struct row top;
    int rc = row_load(c, PC_ROOT_INO, &top);

    if (rc < 0 || !e->folder || !(top.flags & ROW_HISTORY))
        return rc;
    if (e->parent == PC_ROOT_INO) {
        if (!(r->flags & ROW_KEEPS))
            return 0;
        memcpy(seg, new_name, len);
        seg[len] = '/';
        if (new_parent == PC_ROOT_INO && top_is_bucket(seg, len + 1))
            return 0;
        return pc_err_set(-EPERM, "a bucket that keeps versions stays a bucket");
    }
    rc = top_of(c, e->parent, &top);
    if (rc < 0 || !(top.flags & ROW_LOCKING))
        return rc;
    rc = edge_any(c, r->ino);
    return rc > 0 ? -EXDEV : rc;
}
