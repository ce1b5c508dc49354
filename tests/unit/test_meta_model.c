/* SPDX-License-Identifier: Apache-2.0 */
/* Both doors at random against a tree in memory: every code, every name, every node; and nothing for the check to find. */
#include "meta/object.h"
#include "meta/ops/quota.h"

#include "pcloud/err.h"
#include "test_env.h"
#include "test_meta.h"
#include "tree/segment.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define NODES 4096
#define EDGES 1024
#define SEG 24
#define ROOT 0

struct mnode {
    bool folder, link, implicit, marker, fresh;
    unsigned nlink, holds;
    int value; /* of content, -1: empty */
    uint64_t ino;
};
struct medge {
    bool used;
    int parent, node;
    char seg[SEG];
};

static struct test_meta t;
static struct mnode nodes[NODES];
static struct medge edges[EDGES];
static int node_count;
static uint64_t rng;
static int values;
static unsigned quotas_seen; /* compared */

static const char *const names[] = {"a", "b", "bkt", "bk2", "a", "b"};
static const char *const buckets[] = {"bkt", "bk2", "bkt", "pcloud"};

static unsigned pick(unsigned n)
{
    return (unsigned)(test_random(&rng) % n);
}

static int new_node(bool folder)
{
    assert_true(node_count < NODES);
    nodes[node_count] = (struct mnode){.folder = folder, .nlink = folder ? 2 : 1, .value = -1};
    return node_count++;
}

static int find_edge(int parent, const char *seg)
{
    for (int i = 0; i < EDGES; i++) {
        if (edges[i].used && edges[i].parent == parent && strcmp(edges[i].seg, seg) == 0)
            return i;
    }
    return -1;
}

static int find_seg(int parent, const char *base, bool folder)
{
    char seg[2 * SEG];

    snprintf(seg, sizeof(seg), "%s%s", base, folder ? "/" : "");
    return find_edge(parent, seg);
}

/* What the mount's name means. */
static int resolve(int parent, const char *name)
{
    int e;

    if (strncmp(name, "%pc-f-", 6) == 0)
        return find_seg(parent, name + 6, true) < 0 ? -1 : find_seg(parent, name + 6, false);
    e = find_seg(parent, name, true);
    return e >= 0 ? e : find_seg(parent, name, false);
}

static int add_edge(int parent, const char *base, int node)
{
    int i = 0;

    while (edges[i].used)
        assert_true(++i < EDGES);
    edges[i] = (struct medge){.used = true, .parent = parent, .node = node};
    snprintf(edges[i].seg, SEG, "%s%s", base, nodes[node].folder ? "/" : "");
    if (nodes[node].folder)
        nodes[parent].nlink++;
    return i;
}

static bool is_empty(int folder)
{
    for (int i = 0; i < EDGES; i++) {
        if (edges[i].used && edges[i].parent == folder)
            return false;
    }
    return true;
}

static void drop_edge(int e)
{
    struct mnode *n = &nodes[edges[e].node];

    edges[e].used = false;
    if (n->folder) {
        nodes[edges[e].parent].nlink--;
        n->nlink = 0;
    } else {
        n->nlink--;
    }
}

static bool is_below(int node, int top)
{
    for (;;) {
        int up = -1;

        if (node == top)
            return true;
        for (int i = 0; i < EDGES && up < 0; i++) {
            if (edges[i].used && edges[i].node == node)
                up = edges[i].parent;
        }
        if (up < 0)
            return false;
        node = up;
    }
}

/* A folder that is there, not deeper than keys reach. */
static int any_folder(void)
{
    int at = ROOT;

    for (unsigned depth = pick(4); depth > 0; depth--) {
        int e = find_seg(at, names[pick(6)], true);

        if (e >= 0)
            at = edges[e].node;
    }
    return at;
}

static const char *any_name(void)
{
    static char name[SEG];

    snprintf(name, sizeof(name), "%s%s", pick(8) == 0 ? "%pc-f-" : "", names[pick(6)]);
    return name;
}

