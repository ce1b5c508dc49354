/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets and objects over the engine: durable changes, readers of what was there at open. */
#include "volume/object.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "pcloud/err.h"
#include "pcloud/history.h"
#include "tree/segment.h"
#include "volume/volume.h"

#define READ_AHEAD (4u << 20)
#define READ_SLOW_US 1000 /* a read that takes so long waited for the disk: have it fetch ahead */

const char *pc_headers_get(const struct pc_headers *h, const char *name)
{
    size_t pos = 0;
    const char *n, *value;
    while (pc_headers_next(h, &pos, &n, &value))
        if (strcmp(n, name) == 0)
            return value;
    return NULL;
}

bool pc_headers_next(const struct pc_headers *h, size_t *pos, const char **name, const char **value)
{
    if (h == NULL || h->data == NULL || *pos >= h->len)
        return false;
    const char *n = h->data + *pos;
    size_t left = h->len - *pos;
    size_t n_len = strnlen(n, left);
    if (n_len + 1 >= left)
        return false;
    const char *val = n + n_len + 1;
    size_t v_len = strnlen(val, left - n_len - 1);
    if (v_len == left - n_len - 1)
        return false;
    *pos += n_len + v_len + 2;
    *name = n;
    *value = val;
    return true;
}

void pc_object_fini(struct pc_object *o)
{
    mem_free((void *)(uintptr_t)o->headers.data);
    o->headers = (struct pc_headers){0};
}

int object_durable(struct pc_volume *v, int rc)
{
    if (rc < 0)
        return rc;
    atomic_store(&v->orphans, true);
    int synced = meta_sync(v->meta);
    return synced < 0 ? synced : rc;
}

int pc_bucket_check(const char *name)
{
    char seg[PC_BUCKET_MAX + 2];
    size_t len = strnlen(name, PC_BUCKET_MAX + 1);
    if (len <= PC_BUCKET_MAX) {
        memcpy(seg, name, len);
        seg[len] = '/';
        if (top_is_bucket(seg, len + 1))
            return 0;
    }
    return pc_err_set(PC_EBUCKETNAME,
                      "bucket name \"%.80s\": use 3 to 63 of a-z 0-9 . -, starting and ending with "
                      "a letter or digit",
                      name);
}

int pc_bucket_create(struct pc_volume *v, const char *bucket, const char *owner)
{
    int rc = pc_bucket_check(bucket);
    return rc < 0 ? rc : object_durable(v, v->meta->object->bucket_create(v->meta, bucket, owner));
}

int pc_bucket_delete(struct pc_volume *v, const char *bucket)
{
    return object_durable(v, v->meta->object->bucket_delete(v->meta, bucket));
}

int pc_bucket_get(struct pc_volume *v, const char *bucket, struct pc_bucket *ret)
{
    return v->meta->object->bucket_get(v->meta, bucket, ret);
}

int pc_bucket_chown(struct pc_volume *v, const char *bucket, const char *owner)
{
    return object_durable(v, v->meta->object->bucket_chown(v->meta, bucket, owner));
}

int pc_bucket_list(struct pc_volume *v, int (*fn)(void *arg, const struct pc_bucket *b), void *arg)
{
    return v->meta->object->bucket_list(v->meta, fn, arg);
}

int pc_bucket_setting_get(struct pc_volume *v, const char *bucket, enum pc_setting which,
                          char **ret, size_t *ret_len)
{
    return v->meta->object->setting_get(v->meta, bucket, which, ret, ret_len);
}

int pc_bucket_setting_set(struct pc_volume *v, const char *bucket, enum pc_setting which,
                          const void *data, size_t len)
{
    return object_durable(v, v->meta->object->setting_set(v->meta, bucket, which, data, len));
}

int pc_object_annotate(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                       const struct pc_headers *change)
{
    const struct meta_key k = {.bucket = bucket, .key = key, .len = len};
    return object_durable(v, v->meta->object->annotate(v->meta, &k, change));
}

int pc_object_head(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                   struct pc_object *ret)
{
    const struct meta_key k = {.bucket = bucket, .key = key, .len = len};
    return v->meta->object->get(v->meta, &k, ret);
}

struct pc_reader {
    struct pc_volume *v;
    struct open_node *node;
    uint64_t size;
    unsigned parts;
    uint64_t read_end, ahead;
    bool map_wanted;
    struct content_map map; /* where the next bytes lie: for pc_reader_read_now */
};

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int reader_open(struct pc_volume *v, const struct meta_key *k, struct pc_object *ret,
                struct pc_reader **ret_reader)
{
    struct pc_object o = {0};
    struct pc_reader *r = mem_calloc(1, sizeof(*r));
    if (r == NULL)
        return -ENOMEM;
    int rc = v->meta->object->get_hold(v->meta, k, &o);
    if (rc == PC_EMARKER)
        *ret = o;
    if (rc < 0)
        goto free_reader;
    rc = open_node_get(v, o.ino, &r->node);
    meta_drop(v->meta, o.ino);
    if (rc < 0)
        goto fini_object;
    r->v = v;
    r->size = o.size;
    r->parts = o.parts;
    *ret = o;
    *ret_reader = r;
    return 0;

fini_object:
    pc_object_fini(&o);
free_reader:
    mem_free(r);
    return rc;
}

