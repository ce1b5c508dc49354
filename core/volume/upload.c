/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart uploads over the engine: parts are nodes of their own until completion makes them one object. */
#include "pcloud/upload.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "volume/object.h"
#include "volume/put.h"

#define COPY_BUFFER (256u << 10)

void pc_upload_fini(struct pc_upload *u)
{
    mem_free((void *)(uintptr_t)u->key);
    mem_free((void *)(uintptr_t)u->headers.data);
    u->key = NULL;
    u->headers = (struct pc_headers){0};
}

int pc_upload_create(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                     const char *owner, const struct pc_headers *headers,
                     char ret_id[PC_UPLOAD_ID_MAX])
{
    const struct meta_key k = {.bucket = bucket, .key = key, .len = len};
    int rc = v->meta->object->upload_create(v->meta, &k, owner, headers, ret_id);
    return rc < 0 ? rc : meta_sync(v->meta);
}

int pc_upload_get(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                  const char *id, struct pc_upload *ret)
{
    const struct meta_key k = {.bucket = bucket, .key = key, .len = len};
    return v->meta->object->upload_get(v->meta, &k, id, ret);
}

int pc_put_commit_part(struct pc_put *p, const char *bucket, const char *key, size_t len,
                       const char *id, struct pc_part *part)
{
    struct pc_volume *v = p->v;
    const struct meta_key k = {.bucket = bucket, .key = key, .len = len};
    struct meta_new content;
    int rc = part->number == 0 || part->number > PC_PARTS_MAX
                 ? -EINVAL
                 : put_content(p, PUT_BLOCKS, &content);
    while (rc == 0) {
        unsigned bad = UINT32_MAX;
        rc = v->meta->object->part_put(v->meta, &k, id, &content, part, &bad);
        if (rc != PC_ESTALEREF)
            break;
        rc = put_again(p, &content, bad);
    }
    if (rc == 0)
        rc = meta_sync(v->meta);
    pc_put_abort(p);
    return rc;
}

/* "x-amz-checksum-crc32=": the checksum that the part is to have; -1: none. */
static int checksum_asked(const char *text)
{
    static const struct {
        const char *text;
        enum pc_digest_kind kind;
    } kinds[] = {{"x-amz-checksum-crc32=", PC_CRC32},
                 {"x-amz-checksum-crc32c=", PC_CRC32C},
                 {"x-amz-checksum-crc64nvme=", PC_CRC64NVME},
                 {"x-amz-checksum-sha1=", PC_SHA1},
                 {"x-amz-checksum-sha256=", PC_SHA256}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(text, kinds[i].text) == 0)
            return (int)kinds[i].kind;
    return -1;
}

static void checksum_end(struct pc_digest *sum, int kind, struct pc_part *part)
{
    uint8_t raw[PC_DIGEST_MAX];

    pc_digest_final(sum, raw);
    pc_base64(raw, pc_digest_size((enum pc_digest_kind)kind),
              part->checksum + strlen(part->checksum));
}

static int copy_range(struct pc_reader *r, struct pc_put *p, struct pc_digest *md5,
                      struct pc_digest *sum, uint64_t off, uint64_t size)
{
    uint8_t *buf = mem_alloc(COPY_BUFFER);
    if (buf == NULL)
        return -ENOMEM;
    int rc = 0;
    while (size > 0 && rc == 0) {
        ssize_t n = pc_reader_read(r, buf, size < COPY_BUFFER ? (size_t)size : COPY_BUFFER, off);
        if (n <= 0) {
            rc = n < 0 ? (int)n : -EIO;
            break;
        }
        pc_digest_update(md5, buf, (size_t)n);
        if (sum != NULL)
            pc_digest_update(sum, buf, (size_t)n);
        rc = pc_put_write(p, buf, (size_t)n);
        off += (uint64_t)n;
        size -= (uint64_t)n;
    }
    mem_free(buf);
    return rc;
}

int part_copy(struct pc_volume *v, const struct meta_key *src, uint64_t off, uint64_t size,
              const struct meta_key *dst, const char *id, struct pc_part *part)
{
    struct pc_object o;
    struct pc_reader *r;
    int rc = reader_open(v, src, &o, &r);
    if (rc < 0)
        return rc;
    if (size == UINT64_MAX && off <= o.size)
        size = o.size - off;
    struct pc_put *p = NULL;
    int kind = checksum_asked(part->checksum);
    struct pc_digest *md5 = pc_digest_new(PC_MD5),
                     *sum = kind < 0 ? NULL : pc_digest_new((enum pc_digest_kind)kind);
    rc = md5 == NULL || (kind >= 0 && sum == NULL) ? -ENOMEM
         : off > o.size || size > o.size - off     ? -EINVAL
                                                   : pc_put_begin(v, &p);
    if (rc == 0)
        rc = copy_range(r, p, md5, sum, off, size);
    if (rc == 0) {
        uint8_t raw[PC_DIGEST_MAX];
        pc_digest_final(md5, raw);
        pc_hex(raw, pc_digest_size(PC_MD5), part->etag);
        if (sum != NULL)
            checksum_end(sum, kind, part);
        rc = pc_put_commit_part(p, dst->bucket, dst->key, dst->len, id, part);
    } else {
        pc_put_abort(p);
    }
    pc_digest_free(sum);
    pc_digest_free(md5);
    pc_reader_close(r);
    pc_object_fini(&o);
    return rc;
}

int pc_part_copy(struct pc_volume *v, const char *src_bucket, const char *src_key, size_t src_len,
                 uint64_t off, uint64_t size, const char *bucket, const char *key, size_t len,
                 const char *id, struct pc_part *part)
{
    const struct meta_key src = {.bucket = src_bucket, .key = src_key, .len = src_len};
    const struct meta_key dst = {.bucket = bucket, .key = key, .len = len};
    return part_copy(v, &src, off, size, &dst, id, part);
}

int pc_upload_parts(struct pc_volume *v, const char *id, unsigned after, unsigned max,
                    int (*fn)(void *arg, const struct pc_part *p), void *arg, bool *ret_truncated)
{
    return v->meta->object->part_list(v->meta, id, after, max, fn, arg, ret_truncated);
}

int pc_upload_complete(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                       const char *id, const struct pc_part *parts, size_t n, const char *etag,
                       const struct pc_headers *headers, const struct pc_condition *cond,
                       struct pc_object *ret)
{
    const struct meta_key k = {.bucket = bucket, .key = key, .len = len};
    struct pc_object made = {0};
    int rc =
        v->meta->object->upload_complete(v->meta, &k, id, parts, n, etag, headers, cond, &made);
    if (rc == 0) {
        atomic_store(&v->orphans, true);
        rc = meta_sync(v->meta);
    }
    if (rc == 0 && ret != NULL)
        *ret = made;
    else
        pc_object_fini(&made);
    return rc;
}

int pc_upload_abort(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                    const char *id)
{
    const struct meta_key k = {.bucket = bucket, .key = key, .len = len};
    int rc = v->meta->object->upload_abort(v->meta, &k, id);
    atomic_store(&v->orphans, true);
    return rc < 0 ? rc : meta_sync(v->meta);
}

int pc_upload_list(struct pc_volume *v, const char *bucket, const struct pc_upload_list *list,
                   int (*fn)(void *arg, const struct pc_upload *u, const char *key, size_t len),
                   void *arg, bool *ret_truncated)
{
    return v->meta->object->upload_list(v->meta, bucket, list, fn, arg, ret_truncated);
}
