/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on nodes: look up, attributes, make, link, read a folder. */
#include "meta/ops/ops.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "meta/ops/acl.h"
#include "meta/ops/link.h"
#include "meta/ops/quota.h"
#include "meta/ops/slice.h"
#include "meta/tree/trash.h"

static int lookup_in(struct sql_conn *c, uint64_t parent, const char *name, struct row *r)
{
    struct row p;
    struct edge e;
    int rc = edge_by_name(c, parent, name, &e);

    if (rc > 0)
        return row_load(c, e.ino, r);
    if (rc < 0 && rc != -EINVAL)
        return rc;
    if (rc == 0)
        rc = -ENOENT;
    int why = row_load_folder(c, parent, &p);

    return why < 0 ? why : rc;
}

static int op_lookup(struct meta *m, uint64_t parent, const char *name, struct pc_attr *attr)
{
    struct sql_conn *c;
    struct row r;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = lookup_in(c, parent, name, &r);
    sql_read_end(m, c);
    if (rc == 0)
        row_attr(&r, attr);
    return rc;
}

static int read_row(struct meta *m, uint64_t ino, struct row *r)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = row_load(c, ino, r);
    sql_read_end(m, c);
    return rc;
}

static int op_getattr(struct meta *m, uint64_t ino, struct pc_attr *attr)
{
    struct row r;
    int rc = read_row(m, ino, &r);

    if (rc == 0)
        row_attr(&r, attr);
    return rc;
}

static int op_parent(struct meta *m, uint64_t ino, uint64_t *ret_parent)
{
    struct row r;
    int rc = read_row(m, ino, &r);

    if (rc < 0)
        return rc;
    if (!S_ISDIR(r.mode))
        return -ENOTDIR;
    *ret_parent = r.parent;
    return 0;
}

static int setattr_in(struct meta *m, struct sql_conn *c, uint64_t ino, unsigned set,
                      const struct pc_attr *in, struct row *r)
{
    int64_t now = wall_ns();
    unsigned kinds = PC_CHANGE_ATTR;
    int rc = row_load(c, ino, r);

    if (rc == 0 && (r->flags & ROW_PAST))
        rc = -ESTALE;
    if (rc == 0 && (set & ~(unsigned)(PC_SET_ATIME | PC_SET_ATIME_NOW | PC_SET_KEEP_CTIME)))
        rc = trash_guard(m, r);
    if (rc < 0)
        return rc;
    if (set & PC_SET_SIZE) {
        if (!S_ISREG(r->mode))
            return S_ISDIR(r->mode) ? -EISDIR : -EINVAL;
        if (in->size != r->size) {
            rc = row_open(m, c, r);
            if (rc == 0)
                rc = content_resize(m, c, r, in->size);
            if (rc < 0)
                return rc;
            r->version++;
            kinds |= PC_CHANGE_DATA;
        }
        r->mtime = now;
    }
    if (set & PC_SET_KILL_SUID)
        row_kill_suid(r);
    if (set & PC_SET_MODE)
        r->mode = (r->mode & S_IFMT) | (in->mode & 07777);
    if (set & PC_SET_MODE && r->flags & ROW_ACL)
        rc = acl_follow(c, r);
    if (rc < 0)
        return rc;
    if (set & PC_SET_UID)
        r->uid = in->uid;
    if (set & PC_SET_GID)
        r->gid = in->gid;
    if (set & (PC_SET_ATIME | PC_SET_ATIME_NOW))
        r->atime = set & PC_SET_ATIME_NOW ? now : ns_of(&in->atime);
    if (set & (PC_SET_MTIME | PC_SET_MTIME_NOW))
        r->mtime = set & PC_SET_MTIME_NOW ? now : ns_of(&in->mtime);
    if (set & (PC_SET_MODE | PC_SET_UID | PC_SET_GID))
        r->flags &= ~(unsigned)ROW_IMPLICIT; /* somebody cares for the folder itself */
    if (!(set & PC_SET_KEEP_CTIME))
        r->ctime = now;
    rc = row_store(c, r);
    return rc < 0 ? rc : sql_feed(m, c, kinds, ino, 0, NULL, 0);
}

static int op_setattr(struct meta *m, uint64_t ino, unsigned set, const struct pc_attr *in,
                      struct pc_attr *attr)
{
    struct sql_conn *c;
    struct row r;
    int rc = sql_write_begin_sure(m, SQL_FREES, &c);

    if (rc < 0)
        return rc;
    rc = sql_write_end(m, c, setattr_in(m, c, ino, set, in, &r));
    if (rc == 0 && attr)
        row_attr(&r, attr);
    return rc;
}

