/* SPDX-License-Identifier: Apache-2.0 */
/* Tags: read from headers and XML, checked as S3 does, kept with objects; and the operations on those of objects. */
#include "settings/tagging.h"

#include "history/history.h"
#include "pcloud/err.h"
#include "s3/ops.h"
#include "s3/s3.h"
#include "s3/xml_in.h"

#include <stdlib.h>
#include <string.h>

#define KEY_CHARACTERS 128
#define VALUE_CHARACTERS 256

/* Characters of a text: letters, digits, spaces, + - = . _ : / @ and what is beyond ASCII; -1 if there is another or it is no UTF-8. */
static long characters(const char *text, size_t len)
{
    long n = 0;

    for (size_t i = 0; i < len; n++) {
        unsigned char c = (unsigned char)text[i++];
        unsigned more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;

        if (c < 0x80 && !(c >= '0' && c <= '9') && !((c | 32) >= 'a' && (c | 32) <= 'z') &&
            (c == '\0' || !strchr(" +-=._:/@", c)))
            return -1;
        if ((c >= 0x80 && c < 0xc2) || c > 0xf4)
            return -1;
        for (; more > 0; more--)
            if (i == len || ((unsigned char)text[i++] & 0xc0) != 0x80)
                return -1;
    }
    return n;
}

static int check_one(struct s3 *s, const struct uri_param *t)
{
    long key = characters(t->name, t->name_len), value = characters(t->value, t->value_len);

    if (key < 1 || key > KEY_CHARACTERS)
        return s3_fail(s, S3_ETAG, "The TagKey you have provided is invalid");
    if (value < 0 || value > VALUE_CHARACTERS)
        return s3_fail(s, S3_ETAG, "The TagValue you have provided is invalid");
    if (t->name_len >= 4 && memcmp(t->name, "aws:", 4) == 0)
        return s3_fail(s, S3_ETAG, "System tags cannot be added/updated by requester");
    return 0;
}

static int by_key(const void *a, const void *b)
{
    const struct uri_param *x = a, *y = b;
    size_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
    int rc = memcmp(x->name, y->name, n);

    return rc ? rc : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

static int check(struct s3 *s, struct tags *t, size_t max)
{
    if (t->count > max)
        return s3_fail(s, S3_ETAG, "%s tags cannot be greater than %zu",
                       max == TAGS_OBJECT_MAX ? "Object" : "Bucket", max);
    for (size_t i = 0; i < t->count; i++) {
        int rc = check_one(s, &t->list[i]);

        if (rc < 0)
            return rc;
    }
    qsort(t->list, t->count, sizeof *t->list, by_key);
    for (size_t i = 1; i < t->count; i++)
        if (by_key(&t->list[i - 1], &t->list[i]) == 0)
            return s3_fail(s, S3_ETAG, "Cannot provide multiple Tags with the same key");
    return 0;
}

int tags_from_query(struct s3 *s, const char *text, size_t max, struct tags *ret)
{
    struct uri_query q;
    int rc = uri_query_parse(text, strlen(text), &q);

    ret->count = 0;
    if (rc == PC_EFORMAT || rc == PC_ELIMIT)
        return s3_fail(s, S3_EARGUMENT,
                       "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL "
                       "query parameters without tag name duplicates.");
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < q.count && ret->count <= max; i++) {
        struct uri_param *to = &ret->list[ret->count++], *from = &q.params[i];

        to->name = req_dup(s->r, from->name, from->name_len);
        to->value = req_dup(s->r, from->value, from->value_len);
        to->name_len = from->name_len;
        to->value_len = from->value_len;
        if (!to->name || !to->value)
            rc = -ENOMEM;
    }
    uri_query_fini(&q);
    return rc < 0 ? rc : check(s, ret, max);
}

struct reading {
    struct s3 *s;
    struct tags *tags;
    struct uri_param now;
    size_t max;
    bool set;
};

static int keep(struct s3 *s, const char *text, size_t len, const char **ret, size_t *ret_len)
{
    if (*ret)
        return S3_EXML;
    *ret = req_dup(s->r, text, len);
    *ret_len = len;
    return *ret ? 0 : -ENOMEM;
}

