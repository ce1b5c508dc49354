/* SPDX-License-Identifier: Apache-2.0 */
/* Access control lists: the form, the mode that goes with one, what new nodes inherit. */
#include "meta/ops/acl.h"

#include "test_env.h"
#include "test_meta.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cmocka.h>

#define NONE "\377\377\377\377"
#define HEAD "\2\0\0\0"
#define OWNER(p) "\1\0" p "\0" NONE
#define USER(p, id) "\2\0" p "\0" id "\0\0\0"
#define GROUP(p) "\4\0" p "\0" NONE
#define GROUPS(p, id) "\10\0" p "\0" id "\0\0\0"
#define MASK(p) "\20\0" p "\0" NONE
#define OTHERS(p) "\40\0" p "\0" NONE
#define LIST(s) s, sizeof(s) - 1

/* rw-, user 9 rwx, group r-x, mask rw-, others r-- */
static const char full[] = HEAD OWNER("\6") USER("\7", "\11") GROUP("\5") MASK("\6") OTHERS("\4");
static const char minimal[] = HEAD OWNER("\7") GROUP("\5") OTHERS("\0");
#define FULL full, sizeof(full) - 1
#define MINIMAL minimal, sizeof(minimal) - 1

static struct test_meta t;
static uint64_t folder, file;

static int set_up(void **state)
{
    (void)state;
    test_meta_new(&t);
    folder = test_folder(t.m, PC_ROOT_INO, "d");
    file = test_file(t.m, folder, "f");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_meta_free(&t);
    return 0;
}

static uint32_t mode_of(uint64_t ino)
{
    struct pc_attr a;

    assert_int_equal(t.m->node->getattr(t.m, ino, &a), 0);
    return a.mode & 07777;
}

static uint64_t has_of(uint64_t ino)
{
    struct pc_attr a;

    assert_int_equal(t.m->node->getattr(t.m, ino, &a), 0);
    return a.has;
}

static int set(uint64_t ino, const char *name, const void *acl, size_t len, int flags)
{
    return t.m->node->xattr_set(t.m, ino, name, acl, len, flags);
}

static void is(uint64_t ino, const char *name, const void *acl, size_t len)
{
    char buf[ACL_MAX];

    assert_int_equal(t.m->node->xattr_get(t.m, ino, name, buf, sizeof(buf)), len);
    assert_memory_equal(buf, acl, len);
}

static void has_none(uint64_t ino, const char *name)
{
    assert_int_equal(t.m->node->xattr_get(t.m, ino, name, NULL, 0), -ENODATA);
}

static void chmod_to(uint64_t ino, uint32_t mode)
{
    struct pc_attr in = {.mode = mode};

    assert_int_equal(t.m->node->setattr(t.m, ino, PC_SET_MODE, &in, NULL), 0);
}

static uint64_t make(uint32_t mode, uint32_t umask, const char *name)
{
    struct pc_make make = {.mode = mode, .umask = umask, .target = "x"};
    struct pc_attr a;

    assert_int_equal(t.m->node->make(t.m, folder, name, &make, &a), 0);
    return a.ino;
}

static void only_lists_are_taken(void **state)
{
    static const struct {
        const char *acl;
        size_t len;
    } wrong[] = {
        {LIST("")},
        {LIST("\2\0\0")},
        {LIST(HEAD)},
        {LIST("\1\0\0\0" OWNER("\6") GROUP("\5") OTHERS("\4"))},
        {LIST("\2\0\0\1" OWNER("\6") GROUP("\5") OTHERS("\4"))},
        {LIST(HEAD OWNER("\6") GROUP("\5") OTHERS("\4") "\0")},
        {LIST(HEAD OWNER("\6") GROUP("\5"))},
        {LIST(HEAD OWNER("\6") OTHERS("\5"))},
        {LIST(HEAD GROUP("\6") OTHERS("\5"))},
        {LIST(HEAD OWNER("\6") OTHERS("\5") GROUP("\4"))},
        {LIST(HEAD OWNER("\6") OWNER("\6") GROUP("\5") OTHERS("\4"))},
        {LIST(HEAD OWNER("\6") GROUP("\5") OTHERS("\4") OTHERS("\4"))},
        {LIST(HEAD OWNER("\10") GROUP("\5") OTHERS("\4"))},
        {LIST(HEAD OWNER("\6") USER("\7", "\1") GROUP("\5") OTHERS("\4"))},
        {LIST(HEAD OWNER("\6") GROUP("\5") GROUPS("\7", "\1") OTHERS("\4"))},
        {LIST(HEAD OWNER("\6") "\2\0\6\0" NONE GROUP("\5") MASK("\7") OTHERS("\4"))},
        {LIST(HEAD OWNER("\6") "\3\0\6\0" NONE GROUP("\5") MASK("\7") OTHERS("\4"))},
        {LIST(HEAD OWNER("\6") GROUP("\5") OTHERS("\4") "\100\0\6\0" NONE)},
        {LIST(HEAD "\0\0\6\0" NONE OWNER("\6") GROUP("\5") OTHERS("\4"))},
    };
    char much[ACL_MAX + 8] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_int_equal(set(file, ACL_ACCESS, wrong[i].acl, wrong[i].len, 0), -EINVAL);
        assert_int_equal(set(folder, ACL_DEFAULT, wrong[i].acl, wrong[i].len, 0), -EINVAL);
    }
    assert_int_equal(set(file, ACL_ACCESS, much, sizeof(much), 0), -E2BIG);
    assert_int_equal(set(file, ACL_DEFAULT, FULL, 0), -EACCES);
    assert_int_equal(set(make(S_IFLNK | 0777, 0, "l"), ACL_ACCESS, FULL, 0), -EOPNOTSUPP);
    assert_int_equal(mode_of(file), 0644);
    has_none(file, ACL_ACCESS);
    assert_int_equal(has_of(file) | has_of(folder) | has_of(PC_ROOT_INO), 0);
}