static bool is_ours(const char *name)
{
    return name[0] == '%';
}

static void touch(int folder)
{
    nodes[folder].implicit = false;
}

static void do_make(void)
{
    static const uint32_t modes[] = {S_IFREG | 0644, S_IFDIR | 0755, S_IFDIR | 0755,
                                     S_IFLNK | 0777};
    const char *name = any_name();
    int f = any_folder(), want = 0, n;
    struct pc_make make = {.mode = modes[pick(4)], .target = "target"};
    struct pc_attr a;

    if (is_ours(name))
        want = -EINVAL;
    else if (resolve(f, name) >= 0)
        want = -EEXIST;
    assert_int_equal(t.m->node->make(t.m, nodes[f].ino, name, &make, &a), want);
    if (want < 0)
        return;
    n = new_node(S_ISDIR(make.mode));
    nodes[n].link = S_ISLNK(make.mode);
    nodes[n].ino = a.ino;
    add_edge(f, name, n);
    touch(f);
}

static void do_remove(void)
{
    const char *name = any_name();
    int f = any_folder(), e = resolve(f, name), want = 0;
    bool folder = pick(2);

    if (e < 0)
        want = -ENOENT;
    else if (nodes[edges[e].node].folder != folder)
        want = folder ? -ENOTDIR : -EISDIR;
    else if (folder && !is_empty(edges[e].node))
        want = -ENOTEMPTY;
    assert_int_equal(folder ? t.m->node->rmdir(t.m, nodes[f].ino, name)
                            : t.m->node->unlink(t.m, nodes[f].ino, name),
                     want);
    if (want < 0)
        return;
    drop_edge(e);
    touch(f);
}

static void do_link(void)
{
    const char *name = any_name();
    int from = any_folder(), e = resolve(from, any_name()), f = any_folder(), want = 0, n;

    if (e < 0)
        return;
    n = edges[e].node;
    if (nodes[n].folder)
        want = -EPERM;
    else if (is_ours(name))
        want = -EINVAL;
    else if (resolve(f, name) >= 0)
        want = -EEXIST;
    assert_int_equal(t.m->node->link(t.m, nodes[n].ino, nodes[f].ino, name, NULL), want);
    if (want < 0)
        return;
    add_edge(f, name, n);
    nodes[n].nlink++;
    touch(f);
}

static int rename_code(int f, int s, int g, int d, const char *to)
{
    const struct mnode *src, *dst;

    if (s < 0)
        return -ENOENT;
    src = &nodes[edges[s].node];
    if (src->folder && f != g && is_below(g, edges[s].node))
        return -EINVAL;
    if (d < 0)
        return is_ours(to) ? -EINVAL : 0;
    dst = &nodes[edges[d].node];
    if (src->folder != dst->folder)
        return src->folder ? -ENOTDIR : -EISDIR;
    return dst->folder && !is_empty(edges[d].node) ? -ENOTEMPTY : 0;
}

static void do_rename(void)
{
    char from[SEG], to[SEG], base[SEG];
    int f = any_folder(), g = any_folder(), s, d, want, n;

    snprintf(from, SEG, "%s", any_name());
    snprintf(to, SEG, "%s", any_name());
    s = resolve(f, from);
    d = resolve(g, to);
    want = rename_code(f, s, g, d, to);
    if (s >= 0 && d >= 0 && edges[s].node == edges[d].node)
        want = 0;
    assert_int_equal(t.m->node->rename(t.m, nodes[f].ino, from, nodes[g].ino, to, 0), want);
    if (want < 0 || (d >= 0 && edges[s].node == edges[d].node))
        return;
    n = edges[s].node;
    if (d >= 0)
        drop_edge(d);
    snprintf(base, SEG, "%s", is_ours(to) ? to + 6 : to);
    edges[s].used = false;
    if (nodes[n].folder)
        nodes[f].nlink--;
    add_edge(g, base, n);
    touch(f);
    touch(g);
}

