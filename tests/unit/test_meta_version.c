/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of objects against a list in memory, through both doors; locks; what the mount may and may not do. */
#include "meta/object.h"

#include "pcloud/err.h"
#include "test_env.h"
#include "test_meta.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define BUCKET "bkt"
#define KEYS 6
#define VERSIONS 64

static struct test_meta t;
static uint64_t rng;

static int set_up(void **state)
{
    struct pc_attr a;

    (void)state;
    test_meta_new(&t);
    assert_int_equal(t.m->object->bucket_create(t.m, BUCKET, "alice"), 0);
    /* (what quotas count is looked at by the check at the end) */
    assert_int_equal(t.m->node->quota_set(t.m, PC_ROOT_INO, 1 << 30, PC_QUOTA_NONE), 0);
    assert_int_equal(t.m->node->lookup(t.m, PC_ROOT_INO, BUCKET, &a), 0);
    assert_int_equal(t.m->node->quota_set(t.m, a.ino, 1 << 30, 1 << 20), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_meta_free(&t);
    return 0;
}

static const struct meta_object_ops *ops(void)
{
    return t.m->object;
}

static void versioning(enum pc_versioning state)
{
    assert_int_equal(ops()->versioning_set(t.m, BUCKET, state), 0);
}

static void fini(struct pc_object *o)
{
    free((void *)(uintptr_t)o->headers.data);
}

static int put_with(const char *key, const char *text, const struct pc_headers *h, char *id)
{
    struct meta_key k = test_key(BUCKET, key);
    struct meta_new content = {.size = strlen(text), .inline_data = text};
    struct pc_object o;
    unsigned bad;
    int rc = ops()->put(t.m, &k, &content, "etag", h, NULL, &o, &bad);

    if (rc < 0)
        return rc;
    if (id)
        memcpy(id, o.version, PC_VERSION_MAX);
    fini(&o);
    return 0;
}

static void put(const char *key, const char *text, char *id)
{
    assert_int_equal(put_with(key, text, NULL, id), 0);
}

/* 0 with the marker's or version's id in d.id. */
static int del(const char *key, const char *id, char *ret)
{
    struct pc_delete d = {.key = key, .len = strlen(key), .version = id};
    int rc = ops()->del(t.m, BUCKET, &d, 1, NULL, NULL);

    if (rc == 0 && ret)
        memcpy(ret, d.id, PC_VERSION_MAX);
    return rc < 0 ? rc : d.result;
}

/* The text of a version: static; or the code as text. */
static const char *text_of(const char *key, const char *id)
{
    static char text[64];
    uint8_t data[META_INLINE_MAX];
    struct meta_key k = test_key(BUCKET, key);
    struct pc_object o;
    size_t len = 0;
    int rc;

    k.version = id;
    rc = ops()->get_hold(t.m, &k, &o);
    if (rc < 0) {
        snprintf(text, sizeof(text), "%s", pc_err_name(rc));
        return text;
    }
    meta_drop(t.m, o.ino);
    assert_true(t.m->content->read(t.m, o.ino, 0, 64, NULL, 0, data, &len, NULL, NULL) >= 0);
    assert_int_equal(o.size, len);
    snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)data);
    fini(&o);
    return text;
}

static uint64_t top(void)
{
    struct pc_attr a;

    assert_int_equal(t.m->node->lookup(t.m, PC_ROOT_INO, BUCKET, &a), 0);
    return a.ino;
}

static uint64_t ino_of(uint64_t parent, const char *name)
{
    struct pc_attr a;

    return t.m->node->lookup(t.m, parent, name, &a) < 0 ? 0 : a.ino;
}

static int rewrite(uint64_t ino, const char *text)
{
    return t.m->content->write_inline(t.m, ino, text, strlen(text), 0);
}

/* A listing as one line: key=text or key!, "*" before the latest, "/" behind a prefix. */
struct shown {
    char line[8192];
    char key[PC_KEY_MAX], id[PC_VERSION_MAX];
    unsigned count;
};