int edge_new(struct sql_conn *c, uint64_t parent, const char *name, bool folder, struct row *p,
             struct edge *e)
{
    uint64_t file, dir;
    int rc = row_load_folder(c, parent, p);

    if (rc < 0)
        return rc;
    if ((parent == PC_ROOT_INO && top_is_reserved(name)) || (p->flags & ROW_TRASH))
        return -EPERM;
    rc = name_to_new_segment(name, folder, e->seg, &e->len);
    if (rc < 0)
        return rc;
    e->parent = parent;
    e->folder = folder;
    e->twin = false;
    rc = edge_pair(c, parent, e->seg, folder ? e->len - 1 : e->len, &file, &dir);
    if (rc < 0)
        return rc;
    return file || dir ? -EEXIST : 0;
}

static int make_check(const struct pc_make *make)
{
    switch (make->mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFIFO:
    case S_IFSOCK:
    case S_IFCHR:
    case S_IFBLK:
        return 0;
    case S_IFLNK:
        if (!make->target || make->target[0] == '\0')
            return -ENOENT;
        return strlen(make->target) > PC_SYMLINK_MAX ? -ENAMETOOLONG : 0;
    default:
        return -EINVAL;
    }
}

/* A new node's row, with what it has of its folder. */
static void row_make(struct meta *m, const struct row *p, const struct pc_make *make, struct row *r)
{
    row_new(m, make->mode & (S_IFMT | 07777), make->uid, make->gid, p->ino, r);
    if (p->mode & S_ISGID) {
        r->gid = p->gid;
        if (S_ISDIR(make->mode))
            r->mode |= S_ISGID;
    }
}

/* A file without a name: an orphan from the start, which ends with its last holder. What never had a name has no parent. */
static int make_unnamed_in(struct meta *m, struct sql_conn *c, uint64_t parent,
                           const struct pc_make *make, struct row *r)
{
    struct row p;
    int rc = S_ISREG(make->mode) ? row_load_folder(c, parent, &p) : -EINVAL;

    if (rc < 0)
        return rc;
    row_make(m, &p, make, r);
    r->nlink = 0;
    r->parent = 0;
    rc = acl_inherit(c, &p, r, make->umask);
    if (rc >= 0)
        rc = row_insert(c, r);
    if (rc >= 0)
        rc = orphan_add(m, c, r->ino);
    return rc < 0 ? rc : meta_hold(m, r->ino); /* before anybody else can see it */
}

static int make_in(struct meta *m, struct sql_conn *c, uint64_t parent, const char *name,
                   const struct pc_make *make, struct row *r)
{
    static const char link[] = "INSERT INTO symlink VALUES(?1, ?2)";
    bool folder = S_ISDIR(make->mode);
    struct row p;
    struct edge e;
    int rc = make_check(make);

    if (rc == 0)
        rc = edge_new(c, parent, name, folder, &p, &e);
    if (rc < 0)
        return rc;
    row_make(m, &p, make, r);
    if (S_ISCHR(make->mode) || S_ISBLK(make->mode))
        r->rdev = make->rdev;
    if (S_ISLNK(make->mode)) {
        r->size = strlen(make->target);
        rc = sql_run(c, link, "ub", r->ino, make->target, (size_t)r->size);
    }
    if (rc >= 0)
        rc = acl_inherit(c, &p, r, make->umask);
    if (rc >= 0)
        rc = row_insert(c, r);
    if (rc == 0)
        rc = edge_insert(c, parent, e.seg, e.len, r->ino);
    if (rc < 0)
        return rc;
    row_count(m, r, 1);
    p.mtime = p.ctime = r->btime;
    p.nlink += folder;
    p.flags &= ~(unsigned)ROW_IMPLICIT;
    rc = row_store(c, &p);
    e.ino = r->ino;
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY, &e);
}

static int op_make(struct meta *m, uint64_t parent, const char *name, const struct pc_make *make,
                   struct pc_attr *attr)
{
    struct sql_conn *c;
    struct row r;
    int rc = sql_write_begin_sure(m, SQL_NEEDS_ROOM, &c);

    if (rc < 0)
        return rc;
    rc = sql_write_end(m, c, make_in(m, c, parent, name, make, &r));
    if (rc == 0 && attr)
        row_attr(&r, attr);
    return rc;
}

static int op_make_unnamed(struct meta *m, uint64_t parent, const struct pc_make *make,
                           struct pc_attr *attr)
{
    struct sql_conn *c;
    struct row r = {.ino = 0};
    int rc = sql_write_begin_sure(m, SQL_NEEDS_ROOM, &c), made;