static void do_exchange(void)
{
    char from[SEG], to[SEG];
    int f = any_folder(), g = any_folder(), s, d, a, b, want = 0;

    snprintf(from, SEG, "%s", any_name());
    snprintf(to, SEG, "%s", any_name());
    s = resolve(f, from);
    d = resolve(g, to);
    if (s < 0 || d < 0)
        return;
    a = edges[s].node;
    b = edges[d].node;
    if (f != g && ((nodes[a].folder && is_below(g, a)) || (nodes[b].folder && is_below(f, b))))
        want = -EINVAL;
    else if (nodes[a].folder != nodes[b].folder &&
             (find_seg(f, is_ours(from) ? from + 6 : from, nodes[b].folder) >= 0 ||
              find_seg(g, is_ours(to) ? to + 6 : to, nodes[a].folder) >= 0))
        want = -EEXIST;
    assert_int_equal(
        t.m->node->rename(t.m, nodes[f].ino, from, nodes[g].ino, to, PC_RENAME_EXCHANGE), want);
    if (want < 0 || a == b)
        return;
    edges[s].used = edges[d].used = false;
    nodes[f].nlink -= nodes[a].folder;
    nodes[g].nlink -= nodes[b].folder;
    add_edge(f, is_ours(from) ? from + 6 : from, b);
    add_edge(g, is_ours(to) ? to + 6 : to, a);
    touch(f);
    touch(g);
}

static void do_write(void)
{
    int f = any_folder(), e = resolve(f, any_name()), n;
    char text[16];

    if (e < 0)
        return;
    n = edges[e].node;
    snprintf(text, sizeof(text), "%d", ++values);
    assert_int_equal(t.m->content->write_inline(t.m, nodes[n].ino, text, strlen(text), 0),
                     nodes[n].folder ? -EISDIR
                     : nodes[n].link ? -EINVAL
                                     : 0);
    if (nodes[n].folder || nodes[n].link)
        return;
    nodes[n].value = values;
    nodes[n].fresh = false;
}

/* A key of one to three segments; "/" at the end now and then. */
struct mkey {
    const char *bucket;
    char key[4 * SEG];
    const char *segs[3];
    unsigned n;
    bool folder;
};

static struct mkey any_key(void)
{
    struct mkey k = {.bucket = buckets[pick(4)], .n = 1 + pick(3), .folder = pick(6) == 0};
    size_t len = 0;

    for (unsigned i = 0; i < k.n; i++) {
        k.segs[i] = names[pick(6)];
        len += (size_t)snprintf(k.key + len, sizeof(k.key) - len, "%s%s", k.segs[i],
                                i + 1 < k.n || k.folder ? "/" : "");
    }
    return k;
}

static int bucket_of(const struct mkey *k)
{
    int e;

    if (strcmp(k->bucket, "pcloud") == 0)
        return ROOT;
    e = find_seg(ROOT, k->bucket, true);
    return e < 0 ? PC_ENOBUCKET : edges[e].node;
}

static bool belongs(const struct mkey *k, int bucket)
{
    return bucket != ROOT || (k->n == 1 && !k->folder) || strlen(k->segs[0]) < 3;
}

/* The folders of a key's way into way[]; their number, or -1 if one is missing (with ${make}: it is made). */
static int walk(const struct mkey *k, int bucket, int way[4], bool make)
{
    int at = bucket;

    for (unsigned i = 0; i + 1 < k->n; i++) {
        int e = find_seg(at, k->segs[i], true);

        if (e < 0) {
            int n;

            if (!make)
                return -1;
            n = new_node(true);
            nodes[n].implicit = true;
            e = add_edge(at, k->segs[i], n);
        }
        way[i] = at = edges[e].node;
    }
    return (int)k->n - 1;
}

