/* SPDX-License-Identifier: Apache-2.0 */
/* Access control lists: the wire form, the mode that goes with it, the rows. */
#include "meta/ops/acl.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "pcloud/err.h"

#define VERSION 2
#define HEAD 4
#define ENTRY 8

enum tag {
    TAG_OWNER = 1,
    TAG_USER = 2,
    TAG_GROUP = 4,
    TAG_GROUPS = 8,
    TAG_MASK = 16,
    TAG_OTHER = 32
};

struct entry {
    unsigned tag, perm;
    uint32_t id;
};

bool acl_is(const char *name)
{
    return strcmp(name, ACL_ACCESS) == 0 || strcmp(name, ACL_DEFAULT) == 0;
}

static struct entry entry_at(const unsigned char *acl, size_t i)
{
    const unsigned char *p = acl + HEAD + i * ENTRY;

    return (struct entry){
        .tag = p[0] | (unsigned)p[1] << 8,
        .perm = p[2] | (unsigned)p[3] << 8,
        .id = p[4] | (uint32_t)p[5] << 8 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 24};
}

static void set_perm(unsigned char *acl, size_t i, unsigned perm)
{
    acl[HEAD + i * ENTRY + 2] = (unsigned char)perm;
}

static size_t entries(size_t len)
{
    return (len - HEAD) / ENTRY;
}

/* The place of the one entry of a tag; their number if there is none. */
static size_t find(const unsigned char *acl, size_t len, unsigned tag)
{
    size_t i = 0, n = entries(len);

    while (i < n && entry_at(acl, i).tag != tag)
        i++;
    return i;
}

/* Each tag once but users and groups, in the order of their numbers; a mask where it is needed; ids where they mean something. */
static bool in_order(const unsigned char *acl, size_t n)
{
    unsigned last = 0, seen = 0;

    for (size_t i = 0; i < n; i++) {
        struct entry e = entry_at(acl, i);
        bool named = e.tag == TAG_USER || e.tag == TAG_GROUPS;

        if (e.tag == 0 || e.tag > TAG_OTHER || (e.tag & (e.tag - 1)) != 0 || e.perm > 7)
            return false;
        if (e.tag < last || (e.tag == last && !named) || (named && e.id == UINT32_MAX))
            return false;
        last = e.tag;
        seen |= e.tag;
    }
    if (seen & (TAG_USER | TAG_GROUPS) && !(seen & TAG_MASK))
        return false;
    return (seen & (TAG_OWNER | TAG_GROUP | TAG_OTHER)) == (TAG_OWNER | TAG_GROUP | TAG_OTHER);
}

int acl_mode(const void *data, size_t len, uint32_t *mode)
{
    const unsigned char *acl = data;
    size_t n, group;

    if (len < HEAD || len > ACL_MAX || (len - HEAD) % ENTRY || acl[0] != VERSION || acl[1] ||
        acl[2] || acl[3])
        return -EINVAL;
    n = entries(len);
    if (!in_order(acl, n))
        return -EINVAL;
    group = find(acl, len, TAG_MASK);
    if (group == n)
        group = find(acl, len, TAG_GROUP);
    *mode = entry_at(acl, 0).perm << 6 | entry_at(acl, group).perm << 3 | entry_at(acl, n - 1).perm;
    return n > 3;
}

void acl_chmod(void *data, size_t len, uint32_t mode)
{
    unsigned char *acl = data;
    size_t n = entries(len), group = find(acl, len, TAG_MASK);

    if (group == n)
        group = find(acl, len, TAG_GROUP);
    set_perm(acl, 0, mode >> 6 & 7);
    set_perm(acl, group, mode >> 3 & 7);
    set_perm(acl, n - 1, mode & 7);
}

int acl_create(void *data, size_t len, uint32_t *mode)
{
    uint32_t granted;
    int rc = acl_mode(data, len, &granted);

    if (rc < 0)
        return rc;
    *mode &= granted | ~(uint32_t)0777;
    acl_chmod(data, len, *mode);
    return rc;
}

/* A row's list in ${buf}: its length, 0 if there is none. */
static int load(struct sql_conn *c, uint64_t ino, const char *name, unsigned char buf[ACL_MAX])
{
    static const char sql[] = "SELECT value FROM xattr WHERE ino=?1 AND name=?2";
    const char *value;
    uint32_t mode;
    size_t len;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "ub", ino, name, strlen(name));

    if (rc <= 0)
        return rc;
    rc = col_blob(st, 0, &value, &len);
    if (rc == 0 && acl_mode(value, len, &mode) < 0)
        rc = pc_err_set(PC_ECORRUPT, "node %llu: %s is no access control list",
                        (unsigned long long)ino, name);
    if (rc == 0)
        memcpy(buf, value, len);
    sqlite3_reset(st);
    return rc < 0 ? rc : (int)len;
}

