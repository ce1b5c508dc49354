/* SPDX-License-Identifier: Apache-2.0 */
/* Content on its way in: small content stays in memory, more goes through a stream; commit makes it an object. */
#include "volume/put.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "pcloud/err.h"

int pc_put_begin(struct pc_volume *v, struct pc_put **ret)
{
    struct pc_put *p = mem_calloc(1, sizeof(*p));
    if (p == NULL)
        return -ENOMEM;
    p->v = v;
    p->pin = meta_pin(v->meta);
    *ret = p;
    return 0;
}

uint64_t pc_put_size(const struct pc_put *p)
{
    return p->size;
}

void pc_put_abort(struct pc_put *p)
{
    if (p == NULL)
        return;
    data_stream_free(p->stream);
    meta_unpin(p->v->meta, p->pin);
    mem_free(p);
}

int pc_put_write(struct pc_put *p, const void *data, size_t len)
{
    if (p->stream == NULL && p->size + len <= META_INLINE_MAX) {
        memcpy(p->small + p->size, data, len);
        p->size += len;
        return 0;
    }
    int rc = 0;
    if (p->stream == NULL) {
        rc = data_stream_new(p->v->data, 0, &p->stream);
        if (rc == 0 && p->size > 0)
            rc = data_stream_write(p->stream, p->small, (size_t)p->size);
    }
    if (rc == 0)
        rc = data_stream_write(p->stream, data, len);
    if (rc == 0)
        p->size += len;
    return rc;
}

int put_content(struct pc_put *p, enum put_form form, struct meta_new *ret)
{
    *ret = (struct meta_new){.size = p->size};
    if (p->stream != NULL) {
        struct meta_slice *slices;
        unsigned n;
        int rc = data_stream_finish(p->stream, &slices, &n);
        if (rc < 0)
            return rc;
        ret->slices = slices;
        ret->n = n;
    } else if (form == PUT_INLINE_OK) {
        ret->inline_data = p->small;
    } else if (p->size > 0) {
        p->one = (struct meta_slice){.pos = 0, .len = (uint32_t)p->size};
        int rc = data_put(p->v->data, p->small, (uint32_t)p->size, &p->one.block);
        if (rc < 0)
            return rc;
        ret->slices = &p->one;
        ret->n = 1;
    }
    return 0;
}

int put_again(struct pc_put *p, const struct meta_new *content, unsigned bad)
{
    if (bad >= content->n)
        return -EIO;
    if (p->stream != NULL)
        return data_stream_redo(p->stream, bad);
    return data_put_again(p->v->data, p->small, (uint32_t)p->size, &p->one.block);
}

int pc_put_commit(struct pc_put *p, const char *bucket, const char *key, size_t len,
                  const char *etag, const struct pc_headers *headers,
                  const struct pc_condition *cond, struct pc_object *ret_object)
{
    struct pc_volume *v = p->v;
    const struct meta_key k = {.bucket = bucket, .key = key, .len = len};
    struct meta_new content;
    struct pc_object made = {0};
    int rc = put_content(p, PUT_INLINE_OK, &content);
    while (rc == 0) {
        unsigned bad = UINT32_MAX;
        rc = v->meta->object->put(v->meta, &k, &content, etag, headers, cond, &made, &bad);
        if (rc != PC_ESTALEREF)
            break;
        rc = put_again(p, &content, bad);
    }
    if (rc == 0) {
        rc = meta_sync(v->meta);
        atomic_store(&v->orphans, true);
        if (rc == 0 && ret_object != NULL)
            *ret_object = made;
        else
            pc_object_fini(&made);
    }
    pc_put_abort(p);
    return rc;
}
