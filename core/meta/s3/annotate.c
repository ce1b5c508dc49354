/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of an object changed in place: its content, ETag and times of content stay. */
#include <errno.h>

#include "base/alloc.h"
#include "meta/ops/header.h"
#include "meta/ops/ops.h"
#include "meta/s3/past.h"

/* A file that came by the mount becomes an object without an ETag of its own. */
static int store(struct meta *m, struct sql_conn *c, struct row *r, const char *data, size_t len)
{
    static const char add[] = "INSERT INTO object VALUES(?1, NULL, '', ?2, NULL, NULL)";
    static const char change[] = "UPDATE object SET headers=?2 WHERE ino=?1";
    bool has = (r->flags & ROW_OBJECT) != 0;
    int rc = sql_run(c, has ? change : add, "ub", r->ino, data, len);

    if (rc < 0)
        return rc;
    if (!has)
        sql_total_add(m, SQL_OBJECTS, 1);
    r->flags |= ROW_OBJECT;
    r->ctime = wall_ns();
    rc = row_store(c, r);
    return rc < 0 ? rc : sql_feed(m, c, PC_CHANGE_ATTR, r->ino, 0, NULL, 0);
}

int object_annotate(struct meta *m, struct sql_conn *c, struct row *r,
                    const struct pc_headers *change)
{
    char out[PC_META_MAX], *data = NULL;
    size_t len = 0, out_len = 0;
    int rc = header_load(c, r->ino, &data, &len);

    if (rc == 0)
        rc = header_change(data, len, change, out, &out_len);
    mem_free(data);
    return rc < 0 ? rc : store(m, c, r, out, out_len);
}

static int annotate_in(struct meta *m, struct sql_conn *c, const struct meta_key *k,
                       const struct pc_headers *change)
{
    struct object o;
    int rc = version_get(c, k, &o);

    if (rc == 0 && lock_named(change))
        rc = -EINVAL; /* op_retain and op_hold change locks */
    return rc < 0 ? rc : object_annotate(m, c, &o.row, change);
}

int op_annotate(struct meta *m, const struct meta_key *k, const struct pc_headers *change)
{
    struct sql_conn *c;
    int rc = header_check(change);

    if (rc == 0)
        rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);
    return rc < 0 ? rc : sql_write_end(m, c, annotate_in(m, c, k, change));
}