static void mode_and_list_are_in_step(void **state)
{
    static const char after[] =
        HEAD OWNER("\7") USER("\7", "\11") GROUP("\5") MASK("\1") OTHERS("\0");

    (void)state;
    chmod_to(file, 06600);
    assert_int_equal(set(file, ACL_ACCESS, FULL, XATTR_REPLACE), -ENODATA);
    assert_int_equal(set(file, ACL_ACCESS, FULL, XATTR_CREATE), 0);
    assert_int_equal(set(file, ACL_ACCESS, FULL, XATTR_CREATE), -EEXIST);
    assert_int_equal(mode_of(file), 06664);
    is(file, ACL_ACCESS, FULL);
    chmod_to(file, 02710);
    is(file, ACL_ACCESS, LIST(after));
    assert_int_equal(has_of(file), PC_HAS_ACL);
    assert_int_equal(has_of(PC_ROOT_INO), PC_HAS_ACL);
    assert_int_equal(has_of(folder), 0);
    assert_int_equal(set(file, ACL_ACCESS, FULL, PC_XATTR_KILL_SGID), 0);
    assert_int_equal(mode_of(file), 0664);
    assert_int_equal(set(file, ACL_ACCESS, MINIMAL, 0), 0);
    assert_int_equal(mode_of(file), 0750);
    has_none(file, ACL_ACCESS);
    chmod_to(file, 0640);
    has_none(file, ACL_ACCESS);
    assert_int_equal(t.m->node->xattr_remove(t.m, file, ACL_ACCESS), -ENODATA);
}

static void defaults_are_inherited(void **state)
{
    /* 0666 against the list: the mask loses x, which it has not; 0604 takes the mask's all */
    static const char open[] =
        HEAD OWNER("\6") USER("\7", "\11") GROUP("\5") MASK("\6") OTHERS("\4");
    static const char closed[] =
        HEAD OWNER("\6") USER("\7", "\11") GROUP("\5") MASK("\0") OTHERS("\4");
    uint64_t ino;

    (void)state;
    assert_int_equal(set(folder, ACL_DEFAULT, FULL, 0), 0);
    assert_int_equal(mode_of(folder), 0755);
    ino = make(S_IFREG | 0666, 077, "a");
    assert_int_equal(mode_of(ino), 0664);
    is(ino, ACL_ACCESS, LIST(open));
    has_none(ino, ACL_DEFAULT);
    ino = make(S_IFIFO | 0604, 077, "b");
    assert_int_equal(mode_of(ino), 0604);
    is(ino, ACL_ACCESS, LIST(closed));
    ino = make(S_IFDIR | 01777, 077, "c");
    assert_int_equal(mode_of(ino), 01664);
    is(ino, ACL_DEFAULT, FULL);
    is(ino, ACL_ACCESS, LIST(open));
    assert_int_equal(mode_of(make(S_IFLNK | 0777, 077, "l")), 0777);
    assert_int_equal(set(folder, ACL_DEFAULT, MINIMAL, 0), 0);
    ino = make(S_IFREG | 0666, 077, "m");
    assert_int_equal(mode_of(ino), 0640);
    has_none(ino, ACL_ACCESS);
    assert_int_equal(has_of(ino), 0);
    assert_int_equal(t.m->node->xattr_remove(t.m, folder, ACL_DEFAULT), 0);
    assert_int_equal(mode_of(make(S_IFREG | 0666, 027, "u")), 0640);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_lists_are_taken),
        TEST(mode_and_list_are_in_step),
        TEST(defaults_are_inherited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
