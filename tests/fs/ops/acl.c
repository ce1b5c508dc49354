/* SPDX-License-Identifier: Apache-2.0 */
/* Access control lists, in the kernel's form; passed over where a filesystem has none. */
#include "ops.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
#define OTHER 65534 /* an ordinary user */
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

struct list {
    struct posix_acl_xattr_header head;
    struct posix_acl_xattr_entry entries[6];
};

static const struct posix_acl_xattr_entry full[] = {{ACL_USER_OBJ, 6, ACL_UNDEFINED_ID},
                                                    {ACL_USER, 6, OTHER},
                                                    {ACL_GROUP_OBJ, 4, ACL_UNDEFINED_ID},
                                                    {ACL_MASK, 6, ACL_UNDEFINED_ID},
                                                    {ACL_OTHER, 0, ACL_UNDEFINED_ID}};
static const struct posix_acl_xattr_entry minimal[] = {{ACL_USER_OBJ, 7, ACL_UNDEFINED_ID},
                                                       {ACL_GROUP_OBJ, 5, ACL_UNDEFINED_ID},
                                                       {ACL_OTHER, 1, ACL_UNDEFINED_ID}};

static int set(const char *path, const char *name, const struct posix_acl_xattr_entry *entries,
               size_t n)
{
    struct list l = {.head = {POSIX_ACL_XATTR_VERSION}};

    memcpy(l.entries, entries, n * sizeof(*entries));
    return setxattr(path, name, &l, sizeof(l.head) + n * sizeof(*entries), 0);
}

/* The permissions of an entry by its tag; -1 if there is none, or no list. */
static int perm(const char *path, const char *name, unsigned tag)
{
    struct list l;
    ssize_t n = getxattr(path, name, &l, sizeof(l));

    for (size_t i = 0; n > 0 && i < ((size_t)n - sizeof(l.head)) / sizeof(*l.entries); i++)
        if (l.entries[i].e_tag == tag)
            return l.entries[i].e_perm;
    return -1;
}

static bool supported(void)
{
    ops_file("probe", "");
    return set("probe", ACCESS, minimal, COUNT(minimal)) == 0 || errno != EOPNOTSUPP;
}

static void acl_and_mode(void)
{
    char names[512];

    if (!supported())
        return;
    ops_file("f", "x");
    OKAY(set("f", ACCESS, full, COUNT(full)));
    SAME(ops_stat("f").st_mode & 07777, 0660);
    OKAY(chmod("f", 0751));
    SAME(perm("f", ACCESS, ACL_USER_OBJ), 7);
    SAME(perm("f", ACCESS, ACL_USER), 6);
    SAME(perm("f", ACCESS, ACL_GROUP_OBJ), 4);
    SAME(perm("f", ACCESS, ACL_MASK), 5);
    SAME(perm("f", ACCESS, ACL_OTHER), 1);
    OKAY(set("f", ACCESS, minimal, COUNT(minimal)));
    SAME(ops_stat("f").st_mode & 07777, 0751);
    SAME(perm("f", ACCESS, ACL_USER_OBJ), -1);
    SAME(listxattr("f", names, sizeof(names)), 0);
    FAILS(set("f", ACCESS, full, 3), EINVAL);
    FAILS(set("f", DEFAULT, minimal, COUNT(minimal)), EACCES);
    FAILS(setxattr("f", ACCESS, "junk", 4, 0), EOPNOTSUPP); /* a version nobody knows */
}

static void acl_inherited(void)
{
    if (!supported())
        return;
    OKAY(mkdir("d", 0755));
    OKAY(set("d", DEFAULT, full, COUNT(full)));
    SAME(ops_stat("d").st_mode & 07777, 0755);
    umask(077);
    ops_file("d/f", "x");
    SAME(ops_stat("d/f").st_mode & 07777, 0640);
    SAME(perm("d/f", ACCESS, ACL_USER), 6);
    SAME(perm("d/f", ACCESS, ACL_MASK), 4);
    SAME(perm("d/f", DEFAULT, ACL_MASK), -1);
    OKAY(mkfifo("d/p", 0666));
    SAME(ops_stat("d/p").st_mode & 07777, 0660);
    OKAY(mkdir("d/s", 0777));
    SAME(ops_stat("d/s").st_mode & 07777, 0660);
    SAME(perm("d/s", DEFAULT, ACL_USER), 6);
    OKAY(removexattr("d", DEFAULT));
    ops_file("d/g", "x");
    SAME(ops_stat("d/g").st_mode & 07777, 0600);
    SAME(perm("d/g", ACCESS, ACL_USER_OBJ), -1);
}

static int may_write(void)
{
    return access("f", W_OK) == 0 && open("f", O_RDWR) >= 0 ? 0 : 1;
}

static int may_not_write(void)
{
    return access("f", W_OK) != 0 && open("f", O_RDWR) < 0 && errno == EACCES ? 0 : 1;
}

static void acl_enforced(void)
{
    if (!supported())
        return;
    OKAY(chmod(".", 0755));
    ops_file("f", "x");
    OKAY(chmod("f", 0600));
    ops_as(OTHER, OTHER, may_not_write);
    OKAY(set("f", ACCESS, full, COUNT(full)));
    ops_as(OTHER, OTHER, may_write);
    ops_as(1234, 0, may_not_write); /* the group, which the mask would let */
    OKAY(chmod("f", 0640));
    ops_as(OTHER, OTHER, may_not_write);
    OKAY(chmod("f", 0660));
    ops_as(OTHER, OTHER, may_write);
    OKAY(removexattr("f", ACCESS));
    ops_as(OTHER, OTHER, may_not_write);
}

static int set_as_owner(void)
{
    return set("f", ACCESS, full, COUNT(full)) == 0 ? 0 : 1;
}

/* Somebody who is not of the file's group must not make a program that is. */
static void acl_kills_setgid(void)
{
    if (!supported())
        return;
    OKAY(chmod(".", 0755));
    ops_file("f", "x");
    OKAY(chown("f", OTHER, 4711));
    OKAY(chmod("f", 02755));
    ops_as(OTHER, 4711, set_as_owner);
    SAME(ops_stat("f").st_mode & 07777, 02660);
    ops_as(OTHER, OTHER, set_as_owner);
    SAME(ops_stat("f").st_mode & 07777, 0660);
    OKAY(chmod("f", 02755));
    OKAY(set("f", ACCESS, full, COUNT(full)));
    SAME(ops_stat("f").st_mode & 07777, 02660);
}

const struct ops_case cases_acl[] = {
    {"acl_and_mode", acl_and_mode, false},
    {"acl_inherited", acl_inherited, false},
    {"acl_enforced", acl_enforced, true},
    {"acl_kills_setgid", acl_kills_setgid, true},
    {NULL, NULL, false},
};
