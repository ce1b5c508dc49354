/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of S3 walked through the tree: folders found, made on the way to a key, pruned behind it. */
#include "meta/s3/key.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "meta/ops/ops.h"
#include "pcloud/err.h"

uint64_t key_parent(const struct key_path *p)
{
    return p->depth > 0 ? p->folders[p->depth - 1].ino : p->bucket;
}

bool key_is_folder(const struct key_path *p)
{
    return segment_is_folder(p->seg, p->seg_len);
}

static int key_start(struct sql_conn *c, const struct meta_key *k, struct key_path *p)
{
    if (k->len == 0)
        return -EINVAL;
    if (k->len > PC_KEY_MAX)
        return pc_err_set(-ENAMETOOLONG, "a key of %zu bytes; %d are allowed", k->len, PC_KEY_MAX);
    p->key = k->key;
    p->len = k->len;
    p->depth = 0;
    return bucket_find(c, k->bucket, &p->bucket);
}

/* May the reserved bucket hold a key with this first segment? */
static bool root_may_hold(const char *seg, size_t len)
{
    char base[SEGMENT_MAX + 1];
    size_t n = segment_is_folder(seg, len) ? len - 1 : len;

    if (top_is_bucket(seg, len))
        return false;
    memcpy(base, seg, n);
    base[n] = '\0';
    return strlen(base) != n || !top_is_reserved(base);
}

static int not_ours(void)
{
    return pc_err_set(-EPERM, "this key belongs to another bucket, or to nobody");
}

static int make_folder(struct meta *m, struct sql_conn *c, const struct key_path *p,
                       const char *seg, size_t len, uint64_t *ret_ino)
{
    uint64_t parent = key_parent(p);
    struct edge e = {.parent = parent, .folder = true, .len = len};
    struct row bucket, up, r;
    uint64_t file, folder;
    int rc = row_load(c, p->bucket, &bucket);

    if (rc == 0)
        rc = row_load(c, parent, &up);
    if (rc == 0)
        rc = edge_pair(c, parent, seg, len - 1, &file, &folder);
    if (rc < 0)
        return rc;
    row_new(m, S_IFDIR | 0755, bucket.uid, bucket.gid, parent, &r);
    r.flags = ROW_IMPLICIT;
    rc = row_insert(c, &r);
    if (rc == 0)
        rc = edge_insert(c, parent, seg, len, r.ino);
    if (rc < 0)
        return rc;
    row_count(m, &r, 1);
    up.nlink++;
    up.mtime = up.ctime = r.btime;
    up.flags |= file ? ROW_TWINS : 0;
    rc = row_store(c, &up);
    memcpy(e.seg, seg, len);
    e.ino = *ret_ino = r.ino;
    e.twin = file != 0;
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY, &e);
}

/* ${m} not NULL: make what is missing. */
static int walk(struct meta *m, struct sql_conn *c, const struct meta_key *k, struct key_path *p)
{
    size_t pos = 0, len;
    const char *seg;
    int rc = key_start(c, k, p);

    if (rc < 0)
        return rc;
    while (segment_next(p->key, p->len, &pos, &seg, &len)) {
        uint64_t ino = 0;

        if (p->depth == 0 && p->bucket == PC_ROOT_INO && !root_may_hold(seg, len))
            return m ? not_ours() : 0;
        if (pos == p->len) {
            p->seg = seg;
            p->seg_len = len;
            return 1;
        }
        rc = edge_find(c, key_parent(p), seg, len, &ino);
        if (rc == 0 && m)
            rc = make_folder(m, c, p, seg, len, &ino);
        if (rc < 0 || ino == 0)
            return rc;
        p->folders[p->depth].ino = ino;
        p->folders[p->depth].at = (size_t)(seg - p->key);
        p->folders[p->depth++].len = len;
    }
    return -EINVAL;
}

int key_check(struct sql_conn *c, const struct meta_key *k, uint64_t *ret_bucket)
{
    struct key_path p;
    size_t pos = 0, len;
    const char *seg;
    int rc = key_start(c, k, &p);

    if (rc < 0)
        return rc;
    segment_next(k->key, k->len, &pos, &seg, &len);
    if (p.bucket == PC_ROOT_INO && !root_may_hold(seg, len))
        return not_ours();
    *ret_bucket = p.bucket;
    return 0;
}

size_t key_past(char *s, size_t len)
{
    while (len > 0 && (unsigned char)s[len - 1] == 0xff)
        len--;
    if (len > 0)
        s[len - 1] = (char)((unsigned char)s[len - 1] + 1);
    return len;
}

size_t key_rollup(const char *key, size_t len, size_t prefix_len, const char *delimiter,
                  size_t delimiter_len)
{
    const char *at;

    if (delimiter_len == 0 || len <= prefix_len)
        return 0;
    at = memmem(key + prefix_len, len - prefix_len, delimiter, delimiter_len);
    return at ? (size_t)(at - key) + delimiter_len : 0;
}

int key_walk(struct sql_conn *c, const struct meta_key *k, struct key_path *p)
{
    return walk(NULL, c, k, p);
}

int key_make(struct meta *m, struct sql_conn *c, const struct meta_key *k, struct key_path *p)
{
    int rc = walk(m, c, k, p);

    return rc < 0 ? rc : 0;
}

int key_edge(struct sql_conn *c, const struct key_path *p, uint64_t ino, struct edge *e)
{
    uint64_t file, folder;
    int rc;

    e->parent = key_parent(p);
    e->ino = ino;
    e->folder = key_is_folder(p);
    e->len = p->seg_len;
    memcpy(e->seg, p->seg, e->len);
    e->seg[e->len] = '\0';
    rc = edge_pair(c, e->parent, e->seg, e->folder ? e->len - 1 : e->len, &file, &folder);
    if (rc < 0)
        return rc;
    e->twin = e->folder ? file != 0 : folder != 0;
    if (ino == 0)
        e->ino = e->folder ? folder : file;
    return 0;
}

/* One folder of the way: 1 if it went. */
static int prune_one(struct meta *m, struct sql_conn *c, const struct key_path *p, unsigned i)
{
    uint64_t parent = i > 0 ? p->folders[i - 1].ino : p->bucket;
    struct key_path up = {.key = p->key,
                          .bucket = parent,
                          .seg = p->key + p->folders[i].at,
                          .seg_len = p->folders[i].len};
    struct row r, above;
    struct edge e;
    int rc = row_load(c, p->folders[i].ino, &r);

    if (rc < 0 || !(r.flags & ROW_IMPLICIT) || (r.flags & ROW_OBJECT))
        return rc;
    rc = edge_any(c, r.ino);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = key_edge(c, &up, r.ino, &e);
    if (rc == 0)
        rc = row_load(c, parent, &above);
    if (rc == 0)
        rc = folder_remove(m, c, &above, &r, &e);
    if (rc == 0)
        rc = row_store(c, &above);
    return rc < 0 ? rc : 1;
}

int key_prune(struct meta *m, struct sql_conn *c, const struct key_path *p)
{
    int rc = 1;

    for (unsigned i = p->depth; i > 0 && rc > 0; i--)
        rc = prune_one(m, c, p, i - 1);
    return rc < 0 ? rc : 0;
}