static int show(void *arg, const struct pc_version_entry *e)
{
    struct shown *s = arg;
    size_t at = strlen(s->line);

    memcpy(s->key, e->key, e->len);
    s->key[e->len] = '\0';
    snprintf(s->id, sizeof(s->id), "%s", e->is_prefix ? "" : e->version);
    snprintf(s->line + at, sizeof(s->line) - at, "%s%.*s%s ", e->latest ? "*" : "", (int)e->len,
             e->key,
             e->is_prefix ? "$"
             : e->marker  ? "!"
                          : "");
    at = strlen(s->line) - 1;
    if (!e->is_prefix)
        snprintf(s->line + at, sizeof(s->line) - at, ":%.4s:%d ", e->version, (int)e->size);
    s->count++;
    return 0;
}

/* All of it, ${page} at a time. */
static const char *listed(const char *prefix, const char *delimiter, unsigned page)
{
    static struct shown s;
    struct pc_version_list l = {.prefix = prefix,
                                .prefix_len = strlen(prefix),
                                .delimiter = delimiter,
                                .delimiter_len = strlen(delimiter),
                                .after = "",
                                .max = page};
    char key[PC_KEY_MAX], id[PC_VERSION_MAX];
    bool more;

    memset(&s, 0, sizeof(s));
    do {
        s.count = 0;
        assert_int_equal(ops()->version_list(t.m, BUCKET, &l, show, &s, &more), 0);
        assert_true(s.count <= page);
        memcpy(key, s.key, sizeof(key));
        memcpy(id, s.id, sizeof(id));
        l.after = key;
        l.after_len = strlen(key);
        l.after_id = id;
    } while (more);
    return s.line;
}

static void versions_stay(void **state)
{
    char a[PC_VERSION_MAX], b[PC_VERSION_MAX], m[PC_VERSION_MAX];

    (void)state;
    put("k", "null", a);
    assert_string_equal(a, "");
    versioning(PC_VERSIONING_ON);
    put("k", "a", a);
    put("k", "b", b);
    assert_int_equal(strlen(a), 32);
    assert_string_not_equal(a, b);
    assert_string_equal(text_of("k", NULL), "b");
    assert_string_equal(text_of("k", a), "a");
    assert_string_equal(text_of("k", "null"), "null");
    assert_string_equal(text_of("k", "nobody"), "PC_ENOVERSION");
    assert_string_equal(text_of("other", a), "PC_ENOVERSION");
    assert_int_equal(del("k", NULL, m), 0);
    assert_string_equal(text_of("k", NULL), "ENOENT");
    assert_string_equal(text_of("k", ""), "PC_EMARKER");
    assert_string_equal(text_of("k", m), "PC_EMARKER");
    assert_string_equal(text_of("k", b), "b");
    assert_int_equal(del("k", m, NULL), 0);
    assert_string_equal(text_of("k", NULL), "b");
    assert_int_equal(del("k", b, NULL), 0);
    assert_string_equal(text_of("k", NULL), "a");
    assert_int_equal(del("k", b, NULL), 0); /* again */
    assert_int_equal(del("k", "null", NULL), 0);
    assert_int_equal(ops()->bucket_delete(t.m, BUCKET), PC_ENOTEMPTY_BUCKET);
    assert_int_equal(del("k", NULL, m), 0);
    assert_int_equal(ops()->bucket_delete(t.m, BUCKET), PC_ENOTEMPTY_BUCKET);
    assert_int_equal(t.m->node->rmdir(t.m, PC_ROOT_INO, BUCKET), -ENOTEMPTY);
    assert_int_equal(del("k", m, NULL), 0);
    assert_int_equal(del("k", a, NULL), 0);
    assert_string_equal(listed("", "", 9), "");
    assert_int_equal(ops()->bucket_delete(t.m, BUCKET), 0);
}

static void suspended_buckets_replace_null(void **state)
{
    char a[PC_VERSION_MAX], id[PC_VERSION_MAX];

    (void)state;
    versioning(PC_VERSIONING_ON);
    put("k", "a", a);
    versioning(PC_VERSIONING_SUSPENDED);
    put("k", "bb", id);
    assert_string_equal(id, "null");
    put("k", "ccc", id);
    assert_string_equal(text_of("k", "null"), "ccc");
    assert_int_equal(del("k", NULL, id), 0);
    assert_string_equal(id, "null");
    assert_int_equal(del("k", NULL, id), 0);
    assert_string_equal(text_of("k", "null"), "PC_EMARKER");
    assert_string_equal(text_of("k", a), "a");
    assert_int_equal(del("k", "null", NULL), 0);
    assert_string_equal(text_of("k", NULL), "a");
    assert_int_equal(ops()->versioning_set(t.m, BUCKET, PC_VERSIONING_OFF), PC_EBUCKETSTATE);
    assert_int_equal(ops()->versioning_set(t.m, "pcloud", PC_VERSIONING_ON), PC_EBUCKETSTATE);
    assert_int_equal(ops()->versioning_set(t.m, "nobody", PC_VERSIONING_ON), PC_ENOBUCKET);
}

