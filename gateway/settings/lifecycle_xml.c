/* SPDX-License-Identifier: Apache-2.0 */
/* Lifecycle rules written as their document, kept with a bucket, and told with its objects. */
#include "date.h"
#include "pcloud/err.h"
#include "s3/s3.h"
#include "settings/lifecycle.h"
#include "settings/settings.h"
#include "settings/tagging.h"

#include <stdlib.h>
#include <string.h>

#define DAY 86400

static void date_element(struct buf *b, time_t t)
{
    struct timespec ts = {.tv_sec = t};

    xml_time(b, "Date", &ts);
}

static void tags_element(struct buf *b, const struct lifecycle_rule *r)
{
    struct uri_query q = {.count = 0};

    if (r->tag_count && tags_unpack(buf_text(&r->tags), &q) < 0)
        b->err = -ENOMEM; /* we packed them: nothing else can be wrong */
    for (size_t i = 0; i < q.count; i++) {
        xml_open(b, "Tag");
        xml_key(b, "Key", q.params[i].name, q.params[i].name_len, XML_PLAIN);
        xml_key(b, "Value", q.params[i].value, q.params[i].value_len, XML_PLAIN);
        xml_close(b, "Tag");
    }
    uri_query_fini(&q);
}

static void filter_element(struct buf *b, const struct lifecycle_rule *r)
{
    if (!r->has_filter) {
        xml_str(b, "Prefix", r->prefix);
        return;
    }
    xml_open(b, "Filter");
    if (r->has_and)
        xml_open(b, "And");
    if (r->has_prefix)
        xml_str(b, "Prefix", r->prefix);
    tags_element(b, r);
    if (r->greater >= 0)
        xml_num(b, "ObjectSizeGreaterThan", (uint64_t)r->greater);
    if (r->less >= 0)
        xml_num(b, "ObjectSizeLessThan", (uint64_t)r->less);
    if (r->has_and)
        xml_close(b, "And");
    xml_close(b, "Filter");
}

static void move_elements(struct buf *b, const char *name, const char *days,
                          const struct lifecycle_move *moves, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        xml_open(b, name);
        if (moves[i].when.date)
            date_element(b, moves[i].when.date);
        else
            xml_num(b, days, (uint64_t)moves[i].when.days);
        xml_str(b, "StorageClass", moves[i].class);
        xml_close(b, name);
    }
}

static void expiration_element(struct buf *b, const struct lifecycle_rule *r)
{
    if (r->expire.days < 0 && !r->expire.date && !r->marker)
        return;
    xml_open(b, "Expiration");
    if (r->expire.days >= 0)
        xml_num(b, "Days", (uint64_t)r->expire.days);
    else if (r->expire.date)
        date_element(b, r->expire.date);
    else
        xml_str(b, "ExpiredObjectDeleteMarker", "true");
    xml_close(b, "Expiration");
}

void lifecycle_xml(const struct lifecycle *l, struct buf *out)
{
    xml_begin(out, "LifecycleConfiguration");
    for (size_t i = 0; i < l->count; i++) {
        const struct lifecycle_rule *r = &l->rules[i];

        xml_open(out, "Rule");
        xml_str(out, "ID", r->id);
        filter_element(out, r);
        xml_str(out, "Status", r->enabled ? "Enabled" : "Disabled");
        expiration_element(out, r);
        move_elements(out, "Transition", "Days", r->moves, r->move_count);
        if (r->noncurrent_days >= 0 || r->keep_newer >= 0) {
            xml_open(out, "NoncurrentVersionExpiration");
            if (r->noncurrent_days >= 0)
                xml_num(out, "NoncurrentDays", (uint64_t)r->noncurrent_days);
            if (r->keep_newer >= 0)
                xml_num(out, "NewerNoncurrentVersions", (uint64_t)r->keep_newer);
            xml_close(out, "NoncurrentVersionExpiration");
        }
        move_elements(out, "NoncurrentVersionTransition", "NoncurrentDays", r->noncurrent_moves,
                      r->noncurrent_move_count);
        if (r->abort_days >= 0) {
            xml_open(out, "AbortIncompleteMultipartUpload");
            xml_num(out, "DaysAfterInitiation", (uint64_t)r->abort_days);
            xml_close(out, "AbortIncompleteMultipartUpload");
        }
        xml_close(out, "Rule");
    }
    xml_close(out, "LifecycleConfiguration");
}

int lifecycle_check(struct s3 *s, struct buf *out)
{
    struct lifecycle l;
    int rc = lifecycle_parse(buf_text(&s->xml), s->xml.len, &l);

    if (rc == 0)
        lifecycle_xml(&l, out);
    else if (l.message)
        rc = s3_fail(s, (enum s3_error)rc, "%s", l.message);
    lifecycle_fini(&l);
    return rc;
}

static void tell(struct s3 *s, const struct lifecycle *l, const struct pc_object *o)
{
    const struct lifecycle_rule *first = NULL;
    int64_t due = INT64_MAX;
    char date[DATE_HTTP_MAX];
    struct buf id;

    for (size_t i = 0; i < l->count; i++) {
        const struct lifecycle_rule *r = &l->rules[i];
        int64_t t = lifecycle_due(&r->expire, o->mtime.tv_sec, DAY);

        if (t < due && lifecycle_covers(r, s->key, s->key_len, crypt_size(&o->headers, o->size),
                                        &o->headers)) {
            due = t;
            first = r;
        }
    }
    if (!first)
        return;
    buf_init(&id, 4 * sizeof first->id);
    uri_encode(&id, first->id, strlen(first->id), URI_SLASH_KEEP);
    date_http((time_t)due, date);
    req_reply_headerf(s->r, "x-amz-expiration", "expiry-date=\"%s\", rule-id=\"%s\"", date,
                      buf_text(&id));
    buf_fini(&id);
}

void lifecycle_reply(struct s3 *s, const struct pc_object *o)
{
    struct lifecycle l;
    char *data;
    size_t len;

    if (!(s->info.settings & 1u << PC_SETTING_LIFECYCLE) ||
        pc_bucket_setting_get(s->gw->volume, s->bucket, PC_SETTING_LIFECYCLE, &data, &len) < 0)
        return;
    if (lifecycle_parse(data, len, &l) == 0)
        tell(s, &l, o);
    lifecycle_fini(&l);
    free(data);
}