static int find_key(const struct mkey *k, int bucket, int way[4])
{
    int n = belongs(k, bucket) ? walk(k, bucket, way, false) : -1, e;

    if (n < 0)
        return -1;
    e = find_seg(n > 0 ? way[n - 1] : bucket, k->segs[k->n - 1], k->folder);
    if (e < 0 || (k->folder ? !nodes[edges[e].node].marker : nodes[edges[e].node].link))
        return -1;
    return e;
}

/* New nodes of the engine are known by number from a look at the tree. */
static void learn(void);

static void do_put(void)
{
    struct mkey k = any_key();
    int bucket = bucket_of(&k), way[4], n, e, want = 0, depth;
    char text[16];

    snprintf(text, sizeof(text), "%d", ++values);
    if (bucket < 0)
        want = bucket;
    else if (!belongs(&k, bucket))
        want = -EPERM;
    assert_int_equal(test_put(t.m, k.bucket, k.key, text), want);
    if (want < 0)
        return;
    depth = walk(&k, bucket, way, true);
    bucket = depth > 0 ? way[depth - 1] : bucket;
    e = find_seg(bucket, k.segs[k.n - 1], k.folder);
    if (k.folder) {
        if (e < 0) {
            n = new_node(true);
            nodes[n].implicit = true;
            add_edge(bucket, k.segs[k.n - 1], n);
        } else {
            n = edges[e].node;
        }
        nodes[n].marker = true;
    } else {
        if (e >= 0)
            drop_edge(e);
        n = new_node(false);
        add_edge(bucket, k.segs[k.n - 1], n);
    }
    nodes[n].value = values;
    nodes[n].fresh = true;
    learn();
}

static void prune(const int way[4], int depth)
{
    for (; depth > 0; depth--) {
        int n = way[depth - 1];

        if (!nodes[n].implicit || nodes[n].marker || !is_empty(n))
            return;
        for (int i = 0; i < EDGES; i++) {
            if (edges[i].used && edges[i].node == n)
                drop_edge(i);
        }
    }
}

static void do_delete(void)
{
    struct mkey k = any_key();
    struct pc_delete d = {.key = k.key, .len = strlen(k.key), .result = 1};
    int bucket = bucket_of(&k), way[4], e;
    bool existed = false;
    int rc = t.m->object->del(t.m, k.bucket, &d, 1, NULL, &existed);

    if (bucket < 0) {
        assert_int_equal(rc, PC_ENOBUCKET);
        return;
    }
    assert_int_equal(rc, 0);
    assert_int_equal(d.result, 0);
    e = find_key(&k, bucket, way);
    assert_int_equal(existed, e >= 0);
    if (e < 0)
        return;
    if (k.folder) {
        nodes[edges[e].node].marker = false;
        nodes[edges[e].node].value = -1;
        way[k.n - 1] = edges[e].node;
        prune(way, (int)k.n);
    } else {
        drop_edge(e);
        prune(way, (int)k.n - 1);
    }
}

static void do_get(void)
{
    struct mkey k = any_key();
    int bucket = bucket_of(&k), way[4];
    int e = bucket < 0 ? -1 : find_key(&k, bucket, way);
    const char *etag = test_etag(t.m, k.bucket, k.key);
    char want[32];

    if (e < 0) {
        assert_null(etag);
        return;
    }
    assert_non_null(etag);
    snprintf(want, sizeof(want), "etag-%d", nodes[edges[e].node].value);
    if (nodes[edges[e].node].fresh)
        assert_string_equal(etag, want);
    else
        assert_int_equal(strlen(etag), 34);
}

static bool holds_keys(int folder)
{
    for (int i = 0; i < EDGES; i++) {
        const struct mnode *n = &nodes[edges[i].node];

        if (edges[i].used && edges[i].parent == folder &&
            (!n->folder || n->marker || holds_keys(edges[i].node)))
            return true;
    }
    return false;
}

static void drop_below(int folder)
{
    for (int i = 0; i < EDGES; i++) {
        if (edges[i].used && edges[i].parent == folder) {
            drop_below(edges[i].node);
            drop_edge(i);
        }
    }
}