/* The list in memory. */
struct mversion {
    char id[PC_VERSION_MAX]; /* "": none of its own */
    bool marker, bare;       /* bare: it has no id of its own as long as it is current */
    int value;
};
static struct mkey {
    const char *key, *name; /* name: the mount's, NULL if it is left alone */
    const char *folder;
    int n;
    bool edge;                   /* v[0] is current */
    struct mversion v[VERSIONS]; /* the newest first */
} keys[KEYS];
static enum pc_versioning mstate;
static int values;

static void push(struct mkey *k, const char *id, bool marker, int value)
{
    assert_true(k->n < VERSIONS);
    memmove(k->v + 1, k->v, (size_t)k->n * sizeof(*k->v));
    k->n++;
    k->v[0] = (struct mversion){
        .marker = marker, .value = value, .bare = *id == '\0' || (!marker && strlen(id) == 4)};
    snprintf(k->v[0].id, PC_VERSION_MAX, "%s", id);
}

static void drop(struct mkey *k, int i)
{
    memmove(k->v + i, k->v + i + 1, (size_t)(k->n - i - 1) * sizeof(*k->v));
    k->n--;
}

static int with_id(const struct mkey *k, const char *id, int from)
{
    for (int i = from; i < k->n; i++) {
        if (strcmp(k->v[i].id, id) == 0)
            return i;
    }
    return -1;
}

/* The current one's, when it has none of its own. */
static void name_current(struct mkey *k)
{
    struct shown s = {0};
    struct pc_version_list l = {
        .prefix = k->key, .prefix_len = strlen(k->key), .delimiter = "", .after = "", .max = 1};
    bool more;

    if (!k->v[0].bare)
        return;
    assert_int_equal(ops()->version_list(t.m, BUCKET, &l, show, &s, &more), 0);
    if (with_id(k, "null", 1) < 0)
        assert_string_equal(s.id, "null");
    else
        assert_int_equal(strlen(s.id), 32);
    memcpy(k->v[0].id, s.id, PC_VERSION_MAX);
}

static void drop_null(struct mkey *k)
{
    int i = with_id(k, "null", k->edge);

    if (i >= 0)
        drop(k, i);
}

/* What is current gets out of the way of a put or a marker. Before the operation: name_current. */
static void replaced(struct mkey *k)
{
    if (mstate != PC_VERSIONING_ON)
        drop_null(k);
    if (!k->edge)
        return;
    if (mstate == PC_VERSIONING_OFF ||
        (mstate == PC_VERSIONING_SUSPENDED && strcmp(k->v[0].id, "null") == 0))
        drop(k, 0);
    else
        k->v[0].bare = false;
    k->edge = false;
}

static void model_put(struct mkey *k)
{
    char text[16], id[PC_VERSION_MAX];

    if (k->edge)
        name_current(k);
    snprintf(text, sizeof(text), "v%d", ++values);
    put(k->key, text, id);
    replaced(k);
    push(k, mstate == PC_VERSIONING_OFF ? "" : id, false, values);
    k->edge = true;
}

static void marked(struct mkey *k, const char *id)
{
    replaced(k);
    if (mstate != PC_VERSIONING_OFF)
        push(k, id, true, 0);
}

static void model_delete(struct mkey *k)
{
    char id[PC_VERSION_MAX];

    if (k->edge)
        name_current(k);
    assert_int_equal(del(k->key, NULL, id), 0);
    marked(k, id);
}

