/* SPDX-License-Identifier: Apache-2.0 */
/* rename(2) and renameat2(2): every rule, and keys that move with their folder. */
#include "meta/node.h"

#include "pcloud/err.h"
#include "test_env.h"
#include "test_meta.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ROOT PC_ROOT_INO

static struct test_meta t;

static int set_up(void **state)
{
    (void)state;
    test_meta_new(&t);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_meta_free(&t);
    return 0;
}

static int rename_flags(uint64_t from, const char *name, uint64_t to, const char *new_name,
                        unsigned flags)
{
    return t.m->node->rename(t.m, from, name, to, new_name, flags);
}

static int move(uint64_t from, const char *name, uint64_t to, const char *new_name)
{
    return rename_flags(from, name, to, new_name, 0);
}

static int swap(uint64_t from, const char *name, uint64_t to, const char *new_name)
{
    return rename_flags(from, name, to, new_name, PC_RENAME_EXCHANGE);
}

static uint64_t find(uint64_t parent, const char *name)
{
    struct pc_attr a;

    return t.m->node->lookup(t.m, parent, name, &a) < 0 ? 0 : a.ino;
}

static uint32_t nlink_of(uint64_t ino)
{
    struct pc_attr a;

    return t.m->node->getattr(t.m, ino, &a) < 0 ? 0 : a.nlink;
}

static uint64_t parent_of(uint64_t ino)
{
    uint64_t parent = 0;

    assert_int_equal(t.m->node->parent(t.m, ino, &parent), 0);
    return parent;
}

static void files_move(void **state)
{
    uint64_t d = test_folder(t.m, ROOT, "d"), f = test_file(t.m, ROOT, "f");

    (void)state;
    assert_int_equal(move(ROOT, "f", ROOT, "g"), 0);
    assert_int_equal(find(ROOT, "f"), 0);
    assert_int_equal(find(ROOT, "g"), f);
    assert_int_equal(move(ROOT, "g", d, "h"), 0);
    assert_int_equal(find(d, "h"), f);
    assert_int_equal(move(ROOT, "g", d, "h"), -ENOENT);
    assert_int_equal(move(d, "h", 999, "h"), -ENOENT);
    assert_int_equal(move(d, "h", f, "h"), -ENOTDIR);
    assert_int_equal(move(f, "h", d, "h"), -ENOTDIR);
    assert_int_equal(move(d, "h", d, "h"), 0);
    assert_int_equal(move(d, "h", ROOT, "ipfs"), -EPERM);
    assert_int_equal(move(d, "h", ROOT, "%pc-f-h"), -EINVAL);
    assert_int_equal(move(d, "h", ROOT, ".."), -EINVAL);
}

static void folders_move_with_what_is_below(void **state)
{
    uint64_t a = test_folder(t.m, ROOT, "a"), b = test_folder(t.m, ROOT, "b");
    uint64_t sub = test_folder(t.m, a, "sub"), f = test_file(t.m, sub, "f");

    (void)state;
    assert_int_equal(nlink_of(a), 3);
    assert_int_equal(move(a, "sub", b, "moved"), 0);
    assert_int_equal(nlink_of(a), 2);
    assert_int_equal(nlink_of(b), 3);
    assert_int_equal(parent_of(sub), b);
    assert_int_equal(find(find(b, "moved"), "f"), f);
    assert_int_equal(move(ROOT, "b", b, "x"), -EINVAL);
    assert_int_equal(move(ROOT, "b", sub, "x"), -EINVAL);
    assert_int_equal(nlink_of(ROOT), 4);
    assert_int_equal(move(ROOT, "b", a, "x"), 0);
    assert_int_equal(nlink_of(ROOT), 3);
    assert_int_equal(move(ROOT, "a", sub, "x"), -EINVAL);
}

static void targets_are_replaced_by_their_kind(void **state)
{
    uint64_t d = test_folder(t.m, ROOT, "d"), e = test_folder(t.m, ROOT, "e");
    uint64_t f = test_file(t.m, ROOT, "f"), g = test_file(t.m, ROOT, "g");

    (void)state;
    assert_int_equal(move(ROOT, "d", ROOT, "f"), -ENOTDIR);
    assert_int_equal(move(ROOT, "f", ROOT, "d"), -EISDIR);
    assert_int_equal(rename_flags(ROOT, "f", ROOT, "g", PC_RENAME_NOREPLACE), -EEXIST);
    assert_int_equal(rename_flags(ROOT, "f", ROOT, "g", 8), -EINVAL);
    assert_int_equal(rename_flags(ROOT, "f", ROOT, "g", 3), -EINVAL);
    assert_int_equal(move(ROOT, "f", ROOT, "g"), 0);
    assert_int_equal(find(ROOT, "g"), f);
    assert_int_equal(nlink_of(g), 0);
    assert_int_equal(move(ROOT, "g", e, "g"), 0);
    assert_int_equal(move(ROOT, "d", ROOT, "e"), -ENOTEMPTY);
    assert_int_equal(move(e, "g", ROOT, "g"), 0);
    assert_int_equal(move(ROOT, "d", ROOT, "e"), 0);
    assert_int_equal(find(ROOT, "e"), d);
    assert_int_equal(nlink_of(e), 0);
    assert_int_equal(nlink_of(ROOT), 3);
}

