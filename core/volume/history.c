/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of objects over the engine. */
#include "pcloud/history.h"

#include "volume/object.h"

static struct meta_key version_key(const char *bucket, const char *key, size_t len, const char *id)
{
    return (struct meta_key){.bucket = bucket, .key = key, .len = len, .version = id};
}

int pc_versioning_set(struct pc_volume *v, const char *bucket, enum pc_versioning state)
{
    return object_durable(v, v->meta->object->versioning_set(v->meta, bucket, state));
}

int pc_locking_set(struct pc_volume *v, const char *bucket)
{
    return object_durable(v, v->meta->object->locking_set(v->meta, bucket));
}

int pc_version_head(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                    const char *id, struct pc_object *ret)
{
    const struct meta_key k = version_key(bucket, key, len, id);
    return v->meta->object->get(v->meta, &k, ret);
}

int pc_version_open(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                    const char *id, struct pc_object *ret, struct pc_reader **ret_reader)
{
    const struct meta_key k = version_key(bucket, key, len, id);
    return reader_open(v, &k, ret, ret_reader);
}

int pc_version_annotate(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                        const char *id, const struct pc_headers *change)
{
    const struct meta_key k = version_key(bucket, key, len, id);
    return object_durable(v, v->meta->object->annotate(v->meta, &k, change));
}

int pc_version_copy(struct pc_volume *v, const char *src_bucket, const char *src_key,
                    size_t src_len, const char *src_id, const char *src_etag, const char *bucket,
                    const char *key, size_t len, const struct pc_headers *headers,
                    const struct pc_condition *cond, struct pc_object *ret)
{
    const struct meta_key src = version_key(src_bucket, src_key, src_len, src_id);
    const struct meta_key dst = {.bucket = bucket, .key = key, .len = len};
    struct pc_object made = {0};
    int rc = object_durable(
        v, v->meta->object->copy(v->meta, &src, src_etag, &dst, headers, cond, &made));
    if (rc == 0 && ret != NULL)
        *ret = made;
    else
        pc_object_fini(&made);
    return rc;
}

int pc_version_part_copy(struct pc_volume *v, const char *src_bucket, const char *src_key,
                         size_t src_len, const char *src_id, uint64_t off, uint64_t size,
                         const char *bucket, const char *key, size_t len, const char *id,
                         struct pc_part *part)
{
    const struct meta_key src = version_key(src_bucket, src_key, src_len, src_id);
    const struct meta_key dst = {.bucket = bucket, .key = key, .len = len};
    return part_copy(v, &src, off, size, &dst, id, part);
}

int pc_version_delete(struct pc_volume *v, const char *bucket, struct pc_delete *item,
                      const struct pc_condition *cond)
{
    item->cond = cond;
    int rc = v->meta->object->del(v->meta, bucket, item, 1, NULL, NULL);
    return object_durable(v, rc < 0 ? rc : item->result);
}

int pc_version_retain(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                      const char *id, enum pc_lock_mode mode, int64_t until_ms, bool bypass)
{
    const struct meta_key k = version_key(bucket, key, len, id);
    return object_durable(v, v->meta->object->retain(v->meta, &k, mode, until_ms, bypass));
}

int pc_version_hold(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                    const char *id, bool on)
{
    const struct meta_key k = version_key(bucket, key, len, id);
    return object_durable(v, v->meta->object->hold(v->meta, &k, on));
}

int pc_version_list(struct pc_volume *v, const char *bucket, const struct pc_version_list *list,
                    int (*fn)(void *arg, const struct pc_version_entry *e), void *arg,
                    bool *ret_truncated)
{
    return v->meta->object->version_list(v->meta, bucket, list, fn, arg, ret_truncated);
}