static void model_delete_version(struct mkey *k)
{
    int i = k->n > 0 ? (int)(test_random(&rng) % (unsigned)k->n) : -1;
    bool latest;

    if (i < 0 || mstate == PC_VERSIONING_OFF)
        return;
    if (k->edge)
        name_current(k);
    latest = i == 0 && (k->edge || k->v[0].marker);
    assert_int_equal(del(k->key, k->v[i].id, NULL), 0);
    drop(k, i);
    if (latest)
        k->edge = k->n > 0 && !k->v[0].marker;
    if (k->edge && strlen(k->v[0].id) == 4)
        k->v[0].bare = true; /* null is no id of its own */
}

static uint64_t folder_of(const struct mkey *k)
{
    return *k->folder ? ino_of(top(), k->folder) : top();
}

/* The id of the marker that the mount made. */
static void mount_marked(struct mkey *k)
{
    struct shown s = {0};
    struct pc_version_list l = {
        .prefix = k->key, .prefix_len = strlen(k->key), .delimiter = "", .after = "", .max = 1};
    bool more;

    assert_int_equal(ops()->version_list(t.m, BUCKET, &l, show, &s, &more), 0);
    memcpy(k->v[0].id, s.id, PC_VERSION_MAX);
}

static void model_unlink(struct mkey *k)
{
    if (!k->name || !k->edge)
        return;
    name_current(k);
    assert_int_equal(t.m->node->unlink(t.m, folder_of(k), k->name), 0);
    marked(k, "?");
    if (mstate != PC_VERSIONING_OFF)
        mount_marked(k);
}

static void model_write(struct mkey *k)
{
    char text[16];
    uint64_t folder;

    if (!k->name)
        return;
    folder = folder_of(k);
    if (folder == 0)
        return;
    snprintf(text, sizeof(text), "w%d", ++values);
    if (!k->edge) {
        rewrite(test_file(t.m, folder, k->name), text);
        push(k, "", false, -values);
        k->edge = true;
        return;
    }
    assert_int_equal(rewrite(ino_of(folder, k->name), text), 0);
    if (!k->v[0].bare)
        push(k, "", false, -values);
    else
        k->v[0].value = -values;
}

static void check_key(struct mkey *k, char *line, size_t cap)
{
    size_t at;

    if (k->edge)
        name_current(k);
    for (int i = 0; i < k->n; i++) {
        struct mversion *v = &k->v[i];
        char text[16];

        at = strlen(line);
        snprintf(text, sizeof(text), v->value < 0 ? "w%d" : "v%d", abs(v->value));
        snprintf(line + at, cap - at, "%s%s%s:%.4s:%d ",
                 i == 0 && (k->edge || v->marker) ? "*" : "", k->key, v->marker ? "!" : "",
                 mstate == PC_VERSIONING_OFF ? "null" : v->id, v->marker ? 0 : (int)strlen(text));
        if (mstate != PC_VERSIONING_OFF)
            assert_string_equal(text_of(k->key, v->id), v->marker ? "PC_EMARKER" : text);
        if (i == 0 && k->edge)
            assert_string_equal(text_of(k->key, NULL), text);
    }
    if (!k->edge)
        assert_string_equal(text_of(k->key, NULL), "ENOENT");
}

static void check_model(void)
{
    static char line[8192];

    line[0] = '\0';
    for (int i = 0; i < KEYS; i++)
        check_key(&keys[i], line, sizeof(line));
    assert_string_equal(listed("", "", 1 + (unsigned)(test_random(&rng) % 5)), line);
}

static void model_step(void)
{
    struct mkey *k = &keys[test_random(&rng) % KEYS];
    unsigned what = (unsigned)(test_random(&rng) % 100);

    if (what < 34)
        model_put(k);
    else if (what < 50)
        model_delete(k);
    else if (what < 80 || k->n > VERSIONS - 8)
        model_delete_version(k);
    else if (what < 87)
        model_unlink(k);
    else if (what < 95)
        model_write(k);
    else if (mstate != PC_VERSIONING_OFF || what == 99) {
        mstate = mstate == PC_VERSIONING_ON ? PC_VERSIONING_SUSPENDED : PC_VERSIONING_ON;
        versioning(mstate);
    }
}