static void a_replaced_file_that_is_open_stays(void **state)
{
    uint64_t f, g;

    (void)state;
    f = test_file(t.m, ROOT, "f");
    g = test_file(t.m, ROOT, "g");
    meta_hold(t.m, g);
    assert_int_equal(move(ROOT, "f", ROOT, "g"), 0);
    assert_int_equal(find(ROOT, "g"), f);
    assert_int_equal(t.m->content->write_inline(t.m, g, "x", 1, 0), 0);
    meta_drop(t.m, g);
    assert_int_equal(t.m->content->gc_orphans(t.m, 9), 1);
}

static void links_of_one_file_stay(void **state)
{
    uint64_t f = test_file(t.m, ROOT, "f"), g;

    (void)state;
    assert_int_equal(t.m->node->link(t.m, f, ROOT, "g", NULL), 0);
    assert_int_equal(move(ROOT, "f", ROOT, "g"), 0);
    assert_int_equal(find(ROOT, "f"), f);
    assert_int_equal(find(ROOT, "g"), f);
    g = test_file(t.m, ROOT, "h");
    assert_int_equal(move(ROOT, "h", ROOT, "g"), 0);
    assert_int_equal(nlink_of(f), 1);
    assert_int_equal(find(ROOT, "g"), g);
}

static void entries_are_exchanged(void **state)
{
    uint64_t a = test_folder(t.m, ROOT, "a"), sub = test_folder(t.m, a, "sub");
    uint64_t f = test_file(t.m, ROOT, "f"), g = test_file(t.m, ROOT, "g");
    uint64_t below = test_file(t.m, sub, "below");

    (void)state;
    assert_int_equal(swap(ROOT, "f", ROOT, "nothing"), -ENOENT);
    assert_int_equal(swap(ROOT, "f", ROOT, "g"), 0);
    assert_int_equal(find(ROOT, "f"), g);
    assert_int_equal(find(ROOT, "g"), f);
    assert_int_equal(swap(a, "sub", ROOT, "f"), 0);
    assert_int_equal(find(a, "sub"), g);
    assert_int_equal(find(ROOT, "f"), sub);
    assert_int_equal(find(sub, "below"), below);
    assert_int_equal(nlink_of(a), 2);
    assert_int_equal(nlink_of(ROOT), 4);
    assert_int_equal(parent_of(sub), ROOT);
    assert_int_equal(swap(ROOT, "f", ROOT, "a"), 0);
    assert_int_equal(find(ROOT, "a"), sub);
    assert_int_equal(swap(ROOT, "a", sub, "below"), -EINVAL);
    assert_int_equal(swap(sub, "below", ROOT, "a"), -EINVAL);
    assert_int_equal(swap(ROOT, "g", ROOT, "g"), 0);
}

static void keys_follow_their_folder(void **state)
{
    (void)state;
    assert_int_equal(t.m->object->bucket_create(t.m, "one", ""), 0);
    assert_int_equal(t.m->object->bucket_create(t.m, "two", ""), 0);
    assert_int_equal(test_put(t.m, "one", "dir/sub/key", "v"), 0);
    assert_int_equal(move(find(ROOT, "one"), "dir", find(ROOT, "two"), "renamed"), 0);
    assert_null(test_etag(t.m, "one", "dir/sub/key"));
    assert_string_equal(test_etag(t.m, "two", "renamed/sub/key"), "etag-v");
    assert_int_equal(move(ROOT, "two", ROOT, "three"), 0);
    assert_string_equal(test_etag(t.m, "three", "renamed/sub/key"), "etag-v");
    assert_int_equal(move(ROOT, "three", ROOT, "My Folder"), 0);
    assert_string_equal(test_etag(t.m, "pcloud", "My Folder/renamed/sub/key"), "etag-v");
}

/* A file and a folder of one base are beside each other; each keeps its own name. */
static void twins_are_told_apart(void **state)
{
    uint64_t b = test_folder(t.m, ROOT, "bucket"), file, folder;

    (void)state;
    assert_int_equal(test_put(t.m, "bucket", "a", "file"), 0);
    assert_int_equal(test_put(t.m, "bucket", "a/x", "below"), 0);
    file = find(b, "%pc-f-a");
    folder = find(b, "a");
    assert_true(file != 0 && folder != 0 && file != folder);
    assert_int_equal(move(b, "%pc-f-a", b, "a"), -EISDIR);
    assert_int_equal(swap(b, "%pc-f-a", b, "a"), -EEXIST);
    test_file(t.m, b, "new");
    assert_int_equal(move(b, "new", b, "%pc-f-a"), 0); /* as an editor saves */
    assert_true(find(b, "%pc-f-a") != file);
    assert_int_equal(move(b, "a", b, "c"), 0);
    assert_int_equal(find(b, "c"), folder);
    assert_int_equal(find(b, "%pc-f-a"), 0);
    assert_true(find(b, "a") != 0);
    assert_string_equal(test_etag(t.m, "bucket", "c/x"), "etag-below");
    assert_int_equal(swap(b, "a", b, "c"), 0);
    assert_int_equal(find(b, "a"), folder);
    assert_string_equal(test_etag(t.m, "bucket", "a/x"), "etag-below");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_move),
        TEST(folders_move_with_what_is_below),
        TEST(targets_are_replaced_by_their_kind),
        TEST(a_replaced_file_that_is_open_stays),
        TEST(links_of_one_file_stay),
        TEST(entries_are_exchanged),
        TEST(keys_follow_their_folder),
        TEST(twins_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