    if (rc < 0)
        return rc;
    made = make_unnamed_in(m, c, parent, make, &r);
    rc = sql_write_end(m, c, made);
    if (rc < 0 && made >= 0)
        meta_drop(m, r.ino);
    if (rc == 0)
        row_attr(&r, attr);
    return rc;
}

/* The first name of a node that was made without one. */
static int orphan_adopt(struct meta *m, struct sql_conn *c, struct row *r)
{
    static const char del[] = "DELETE FROM orphan WHERE ino=?1";
    int rc = sql_run(c, del, "u", r->ino);

    if (rc < 0)
        return rc;
    sql_total_add(m, SQL_ORPHANS, -1);
    row_count(m, r, 1);
    return 0;
}

static int link_in(struct meta *m, struct sql_conn *c, uint64_t ino, uint64_t parent,
                   const char *name, struct row *r)
{
    struct row p;
    struct edge e;
    int rc = row_load(c, ino, r);

    if (rc < 0)
        return rc;
    if (S_ISDIR(r->mode))
        return -EPERM;
    if ((r->nlink == 0 && r->parent != 0) || (r->flags & (ROW_PAST | ROW_PART | ROW_TRASHED)))
        return -ENOENT; /* nothing comes back that was removed */
    if (r->flags & (ROW_VERSION | ROW_LOCKED))
        return -EPERM; /* a version has one key */
    if (r->nlink >= INT32_MAX)
        return -EMLINK;
    rc = edge_new(c, parent, name, false, &p, &e);
    if (rc == 0)
        rc = edge_insert(c, parent, e.seg, e.len, ino);
    if (rc == 0 && r->nlink == 0)
        rc = orphan_adopt(m, c, r);
    if (rc < 0)
        return rc;
    rc = link_more(c, r, parent);
    if (rc < 0)
        return rc;
    r->ctime = wall_ns();
    rc = row_store(c, r);
    if (rc < 0)
        return rc;
    p.mtime = p.ctime = r->ctime;
    p.flags &= ~(unsigned)ROW_IMPLICIT;
    rc = row_store(c, &p);
    e.ino = ino;
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY | PC_CHANGE_ATTR, &e);
}

static int op_link(struct meta *m, uint64_t ino, uint64_t parent, const char *name,
                   struct pc_attr *attr)
{
    struct sql_conn *c;
    struct row r;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    if (rc < 0)
        return rc;
    rc = sql_write_end(m, c, link_in(m, c, ino, parent, name, &r));
    if (rc == 0 && attr)
        row_attr(&r, attr);
    return rc;
}

static ssize_t readlink_in(struct sql_conn *c, uint64_t ino, char *buf, size_t cap)
{
    static const char sql[] = "SELECT target FROM symlink WHERE ino=?1";
    const char *target;
    size_t len;
    struct row r;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", ino);

    if (rc < 0)
        return rc;
    if (rc == 0) {
        rc = row_load(c, ino, &r);
        return rc < 0 ? rc : -EINVAL;
    }
    rc = col_blob(st, 0, &target, &len);
    if (rc == 0 && len >= cap)
        rc = -ERANGE;
    if (rc == 0) {
        memcpy(buf, target, len);
        buf[len] = '\0';
    }
    sqlite3_reset(st);
    return rc < 0 ? rc : (ssize_t)len;
}

static ssize_t op_readlink(struct meta *m, uint64_t ino, char *buf, size_t cap)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    ssize_t n = readlink_in(c, ino, buf, cap);

    sql_read_end(m, c);
    return n;
}

/* Is there a folder of the same base beside this file? */
static int has_folder_twin(struct sql_conn *c, const struct row *folder, const char *seg,
                           size_t len)
{
    char other[SEGMENT_MAX + 1];
    uint64_t ino;

    if (!(folder->flags & ROW_TWINS) || segment_is_folder(seg, len) || len >= SEGMENT_MAX)
        return 0;
    memcpy(other, seg, len);
    other[len] = '/';
    return edge_find(c, folder->ino, other, len + 1, &ino);
}

static int dir_entry(struct sql_conn *c, const struct row *folder, sqlite3_stmt *st,
                     int (*fn)(void *arg, const struct meta_entry *e), void *arg)
{
    char name[SEGMENT_NAME_MAX + 1];
    struct meta_entry e = {.name = name};
    struct row r;
    int rc = col_blob(st, 0, &e.seg, &e.seg_len);

    if (rc < 0)
        return rc;
    rc = has_folder_twin(c, folder, e.seg, e.seg_len);
    if (rc < 0)
        return rc;
    segment_to_name(e.seg, e.seg_len, rc > 0, name);
    row_read(st, 1, &r);
    if (folder->ino == PC_ROOT_INO && (r.flags & ROW_TRASH))
        return 0;
    row_attr(&r, &e.attr);
    return fn(arg, &e) ? 1 : 0;
}