static int on_leaf(void *arg, const char *path, const char *text, size_t len)
{
    struct reading *r = arg;

    if (strcmp(path, "TagSet/Tag/Key") == 0)
        return keep(r->s, text, len, &r->now.name, &r->now.name_len);
    if (strcmp(path, "TagSet/Tag/Value") == 0)
        return keep(r->s, text, len, &r->now.value, &r->now.value_len);
    if (strcmp(path, "TagSet") == 0 && !r->set)
        return r->set = true, 0;
    if (strcmp(path, "TagSet/Tag") != 0 || !r->now.name || !r->now.value)
        return S3_EXML;
    if (r->tags->count <= r->max)
        r->tags->list[r->tags->count++] = r->now;
    r->now = (struct uri_param){0};
    return 0;
}

int tags_from_xml(struct s3 *s, const char *data, size_t len, size_t max, struct tags *ret)
{
    struct reading r = {.s = s, .tags = ret, .max = max};
    int rc;

    ret->count = 0;
    rc = xml_read(data, len, "Tagging", on_leaf, &r);
    if (rc == 0 && !r.set)
        rc = S3_EXML;
    return rc < 0 ? rc : check(s, ret, max);
}

/* As little percent-coding as reading it back needs. */
static void pack(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (strchr("%&=+", text[i]))
            buf_fmt(out, "%%%02X", (unsigned)(unsigned char)text[i]);
        else
            buf_char(out, text[i]);
    }
}

void tags_pack(const struct tags *t, struct buf *out)
{
    for (size_t i = 0; i < t->count; i++) {
        if (i)
            buf_char(out, '&');
        pack(out, t->list[i].name, t->list[i].name_len);
        buf_char(out, '=');
        pack(out, t->list[i].value, t->list[i].value_len);
    }
}

int tags_unpack(const char *packed, struct uri_query *ret)
{
    return uri_query_parse(packed, strlen(packed), ret);
}

void tags_xml(const struct uri_param *list, size_t count, struct buf *out)
{
    xml_begin(out, "Tagging");
    xml_open(out, "TagSet");
    for (size_t i = 0; i < count; i++) {
        xml_open(out, "Tag");
        xml_key(out, "Key", list[i].name, list[i].name_len, XML_PLAIN);
        xml_key(out, "Value", list[i].value, list[i].value_len, XML_PLAIN);
        xml_close(out, "Tag");
    }
    xml_close(out, "TagSet");
    xml_close(out, "Tagging");
}

int tags_collect(struct s3 *s, struct buf *out)
{
    const char *text = s3_header(s, "x-amz-tagging");
    struct tags t;
    int rc;

    if (!text || !*text)
        return 0;
    rc = tags_from_query(s, text, TAGS_OBJECT_MAX, &t);
    if (rc < 0 || t.count == 0)
        return rc;
    buf_add(out, "tagging", sizeof "tagging");
    tags_pack(&t, out);
    buf_char(out, '\0');
    return out->err == PC_ELIMIT ? (int)S3_EMETATOOLARGE : out->err;
}

int op_get_object_tagging(struct s3 *s)
{
    struct uri_query tags = {.count = 0};
    const char *packed;
    struct pc_object o;
    int rc = history_head(s, &o);

    if (rc < 0)
        return rc;
    packed = pc_headers_get(&o.headers, "tagging");
    rc = packed ? tags_unpack(packed, &tags) : 0;
    if (rc == 0)
        tags_xml(tags.params, tags.count, &s->r->reply_body);
    uri_query_fini(&tags);
    pc_object_fini(&o);
    return rc < 0 ? rc : s3_reply_xml(s);
}

static int annotate(struct s3 *s, const struct tags *t)
{
    struct pc_headers change;
    struct buf b;
    int rc;

    buf_init(&b, PC_META_MAX);
    buf_add(&b, "tagging", sizeof "tagging");
    tags_pack(t, &b);
    buf_char(&b, '\0');
    change = (struct pc_headers){b.data, b.len};
    rc = b.err ? b.err : history_annotate(s, &change);
    buf_fini(&b);
    return rc == PC_ELIMIT ? (int)S3_EMETATOOLARGE : rc;
}

int op_put_object_tagging(struct s3 *s)
{
    struct tags t;
    int rc = tags_from_xml(s, buf_text(&s->xml), s->xml.len, TAGS_OBJECT_MAX, &t);

    if (rc == 0)
        rc = annotate(s, &t);
    if (rc == 0)
        s->r->status = 200;
    return rc;
}

int op_delete_object_tagging(struct s3 *s)
{
    struct tags none = {.count = 0};
    int rc = annotate(s, &none);

    if (rc == 0)
        s->r->status = 204;
    return rc;
}
