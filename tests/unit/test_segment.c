/* SPDX-License-Identifier: Apache-2.0 */
/* The map of keys, segments and names: total, reversible, one name a node, over hostile keys. */
#include "tree/segment.h"

#include "test_env.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *name_of(const char *seg, bool twin)
{
    static char name[SEGMENT_NAME_MAX + 1];

    segment_to_name(seg, strlen(seg), twin, name);
    return name;
}

static void keys_are_cut_after_slashes(void **state)
{
    static const char key[] = "a/b//c";
    static const char *const segs[] = {"a/", "b/", "/", "c"};
    size_t pos = 0, len, i = 0;
    const char *seg;

    (void)state;
    while (segment_next(key, sizeof(key) - 1, &pos, &seg, &len)) {
        assert_int_equal(len, strlen(segs[i]));
        assert_memory_equal(seg, segs[i], len);
        i++;
    }
    assert_int_equal(i, 4);
    pos = 0;
    assert_false(segment_next("", 0, &pos, &seg, &len));
    assert_true(segment_is_folder("a/", 2));
    assert_false(segment_is_folder("a", 1));
    assert_false(segment_is_folder("", 0));
}

static void names_are_plain_where_they_can_be(void **state)
{
    (void)state;
    assert_string_equal(name_of("photo.jpg", false), "photo.jpg");
    assert_string_equal(name_of("folder/", false), "folder");
    assert_string_equal(name_of("folder/", true), "folder");
    assert_string_equal(name_of("100%", false), "100%");
    assert_string_equal(name_of("a\nb", false), "a\nb");
    assert_string_equal(name_of("%pc", false), "%pc");
    assert_string_equal(name_of("...", false), "...");
}

static void names_are_escaped_where_they_must_be(void **state)
{
    char name[SEGMENT_NAME_MAX + 1];

    (void)state;
    assert_string_equal(name_of("/", false), "%pc-d-");
    assert_string_equal(name_of(".", false), "%pc-f-.");
    assert_string_equal(name_of("../", false), "%pc-d-..");
    assert_string_equal(name_of("%pc-x", false), "%pc-f-%25pc-x");
    assert_string_equal(name_of("a", true), "%pc-f-a");
    segment_to_name("a\0\n", 3, false, name);
    assert_string_equal(name, "%pc-f-a%00%0A");
}

static void long_names_hold_a_digest(void **state)
{
    char seg[SEGMENT_MAX + 1], name[SEGMENT_NAME_MAX + 1], other[SEGMENT_NAME_MAX + 1];
    struct name_target t;

    (void)state;
    memset(seg, 'x', 300);
    segment_to_name(seg, 300, false, name);
    assert_int_equal(strlen(name), 255);
    assert_memory_equal(name, "%pc-F-", 6);
    assert_int_equal(name_to_target(name, &t), 0);
    assert_int_equal(t.form, NAME_DIGEST);
    assert_true(segment_digest_matches(&t, seg, 300));
    assert_false(segment_digest_matches(&t, seg, 299));
    seg[299] = 'y';
    assert_false(segment_digest_matches(&t, seg, 300));
    segment_to_name(seg, 300, false, other);
    assert_string_not_equal(name, other);
    seg[299] = '/';
    segment_to_name(seg, 300, false, name);
    assert_memory_equal(name, "%pc-D-", 6);
    /* characters of two bytes are not cut */
    for (size_t i = 0; i < 300; i += 2)
        memcpy(seg + i, "\xc3\xa4", 2);
    segment_to_name(seg + 1, 299, false, name);
    segment_to_name(seg, 300, false, other);
    assert_int_equal(strlen(other) % 2, 255 % 2);
    assert_memory_equal(other + strlen(other) - 2, "\xc3\xa4", 2);
}