static void random_histories(void **state)
{
    static const struct mkey start[KEYS] = {
        {.key = "a", .folder = ""},
        {.key = "a/", .folder = ""},
        {.key = "a/b", .folder = ""},
        {.key = "b", .name = "b", .folder = ""},
        {.key = "d/e", .name = "e", .folder = "d"},
        {.key = "d/f", .name = "f", .folder = "d"},
    };
    unsigned steps = getenv("PCLOUD_TEST_STEPS")
                         ? (unsigned)strtoul(getenv("PCLOUD_TEST_STEPS"), NULL, 10)
                         : 400;

    for (uint64_t seed = 1; seed <= 6; seed++) {
        rng = seed;
        set_up(state);
        memcpy(keys, start, sizeof(keys));
        mstate = PC_VERSIONING_OFF;
        for (unsigned i = 0; i < steps; i++) {
            model_step();
            if (i % 3 == 0)
                check_model();
            if (i % 50 == 0)
                assert_true(test_meta_clean(t.m));
        }
        check_model();
        tear_down(state);
    }
}

/* Every page size, prefix and delimiter gives what the whole gives. */
static void listings_are_seeks(void **state)
{
    static const char *const names[] = {"a",     "a/b", "a/b/c", "a/c",  "ab",
                                        "b/a/x", "b/b", "c",     "c/d/", "c/d/e"};
    static const char *const prefixes[] = {"", "a", "a/", "b/", "c/d/", "zz"};
    static const char *const delimiters[] = {"", "/", "b"};
    char whole[8192];

    (void)state;
    versioning(PC_VERSIONING_ON);
    for (unsigned i = 0; i < 40; i++) {
        const char *key = names[test_random(&rng) % 10];

        if (test_random(&rng) % 4 == 0)
            assert_int_equal(del(key, NULL, NULL), 0);
        else
            put(key, "x", NULL);
    }
    for (unsigned p = 0; p < 6; p++) {
        for (unsigned d = 0; d < 3; d++) {
            snprintf(whole, sizeof(whole), "%s", listed(prefixes[p], delimiters[d], 1000));
            for (unsigned page = 1; page < 12; page++)
                assert_string_equal(listed(prefixes[p], delimiters[d], page), whole);
        }
    }
    assert_string_equal(listed("", "/", 1), listed("", "/", 1000));
    assert_string_equal(listed("zz", "", 3), "");
}

static void the_mount_loses_nothing(void **state)
{
    char a[PC_VERSION_MAX], b[PC_VERSION_MAX], c[PC_VERSION_MAX];
    uint64_t dir, open;
    struct pc_attr attr;

    (void)state;
    versioning(PC_VERSIONING_ON);
    put("d/k", "a", a);
    put("d/l", "b", b);
    dir = ino_of(top(), "d");
    /* one that is open when it goes: the version stays, the open file lives on by itself */
    open = ino_of(dir, "k");
    assert_int_equal(meta_hold(t.m, open), 0);
    assert_int_equal(t.m->node->unlink(t.m, dir, "k"), 0);
    assert_int_equal(rewrite(open, "changed"), 0);
    assert_string_equal(text_of("d/k", a), "a");
    assert_string_equal(text_of("d/k", ""), "PC_EMARKER");
    meta_drop(t.m, open);
    assert_true(t.m->content->gc_orphans(t.m, 9) >= 1);
    assert_int_equal(t.m->node->getattr(t.m, open, &attr), -ENOENT);
    /* a version is moved: it stays where it was */
    assert_int_equal(t.m->node->rename(t.m, dir, "l", dir, "k", 0), 0);
    assert_string_equal(text_of("d/k", NULL), "b");
    assert_string_equal(text_of("d/l", b), "b");
    assert_string_equal(text_of("d/l", ""), "PC_EMARKER");
    /* replaced by a file of the mount's */
    put("d/k", "c", c);
    rewrite(test_file(t.m, dir, ".tmp"), "new");
    assert_int_equal(t.m->node->rename(t.m, dir, ".tmp", dir, "k", 0), 0);
    assert_string_equal(text_of("d/k", NULL), "new");
    assert_string_equal(text_of("d/k", c), "c");
    assert_null(strstr(listed("", "", 1000), "tmp"));
    /* links of versions, and past nodes by number */
    put("d/n", "n", a);
    open = ino_of(dir, "n");
    assert_int_equal(t.m->node->link(t.m, open, dir, "o", NULL), -EPERM);
    put("d/n", "m", NULL);
    assert_int_equal(rewrite(open, "x"), -ESTALE);
    assert_int_equal(t.m->node->link(t.m, open, dir, "o", NULL), -ENOENT);
    /* other names of what is replaced */
    assert_int_equal(t.m->node->link(t.m, ino_of(dir, "k"), dir, "two", NULL), 0);
    put("d/k", "newer", NULL);
    assert_int_equal(rewrite(ino_of(dir, "two"), "two"), 0);
    assert_string_equal(text_of("d/k", "null"), "b");
    assert_string_equal(text_of("d/two", NULL), "two");
    /* a folder moves in one step; what was stays under the old keys */
    assert_int_equal(t.m->node->rename(t.m, top(), "d", top(), "e", 0), 0);
    assert_string_equal(text_of("d/k", NULL), "ENOENT");
    assert_string_equal(text_of("d/k", c), "c");
    assert_string_equal(text_of("e/k", NULL), "newer");
    assert_string_equal(listed("", "", 1), listed("", "", 1000));
    assert_int_equal(del("d/k", c, NULL), 0);
    assert_string_equal(text_of("d/k", NULL), "ENOENT");
    assert_int_equal(t.m->node->rename(t.m, PC_ROOT_INO, BUCKET, PC_ROOT_INO, "No bucket", 0),
                     -EPERM);
    assert_int_equal(t.m->node->rename(t.m, PC_ROOT_INO, BUCKET, PC_ROOT_INO, "bkt2", 0), 0);
    assert_int_equal(t.m->node->rename(t.m, PC_ROOT_INO, "bkt2", PC_ROOT_INO, BUCKET, 0), 0);
}