int pc_reader_open(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                   struct pc_object *ret, struct pc_reader **ret_reader)
{
    const struct meta_key k = {.bucket = bucket, .key = key, .len = len};
    return reader_open(v, &k, ret, ret_reader);
}

ssize_t pc_reader_read(struct pc_reader *r, void *buf, size_t len, uint64_t off)
{
    if (off >= r->size)
        return 0;
    if (len > r->size - off)
        len = (size_t)(r->size - off);
    uint64_t begun = now_us();
    ssize_t n = content_read(r->v, r->node->ino, buf, len, off, NULL);
    bool slow = now_us() - begun >= READ_SLOW_US;
    if (n <= 0)
        return n == 0 ? -EIO : n; /* cut on the mount meanwhile */
    uint64_t end = off + (uint64_t)n;
    if (slow && r->read_end == off && end < r->size && r->ahead < end + READ_AHEAD / 2) {
        uint64_t from = r->ahead > end ? r->ahead : end;
        r->ahead = end + READ_AHEAD;
        content_ahead(r->v, r->node->ino, from, r->ahead - from);
    }
    r->read_end = end;
    if (r->map_wanted && end < r->size)
        content_map(r->v, r->node->ino, end, r->size, &r->map);
    r->map_wanted = false;
    return n;
}

ssize_t pc_reader_read_now(struct pc_reader *r, void *buf, size_t len, uint64_t off)
{
    ssize_t n = content_read_now(r->v, &r->map, buf, len, off);
    r->map_wanted = n < 0;
    return n;
}

int pc_reader_part(struct pc_reader *r, unsigned number, uint64_t *ret_off, uint64_t *ret_len)
{
    if (r->parts == 0) {
        if (number != 1)
            return PC_EPART;
        *ret_off = 0;
        *ret_len = r->size;
        return 0;
    }
    if (number == 0 || number > r->parts)
        return PC_EPART;
    uint64_t *sizes = mem_calloc(r->parts, sizeof(*sizes));
    if (sizes == NULL)
        return -ENOMEM;
    int n = r->v->meta->object->part_sizes(r->v->meta, r->node->ino, sizes, r->parts);
    int rc = n < 0 ? n : (unsigned)n < number ? PC_EPART : 0;
    if (rc == 0) {
        *ret_off = 0;
        for (unsigned i = 0; i + 1 < number; i++)
            *ret_off += sizes[i];
        *ret_len = sizes[number - 1];
    }
    mem_free(sizes);
    return rc;
}

int pc_reader_parts(struct pc_reader *r, uint64_t *sizes, unsigned max)
{
    return r->parts == 0 ? 0 : r->v->meta->object->part_sizes(r->v->meta, r->node->ino, sizes, max);
}

void pc_reader_close(struct pc_reader *r)
{
    if (r == NULL)
        return;
    open_node_put(r->v, r->node);
    atomic_store(&r->v->orphans, true);
    mem_free(r);
}

int pc_object_delete(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                     const struct pc_condition *cond, bool *ret_existed)
{
    struct pc_delete item = {.key = key, .len = len};
    bool existed = false;
    int rc = v->meta->object->del(v->meta, bucket, &item, 1, cond, &existed);
    rc = object_durable(v, rc < 0 ? rc : item.result);
    if (rc == 0 && ret_existed != NULL)
        *ret_existed = existed;
    return rc;
}

int pc_objects_delete(struct pc_volume *v, const char *bucket, struct pc_delete *items, size_t n)
{
    return object_durable(v, v->meta->object->del(v->meta, bucket, items, n, NULL, NULL));
}

int pc_object_copy(struct pc_volume *v, const char *src_bucket, const char *src_key, size_t src_len,
                   const char *src_etag, const char *bucket, const char *key, size_t len,
                   const struct pc_headers *headers, const struct pc_condition *cond,
                   struct pc_object *ret)
{
    return pc_version_copy(v, src_bucket, src_key, src_len, NULL, src_etag, bucket, key, len,
                           headers, cond, ret);
}

int pc_object_rename(struct pc_volume *v, const char *bucket, const char *src, size_t src_len,
                     const struct pc_condition *src_cond, const char *dst, size_t dst_len,
                     const struct pc_condition *cond)
{
    const struct meta_key from = {.bucket = bucket, .key = src, .len = src_len};
    const struct meta_key to = {.bucket = bucket, .key = dst, .len = dst_len};
    return object_durable(v, v->meta->object->rename(v->meta, &from, src_cond, &to, cond));
}

int pc_list(struct pc_volume *v, const char *bucket, const struct pc_list *list,
            int (*fn)(void *arg, const struct pc_list_entry *e), void *arg, bool *ret_truncated)
{
    return v->meta->object->list(v->meta, bucket, list, fn, arg, ret_truncated);
}