static void do_bucket(void)
{
    const char *name = buckets[pick(3)];
    int e = find_seg(ROOT, name, true), want = 0;

    if (pick(2)) {
        assert_int_equal(t.m->object->bucket_create(t.m, name, ""), e < 0 ? 0 : PC_EBUCKETEXISTS);
        if (e < 0) {
            add_edge(ROOT, name, new_node(true));
            learn();
        }
        return;
    }
    if (e < 0)
        want = PC_ENOBUCKET;
    else if (nodes[edges[e].node].marker || holds_keys(edges[e].node))
        want = PC_ENOTEMPTY_BUCKET;
    assert_int_equal(t.m->object->bucket_delete(t.m, name), want);
    if (want == 0) {
        drop_below(edges[e].node);
        drop_edge(e);
    }
}

static void do_hold(void)
{
    int f = any_folder(), e = resolve(f, any_name()), gone = 0;

    if (e >= 0 && pick(2)) {
        nodes[edges[e].node].holds++;
        meta_hold(t.m, nodes[edges[e].node].ino);
        return;
    }
    for (int i = 1; i < node_count; i++) {
        if (nodes[i].holds == 0)
            continue;
        meta_drop(t.m, nodes[i].ino);
        nodes[i].holds--;
        gone += nodes[i].holds == 0 && nodes[i].nlink == 0;
    }
    assert_true(t.m->content->gc_orphans(t.m, 1000) >= gone);
}

/* Quotas that nothing exceeds: what they count is compared by the check. Small steps, so that counting meets what the others do. */
static void do_quota(void)
{
    int f = any_folder(), rc;

    if (pick(4) == 0) {
        rc = t.m->node->quota_rm(t.m, nodes[f].ino);
        assert_true(rc == 0 || rc == -ENODATA);
        return;
    }
    quota_count_max = pick(3) ? 4096 : 0;
    quota_step = 1 + pick(20);
    rc = t.m->node->quota_set(t.m, nodes[f].ino, 1 << 30, PC_QUOTA_NONE);
    assert_true(rc >= 0);
    nodes[f].implicit = false;
    for (unsigned n = pick(4); rc > 0 && n > 0; n--)
        rc = t.m->node->quota_step(t.m);
    assert_true(rc >= 0);
}

/* One folder as the engine shows it, against the model. */
struct look {
    int folder, n;
    bool learn;
};

static int look_at(void *arg, const struct meta_entry *m)
{
    struct look *l = arg;
    char seg[SEG];
    int e;

    assert_true(m->seg_len < SEG);
    memcpy(seg, m->seg, m->seg_len);
    seg[m->seg_len] = '\0';
    e = find_edge(l->folder, seg);
    assert_true(e >= 0);
    l->n++;
    if (nodes[edges[e].node].ino == 0 && l->learn)
        nodes[edges[e].node].ino = m->attr.ino;
    assert_int_equal(m->attr.ino, nodes[edges[e].node].ino);
    assert_int_equal(resolve(l->folder, m->name), e);
    if (l->learn)
        return 0;
    assert_int_equal(m->attr.nlink, nodes[edges[e].node].nlink);
    assert_int_equal(S_ISDIR(m->attr.mode), nodes[edges[e].node].folder);
    return 0;
}

static void look_below(int folder, bool learning)
{
    struct look l = {folder, 0, learning};
    int n = 0;

    assert_true(t.m->node->dir_page(t.m, nodes[folder].ino, NULL, 0, 1000, look_at, &l) >= 0);
    for (int i = 0; i < EDGES; i++)
        n += edges[i].used && edges[i].parent == folder;
    assert_int_equal(l.n, n);
    for (int i = 0; i < EDGES; i++) {
        if (edges[i].used && edges[i].parent == folder && nodes[edges[i].node].folder)
            look_below(edges[i].node, learning);
    }
}