static int store(struct sql_conn *c, uint64_t ino, const char *name, const void *acl, size_t len)
{
    static const char sql[] = "INSERT OR REPLACE INTO xattr VALUES(?1, ?2, ?3)";
    int rc = sql_run(c, sql, "ubb", ino, name, strlen(name), acl, len);

    return rc < 0 ? rc : 0;
}

static int drop(struct sql_conn *c, uint64_t ino, const char *name)
{
    int rc =
        sql_run(c, "DELETE FROM xattr WHERE ino=?1 AND name=?2", "ub", ino, name, strlen(name));

    return rc < 0 ? rc : 0;
}

/* The first list of a volume: its root says from now on that there may be some. */
static int mark_volume(struct sql_conn *c, struct row *r)
{
    struct row root;
    int rc;

    r->flags |= ROW_XATTR | ROW_ACL;
    if (r->ino == PC_ROOT_INO)
        return 0;
    rc = row_load(c, PC_ROOT_INO, &root);
    if (rc < 0 || root.flags & ROW_ACL)
        return rc;
    root.flags |= ROW_ACL;
    return row_store(c, &root);
}

/* XATTR_CREATE and XATTR_REPLACE, which programs do not use with lists. */
static int flags_check(struct sql_conn *c, const struct row *r, const char *name, int flags)
{
    unsigned char old[ACL_MAX];
    int rc = flags & (XATTR_CREATE | XATTR_REPLACE) ? load(c, r->ino, name, old) : 0;

    if (rc < 0)
        return rc;
    if (rc > 0 && flags & XATTR_CREATE)
        return -EEXIST;
    return rc == 0 && flags & XATTR_REPLACE ? -ENODATA : 0;
}

int acl_set(struct sql_conn *c, struct row *r, const char *name, const void *value, size_t len,
            int flags)
{
    bool access = strcmp(name, ACL_ACCESS) == 0;
    uint32_t mode;
    int rc, more;

    if (S_ISLNK(r->mode))
        return -EOPNOTSUPP;
    if (!access && !S_ISDIR(r->mode))
        return -EACCES;
    if (len > ACL_MAX)
        return -E2BIG;
    more = acl_mode(value, len, &mode);
    if (more < 0)
        return more;
    rc = flags_check(c, r, name, flags);
    if (rc < 0)
        return rc;
    if (access) {
        r->mode = (r->mode & ~(uint32_t)0777) | mode;
        if (flags & PC_XATTR_KILL_SGID)
            r->mode &= ~(uint32_t)S_ISGID;
        if (!more)
            return drop(c, r->ino, name);
    }
    rc = mark_volume(c, r);
    return rc < 0 ? rc : store(c, r->ino, name, value, len);
}

int acl_follow(struct sql_conn *c, const struct row *r)
{
    unsigned char acl[ACL_MAX];
    int len = load(c, r->ino, ACL_ACCESS, acl);

    if (len <= 0)
        return len;
    acl_chmod(acl, (size_t)len, r->mode);
    return store(c, r->ino, ACL_ACCESS, acl, (size_t)len);
}

int acl_inherit(struct sql_conn *c, const struct row *parent, struct row *r, uint32_t umask)
{
    unsigned char acl[ACL_MAX];
    int rc = 0, len = 0;

    if (S_ISLNK(r->mode))
        return 0;
    if (parent->flags & ROW_ACL)
        len = load(c, parent->ino, ACL_DEFAULT, acl);
    if (len < 0)
        return len;
    if (len == 0) {
        r->mode &= ~(umask & 0777);
        return 0;
    }
    if (S_ISDIR(r->mode)) {
        r->flags |= ROW_XATTR | ROW_ACL;
        rc = store(c, r->ino, ACL_DEFAULT, acl, (size_t)len);
    }
    if (rc >= 0)
        rc = acl_create(acl, (size_t)len, &r->mode);
    if (rc <= 0)
        return rc;
    r->flags |= ROW_XATTR | ROW_ACL;
    return store(c, r->ino, ACL_ACCESS, acl, (size_t)len);
}