static int dir_page_in(struct sql_conn *c, uint64_t ino, const char *after, size_t after_len,
                       unsigned max, int (*fn)(void *arg, const struct meta_entry *e), void *arg)
{
    static const char sql[] =
        "SELECT e.seg, " ROW_COLUMNS " FROM edge e CROSS JOIN node n ON n.ino=e.ino "
        "WHERE e.parent=?1 AND e.seg>?2 ORDER BY e.seg";
    struct row folder;
    sqlite3_stmt *st;
    unsigned n = 0;
    int rc = row_load_folder(c, ino, &folder);

    if (rc == -ENOENT)
        rc = row_load(c, ino, &folder); /* a removed one that is still open is empty */
    if (rc == 0)
        rc = sql_stmt(c, sql, &st);
    if (rc < 0)
        return rc;
    rc = sql_bind(st, "ub", ino, after ? after : "", after_len);
    while (rc >= 0 && n < max && (rc = sql_step(st)) > 0) {
        n++;
        rc = dir_entry(c, &folder, st, fn, arg);
        if (rc != 0)
            break;
    }
    sqlite3_reset(st);
    return rc < 0 ? rc : (int)n;
}

static int op_dir_page(struct meta *m, uint64_t ino, const char *after, size_t after_len,
                       unsigned max, int (*fn)(void *arg, const struct meta_entry *e), void *arg)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = dir_page_in(c, ino, after, after_len, max, fn, arg);
    sql_read_end(m, c);
    return rc;
}

/* Put "/name" of the node's edge before what is in ${buf} from *at on. */
static int path_prepend(struct sql_conn *c, uint64_t parent, uint64_t ino, char *buf, size_t *at)
{
    char name[SEGMENT_NAME_MAX + 1];
    struct edge e;
    size_t len;
    int rc = edge_of(c, parent, ino, &e);

    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    segment_to_name(e.seg, e.len, e.twin, name);
    len = strlen(name);
    if (*at < len + 1)
        return -ERANGE;
    *at -= len;
    memcpy(buf + *at, name, len);
    buf[--*at] = '/';
    return 0;
}

#define PATH_DEPTH_MAX 4096

int node_path(struct sql_conn *c, uint64_t ino, char *buf, size_t cap)
{
    size_t at = cap - 1;
    struct row r;
    int rc = 0;

    if (cap < 2)
        return -ERANGE;
    buf[at] = '\0';
    for (unsigned depth = 0; ino != PC_ROOT_INO && rc == 0; depth++) {
        rc = row_load(c, ino, &r);
        if (rc == 0)
            rc = path_prepend(c, r.parent, ino, buf, &at);
        if (rc == 0 && depth == PATH_DEPTH_MAX)
            rc = -ERANGE;
        ino = r.parent;
    }
    if (rc == -ENOENT) {
        memcpy(buf, "?", 2);
        return 0;
    }
    if (rc < 0)
        return rc;
    if (buf[at] == '\0')
        buf[--at] = '/';
    memmove(buf, buf + at, cap - at);
    return 0;
}

static int op_path(struct meta *m, uint64_t ino, char *buf, size_t cap)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = node_path(c, ino, buf, cap);
    sql_read_end(m, c);
    return rc;
}

const struct meta_node_ops sql_node_ops = {
    .lookup = op_lookup,
    .getattr = op_getattr,
    .parent = op_parent,
    .setattr = op_setattr,
    .make = op_make,
    .make_unnamed = op_make_unnamed,
    .unlink = op_unlink,
    .rmdir = op_rmdir,
    .rename = op_rename,
    .link = op_link,
    .readlink = op_readlink,
    .dir_page = op_dir_page,
    .xattr_get = op_xattr_get,
    .xattr_set = op_xattr_set,
    .xattr_remove = op_xattr_remove,
    .xattr_list = op_xattr_list,
    .path = op_path,
    .block_users = op_block_users,
    .clone_begin = op_clone_begin,
    .clone_step = op_clone_step,
    .clone_end = op_clone_end,
    .clone_free = op_clone_free,
    .quota_set = op_quota_set,
    .quota_rm = op_quota_rm,
    .quota_list = op_quota_list,
    .quota_step = op_quota_step,
    .quota_room = op_quota_room,
};