static void only_our_names_are_taken(void **state)
{
    static const char *const never[] = {
        "%pc-",
        "%pc-f",
        "%pc-f-",
        "%pc-d-a",
        "%pc-g-a",
        "%pc-f-a%",
        "%pc-f-a%2",
        "%pc-f-%41",
        "%pc-f-%2f",
        "%pc-f-%2F",
        "%pc-f-a\nb",
        "%pc-F-a",
        "%pc-f-%0a",
        "%pc-fxa",
        "%pc-d-%2Fa",
        "%pc-F-0123456789abcdef-short",
        "%pc-D-0123456789ABCDEF-short",
    };
    char name[300];
    struct name_target t;

    (void)state;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        assert_int_equal(name_to_target(never[i], &t), -ENOENT);
    assert_int_equal(name_to_target("", &t), -EINVAL);
    assert_int_equal(name_to_target(".", &t), -EINVAL);
    assert_int_equal(name_to_target("..", &t), -EINVAL);
    assert_int_equal(name_to_target("a/", &t), -EINVAL);
    memset(name, 'a', 256);
    name[256] = '\0';
    assert_int_equal(name_to_target(name, &t), -ENAMETOOLONG);
    name[255] = '\0';
    assert_int_equal(name_to_target(name, &t), 0);
    assert_int_equal(t.form, NAME_PLAIN);
    assert_int_equal(t.len, 255);
}

static void new_names_become_segments(void **state)
{
    char seg[SEGMENT_MAX + 1];
    size_t len;

    (void)state;
    assert_int_equal(name_to_new_segment("a", true, seg, &len), 0);
    assert_string_equal(seg, "a/");
    assert_int_equal(len, 2);
    assert_int_equal(name_to_new_segment("a", false, seg, &len), 0);
    assert_string_equal(seg, "a");
    assert_int_equal(name_to_new_segment("%pc-f-a", false, seg, &len), -EINVAL);
    assert_int_equal(name_to_new_segment("..", true, seg, &len), -EINVAL);
    assert_int_equal(name_to_new_segment("a/b", true, seg, &len), -EINVAL);
}

static bool bucket(const char *name)
{
    char seg[128];
    int n = snprintf(seg, sizeof(seg), "%s/", name);

    return top_is_bucket(seg, (size_t)n);
}

static void the_top_has_rules(void **state)
{
    static const char *const legal[] = {
        "abc",
        "a.b",
        "0-0",
        "sites",
        "jobs",
        "xn-a",
        "1.2.3",
        ("a123456789012345678901234567890123456789012345678901234567"
         "89012")};
    static const char *const illegal[] = {
        "ab",
        "Abc",
        "a_b",
        "-ab",
        "ab-",
        "a..b",
        ".ab",
        "192.168.5.4",
        "xn--abc",
        "pcloud",
        "",
        "a\xc3\xa4",
        "abc-s3alias",
        "abc--ol-s3",
        "sthree-a",
        "My Folder",
        "a.mrap",
        "a--table-s3",
        "x--x-s3",
        "a1234567890123456789012345678901234567890123456789012345678901234"};

    (void)state;
    for (size_t i = 0; i < sizeof(legal) / sizeof(legal[0]); i++)
        assert_true(bucket(legal[i]));
    for (size_t i = 0; i < sizeof(illegal) / sizeof(illegal[0]); i++)
        assert_false(bucket(illegal[i]));
    assert_false(top_is_bucket("abc", 3));
    assert_true(top_is_reserved("pcloud"));
    assert_true(top_is_reserved("ipfs"));
    assert_false(top_is_reserved("sites"));
    assert_false(top_is_reserved("pcloud2"));
}

/* A hostile segment: bytes that matter more often than others, every length. */
static size_t hostile(uint64_t *rng, char seg[SEGMENT_MAX + 1])
{
    static const char *const parts[] = {"%", "%pc-", "%pc-f-",   "%2F",
                                        ".", "..",   "\xc3\xa4", "\xff",
                                        "a", "\n",   "%pc-D-",   "0123456789abcdef-"};
    uint64_t r = test_random(rng);
    size_t max = r % 8 == 0 ? SEGMENT_MAX : r % 8 == 1 ? 260 : 12, n = 0;

    while (n < max && test_random(rng) % 12 != 0) {
        uint64_t p = test_random(rng);
        const char *s = parts[p % 12];
        size_t len = strlen(s);

        if (p % 5 == 0) {
            seg[n++] = (char)(p >> 32);
            if (seg[n - 1] == '/')
                seg[n - 1] = 'x';
            continue;
        }
        for (size_t times = r % 8 < 2 ? 1 + p % 40 : 1; times > 0 && n + len < max; times--) {
            memcpy(seg + n, s, len);
            n += len;
        }
    }
    if (n >= SEGMENT_MAX)
        n = SEGMENT_MAX - 1;
    if (n == 0 || test_random(rng) % 2)
        seg[n++] = '/';
    seg[n] = '\0';
    return n;
}