#define HEADERS(text) (&(struct pc_headers){text, sizeof(text)})

static int64_t now_ms(void)
{
    return (int64_t)time(NULL) * 1000;
}

static int retain(const char *key, const char *id, enum pc_lock_mode mode, int64_t until,
                  bool bypass)
{
    struct meta_key k = test_key(BUCKET, key);

    k.version = id;
    return ops()->retain(t.m, &k, mode, until, bypass);
}

static int bypass(const char *key, const char *id)
{
    struct pc_delete d = {.key = key, .len = strlen(key), .version = id, .bypass = true};

    assert_int_equal(ops()->del(t.m, BUCKET, &d, 1, NULL, NULL), 0);
    return d.result;
}

static void locks_hold(void **state)
{
    char a[PC_VERSION_MAX], b[PC_VERSION_MAX], m[PC_VERSION_MAX];
    struct meta_key k = test_key(BUCKET, "k");
    int64_t later = now_ms() + 1000000;
    uint64_t dir;

    (void)state;
    assert_int_equal(ops()->locking_set(t.m, BUCKET), PC_EBUCKETSTATE);
    versioning(PC_VERSIONING_ON);
    assert_int_equal(ops()->locking_set(t.m, BUCKET), 0);
    assert_int_equal(ops()->versioning_set(t.m, BUCKET, PC_VERSIONING_SUSPENDED), PC_EBUCKETSTATE);
    put("k", "a", a);
    assert_int_equal(retain("k", "", PC_LOCK_GOVERNANCE, later, false), 0);
    assert_int_equal(del("k", a, NULL), PC_ELOCKED);
    assert_int_equal(del("k", NULL, m), 0);
    assert_int_equal(del("k", a, NULL), PC_ELOCKED);
    assert_int_equal(del("k", m, NULL), 0);
    assert_string_equal(text_of("k", NULL), "a");
    assert_int_equal(retain("k", a, PC_LOCK_GOVERNANCE, later - 1, false), PC_ELOCKED);
    assert_int_equal(retain("k", a, PC_LOCK_GOVERNANCE, later + 1, false), 0);
    assert_int_equal(retain("k", a, PC_LOCK_COMPLIANCE, later + 1, false), PC_ELOCKED);
    assert_int_equal(retain("k", a, PC_LOCK_NONE, 0, false), PC_ELOCKED);
    assert_int_equal(retain("k", a, PC_LOCK_COMPLIANCE, later, true), 0);
    assert_int_equal(retain("k", a, PC_LOCK_GOVERNANCE, later, true), PC_ELOCKED);
    assert_int_equal(retain("k", a, PC_LOCK_NONE, 0, true), PC_ELOCKED);
    assert_int_equal(bypass("k", a), PC_ELOCKED);
    /* a put over it, a write into it, its end on the mount: the version stays */
    put("k", "b", b);
    assert_int_equal(del("k", a, NULL), PC_ELOCKED);
    assert_int_equal(del("k", b, NULL), 0);
    assert_int_equal(rewrite(ino_of(top(), "k"), "w"), 0);
    assert_string_equal(text_of("k", a), "a");
    assert_int_equal(t.m->node->unlink(t.m, top(), "k"), 0);
    assert_int_equal(del("k", a, NULL), PC_ELOCKED);
    /* a hold */
    assert_int_equal(put_with("d/k", "h", HEADERS("legal-hold\0ON"), b), 0);
    assert_int_equal(bypass("d/k", b), PC_ELOCKED);
    dir = ino_of(top(), "d");
    assert_int_equal(t.m->node->rename(t.m, top(), "d", top(), "e", 0), -EXDEV);
    assert_int_equal(t.m->node->rename(t.m, dir, "k", dir, "l", 0), 0);
    assert_string_equal(text_of("d/k", b), "h");
    assert_int_equal(bypass("d/l", "null"), 0);
    k = test_key(BUCKET, "d/k");
    k.version = b;
    assert_int_equal(ops()->hold(t.m, &k, false), 0);
    assert_int_equal(del("d/k", b, NULL), 0);
    /* over in time */
    put("t", "t", a);
    assert_int_equal(retain("t", a, PC_LOCK_COMPLIANCE, now_ms() - 5000, false), 0);
    assert_int_equal(del("t", a, NULL), 0);
    assert_int_equal(retain("t", a, PC_LOCK_COMPLIANCE, later, false), PC_ENOVERSION);
}