static void learn(void)
{
    look_below(ROOT, true);
}

static void compare_content(void)
{
    for (int i = 0; i < EDGES; i++) {
        const struct mnode *n = &nodes[edges[i].node];
        uint8_t data[META_INLINE_MAX + 1];
        char want[16] = "";
        size_t len;

        if (!edges[i].used || n->link)
            continue;
        if (n->value >= 0)
            snprintf(want, sizeof(want), "%d", n->value);
        assert_int_equal(t.m->content->read(t.m, n->ino, 0, 100, NULL, 0, data, &len, NULL, NULL),
                         0);
        data[len] = '\0';
        assert_string_equal((char *)data, want);
    }
}

/* What the model has below a folder: files of several names once, if the engine counts them there. */
static void count_below(int folder, bool *seen, struct pc_quota *q)
{
    for (int i = 0; i < EDGES; i++) {
        struct mnode *n = &nodes[edges[i].node];
        struct pc_attr a;

        if (!edges[i].used || edges[i].parent != folder || seen[edges[i].node])
            continue;
        seen[edges[i].node] = true;
        assert_int_equal(t.m->node->getattr(t.m, n->ino, &a), 0);
        q->nodes++;
        q->bytes += a.used;
        if (n->folder)
            count_below(edges[i].node, seen, q);
    }
}

/* Files of several names may count elsewhere: the limits of what is right are those without and with all of them. */
static void compare_quotas(void)
{
    struct pc_quota q;

    for (int i = 0; i < node_count; i++) {
        struct pc_quota want = {0};
        bool seen[NODES] = {false};
        uint64_t shared = 0;

        if (!nodes[i].folder || (i != ROOT && nodes[i].nlink == 0) ||
            t.m->node->quota_list(t.m, nodes[i].ino - 1, 1, &q) == 0 || q.ino != nodes[i].ino ||
            q.counting)
            continue;
        count_below(i, seen, &want);
        for (int k = 0; k < node_count; k++)
            shared += seen[k] && !nodes[k].folder && nodes[k].nlink > 1;
        if (i == ROOT)
            shared = 0;
        assert_in_range(q.nodes, want.nodes - shared, want.nodes);
        if (shared == 0)
            assert_int_equal(q.bytes, want.bytes);
        quotas_seen++;
    }
}

static void compare(void)
{
    struct meta_totals totals;
    uint64_t folders = 0, files = 0;

    look_below(ROOT, false);
    compare_content();
    for (int i = 1; i < node_count; i++) {
        folders += nodes[i].folder && nodes[i].nlink > 0;
        files += !nodes[i].folder && nodes[i].nlink > 0;
    }
    assert_int_equal(meta_totals(t.m, &totals), 0);
    assert_int_equal(totals.folders, folders);
    assert_int_equal(totals.files, files);
    assert_true(test_meta_clean(t.m));
    compare_quotas();
}

static void both_doors_show_one_tree(void **state)
{
    static void (*const steps[])(void) = {do_make,   do_make,   do_remove,   do_link,   do_rename,
                                          do_rename, do_rename, do_exchange, do_write,  do_put,
                                          do_put,    do_put,    do_delete,   do_delete, do_get,
                                          do_hold,   do_bucket, do_quota};

    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        rng = seed;
        node_count = 0;
        memset(edges, 0, sizeof(edges));
        test_meta_new(&t);
        nodes[new_node(true)].ino = PC_ROOT_INO;
        for (int i = 1; i <= 1500; i++) {
            steps[pick(sizeof(steps) / sizeof(steps[0]))]();
            if (i % 100 == 0)
                compare();
            if (i % 700 == 0) {
                for (int k = 0; k < node_count; k++)
                    nodes[k].holds = 0;
                test_meta_reopen(&t);
                t.m->content->gc_orphans(t.m, 1000);
            }
        }
        test_meta_free(&t);
    }
    assert_true(quotas_seen > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_doors_show_one_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