static void name_is_sound(const char *name)
{
    size_t len = strlen(name);

    assert_true(len > 0 && len <= SEGMENT_NAME_MAX);
    assert_null(strchr(name, '/'));
    assert_string_not_equal(name, ".");
    assert_string_not_equal(name, "..");
}

/* Every segment has a name, and its name means it and nothing else. */
static void every_segment_comes_back(void **state)
{
    uint64_t rng = 7;
    unsigned forms[3] = {0};

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char seg[SEGMENT_MAX + 1], name[SEGMENT_NAME_MAX + 1];
        size_t len = hostile(&rng, seg);
        bool folder = segment_is_folder(seg, len), twin = test_random(&rng) % 2;
        struct name_target t;

        segment_to_name(seg, len, twin, name);
        name_is_sound(name);
        assert_int_equal(name_to_target(name, &t), 0);
        forms[t.form]++;
        if (t.form == NAME_PLAIN) {
            assert_true(folder || !twin);
            assert_int_equal(t.len, folder ? len - 1 : len);
            assert_memory_equal(t.seg, seg, t.len);
        } else if (t.form == NAME_EXACT) {
            assert_int_equal(t.folder, folder);
            assert_int_equal(t.len, len);
            assert_memory_equal(t.seg, seg, len);
        } else {
            assert_int_equal(t.folder, folder);
            assert_true(segment_digest_matches(&t, seg, len));
        }
    }
    for (int i = 0; i < 3; i++)
        assert_true(forms[i] > 100);
}

/* Whatever a name means, it is the name of that: no node has two. */
static void every_name_is_the_only_one(void **state)
{
    uint64_t rng = 11;
    unsigned taken = 0;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char name[SEGMENT_MAX + 1], again[SEGMENT_NAME_MAX + 1];
        size_t len = hostile(&rng, name);
        struct name_target t;

        if (name[len - 1] == '/')
            name[--len] = '\0';
        if (i % 2) {
            memmove(name + 6, name, len < 249 ? len : 249);
            memcpy(name, i % 4 == 1 ? "%pc-f-" : "%pc-d-", 6);
            name[6 + (len < 249 ? len : 249)] = '\0';
        }
        if (name_to_target(name, &t) < 0 || t.form == NAME_DIGEST)
            continue;
        taken++;
        segment_to_name(t.seg, t.len, t.form == NAME_EXACT && !t.folder, again);
        assert_string_equal(again, name);
    }
    assert_true(taken > 1000);
}

/* Siblings are never shown by one name. */
static void siblings_have_different_names(void **state)
{
    static const char *const siblings[] = {
        "a",    "a/",    "%pc-f-a", "%pc-f-a/", "%pc-d-a", ".",      "./",     "..", "../",     "/",
        "%pc-", "%pc-/", "%",       "%/",       "%2",      "%pc-f-", "%pc-d-", "b/", "%pc-f-./"};
    const size_t n = sizeof(siblings) / sizeof(siblings[0]);
    char names[32][SEGMENT_NAME_MAX + 1];

    (void)state;
    for (size_t i = 0; i < n; i++) {
        bool twin = false;

        for (size_t k = 0; k < n; k++)
            twin |= strlen(siblings[k]) == strlen(siblings[i]) + 1 &&
                    strncmp(siblings[k], siblings[i], strlen(siblings[i])) == 0 &&
                    siblings[k][strlen(siblings[i])] == '/';
        segment_to_name(siblings[i], strlen(siblings[i]), twin, names[i]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(names[i], names[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_cut_after_slashes),
        cmocka_unit_test(names_are_plain_where_they_can_be),
        cmocka_unit_test(names_are_escaped_where_they_must_be),
        cmocka_unit_test(long_names_hold_a_digest),
        cmocka_unit_test(only_our_names_are_taken),
        cmocka_unit_test(new_names_become_segments),
        cmocka_unit_test(the_top_has_rules),
        cmocka_unit_test(every_segment_comes_back),
        cmocka_unit_test(every_name_is_the_only_one),
        cmocka_unit_test(siblings_have_different_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