static void copies_and_conditions(void **state)
{
    char a[PC_VERSION_MAX], b[PC_VERSION_MAX], m[PC_VERSION_MAX];
    struct meta_key src = test_key(BUCKET, "k"), dst = test_key(BUCKET, "copy");
    struct pc_object o;
    struct pc_delete d = {.key = "k", .len = 1};

    (void)state;
    versioning(PC_VERSIONING_ON);
    assert_int_equal(put_with("k", "a", HEADERS("legal-hold\0ON\0x-amz-meta-a\0b"), a), 0);
    put("k", "b", b);
    src.version = a;
    assert_int_equal(ops()->copy(t.m, &src, NULL, &dst, NULL, NULL, &o), 0);
    assert_int_equal(strlen(o.version), 32);
    assert_null(pc_headers_get(&o.headers, "legal-hold"));
    assert_string_equal(pc_headers_get(&o.headers, "x-amz-meta-a"), "b");
    fini(&o);
    assert_string_equal(text_of("copy", NULL), "a");
    /* onto itself: a new version of the same content */
    assert_int_equal(
        ops()->copy(t.m, &src, NULL, &(struct meta_key){.bucket = BUCKET, .key = "k", .len = 1},
                    NULL, NULL, &o),
        0);
    fini(&o);
    assert_string_equal(text_of("k", NULL), "a");
    d.version = b;
    d.etag = "other";
    assert_int_equal(ops()->del(t.m, BUCKET, &d, 1, NULL, NULL), 0);
    assert_int_equal(d.result, PC_EPRECONDITION);
    d.etag = "etag";
    assert_int_equal(ops()->del(t.m, BUCKET, &d, 1, NULL, NULL), 0);
    assert_int_equal(d.result, 0);
    d.version = NULL;
    assert_int_equal(ops()->del(t.m, BUCKET, &d, 1, NULL, NULL), 0);
    assert_true(d.result == 0 && d.marker);
    memcpy(m, d.id, sizeof(m));
    assert_int_equal(ops()->del(t.m, BUCKET, &d, 1, NULL, NULL), 0);
    assert_int_equal(d.result, PC_EPRECONDITION); /* a marker has no such ETag */
    assert_int_equal(del("k", m, NULL), 0);
    assert_string_equal(text_of("k", NULL), "a");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(versions_stay),
        TEST(suspended_buckets_replace_null),
        cmocka_unit_test(random_histories),
        TEST(listings_are_seeks),
        TEST(the_mount_loses_nothing),
        TEST(locks_hold),
        TEST(copies_and_conditions),
    };

    rng = 7;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
