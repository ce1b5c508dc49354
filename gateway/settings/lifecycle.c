/* SPDX-License-Identifier: Apache-2.0 */
/* Lifecycle rules: the document read, checked and written, and what a rule means for an object. */
#include "settings/lifecycle.h"

#include "date.h"
#include "pcloud/err.h"
#include "s3/s3.h"
#include "s3/xml_in.h"
#include "settings/settings.h"
#include "settings/tagging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400
#define DAYS_MAX 36500000

struct reading {
    struct lifecycle *l;
    struct lifecycle_rule now;
    struct lifecycle_move move;
    struct uri_param tag;
    char tag_key[1024], tag_value[2048];
    bool any_status, any_expiration, any_action, in_rule;
};

static int fault(struct reading *r, int code, const char *message)
{
    r->l->message = message;
    return code;
}

static void rule_init(struct lifecycle_rule *r)
{
    *r = (struct lifecycle_rule){.greater = -1,
                                 .less = -1,
                                 .expire = {.days = -1},
                                 .noncurrent_days = -1,
                                 .keep_newer = -1,
                                 .abort_days = -1};
    buf_init(&r->tags, PC_META_MAX);
}

static bool number(const char *text, int64_t max, int64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoll(text, &end, 10);
    return !errno && end != text && !*end && *text != ' ' && *text != '+' && *ret <= max;
}

static int positive(struct reading *r, const char *text, long least, const char *message, long *ret)
{
    int64_t n;

    if (!number(text, DAYS_MAX, &n))
        return S3_EXML;
    if (n < least)
        return fault(r, S3_EARGUMENT, message);
    *ret = (long)n;
    r->any_action = true;
    return 0;
}

/* "2030-01-01T00:00:00Z", with fractions or an offset of zero, or the day alone. */
static int midnight(struct reading *r, const char *text, time_t *ret)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    time_t t;

    if (!end)
        return S3_EXML;
    if (*end == 'T') {
        end = strptime(end, "T%H:%M:%S", &tm);
        if (!end)
            return S3_EXML;
        if (*end == '.')
            end += 1 + strspn(end + 1, "0123456789");
        if (strcmp(end, "Z") != 0 && strcmp(end, "+00:00") != 0 && strcmp(end, "") != 0)
            return S3_EXML;
    } else if (*end) {
        return S3_EXML;
    }
    t = timegm(&tm);
    if (t <= 0 || t % DAY != 0)
        return fault(r, S3_EARGUMENT, "'Date' must be at midnight GMT");
    *ret = t;
    r->any_action = true;
    return 0;
}

static int copy_text(const char *text, size_t len, char *out, size_t cap)
{
    if (len >= cap || memchr(text, '\0', len))
        return S3_EXML;
    memcpy(out, text, len + 1);
    return 0;
}

static int take_size(struct reading *r, const char *text, int64_t *ret)
{
    if (*ret >= 0 || !number(text, INT64_MAX, ret) || *ret < 0)
        return fault(r, S3_EREQUEST, "The object size of a filter is not valid");
    return 0;
}

static int end_tag(struct reading *r)
{
    struct tags one = {.list = {r->tag}, .count = 1};

    if (!r->tag.name || !r->tag.value)
        return S3_EXML;
    if (r->now.tag_count++)
        buf_char(&r->now.tags, '&');
    tags_pack(&one, &r->now.tags);
    r->tag = (struct uri_param){0};
    return r->now.tag_count > TAGS_BUCKET_MAX ? (int)S3_EXML : r->now.tags.err;
}

static int take_filter(struct reading *r, const char *path, const char *text, size_t len)
{
    struct lifecycle_rule *now = &r->now;
    int rc;

    now->has_filter = true;
    if (strcmp(path, "") == 0)
        return 0;
    if (strcmp(path, "/And") == 0)
        return now->has_and = true, 0;
    if (strncmp(path, "/And/", 5) == 0)
        path += 4;
    if (strcmp(path, "/Prefix") == 0)
        return now->has_prefix = true, copy_text(text, len, now->prefix, sizeof now->prefix);
    if (strcmp(path, "/ObjectSizeGreaterThan") == 0)
        return take_size(r, text, &now->greater);
    if (strcmp(path, "/ObjectSizeLessThan") == 0)
        return take_size(r, text, &now->less);
    if (strcmp(path, "/Tag") == 0)
        return end_tag(r);
    if (strcmp(path, "/Tag/Key") == 0) {
        rc = copy_text(text, len, r->tag_key, sizeof r->tag_key);
        r->tag.name = r->tag_key;
        r->tag.name_len = len;
        return len ? rc : (int)S3_EXML;
    }
    if (strcmp(path, "/Tag/Value") == 0) {
        rc = copy_text(text, len, r->tag_value, sizeof r->tag_value);
        r->tag.value = r->tag_value;
        r->tag.value_len = len;
        return rc;
    }
    return S3_EXML;
}

static int take_expiration(struct reading *r, const char *path, const char *text)
{
    struct lifecycle_rule *now = &r->now;

    if (strcmp(path, "/Days") == 0)
        return positive(r, text, 1, "'Days' for Expiration action must be a positive integer",
                        &now->expire.days);
    if (strcmp(path, "/Date") == 0)
        return midnight(r, text, &now->expire.date);
    if (strcmp(path, "/ExpiredObjectDeleteMarker") == 0) {
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return S3_EXML;
        now->marker = *text == 't';
        r->any_action = r->any_expiration = true;
        return 0;
    }
    if (*path)
        return S3_EXML;
    return (now->expire.days >= 0) + (now->expire.date > 0) + r->any_expiration == 1 ? 0
                                                                                     : (int)S3_EXML;
}

static int take_move(struct reading *r, const char *path, const char *text, size_t len,
                     bool noncurrent)
{
    static const char *const classes[] = {"STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
                                          "GLACIER_IR",  "GLACIER",    "DEEP_ARCHIVE"};
    struct lifecycle_rule *now = &r->now;
    unsigned *count = noncurrent ? &now->noncurrent_move_count : &now->move_count;
    struct lifecycle_move *moves = noncurrent ? now->noncurrent_moves : now->moves;

    if (strcmp(path, noncurrent ? "/NoncurrentDays" : "/Days") == 0)
        return positive(r, text, 0, "'Days' for Transition action must not be negative",
                        &r->move.when.days);
    if (!noncurrent && strcmp(path, "/Date") == 0)
        return midnight(r, text, &r->move.when.date);
    if (noncurrent && strcmp(path, "/NewerNoncurrentVersions") == 0)
        return fault(r, S3_ENOTIMPLEMENTED,
                     "NewerNoncurrentVersions of a transition is not implemented.");
    if (strcmp(path, "/StorageClass") == 0)
        return copy_text(text, len, r->move.class, sizeof r->move.class);
    if (*path || *count == LIFECYCLE_MOVES_MAX ||
        (r->move.when.days >= 0) + (r->move.when.date > 0) != 1)
        return S3_EXML;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(classes[i], r->move.class) == 0) {
            moves[(*count)++] = r->move;
            r->move = (struct lifecycle_move){.when = {.days = -1}};
            return 0;
        }
    return S3_EXML;
}

static int take_noncurrent(struct reading *r, const char *path, const char *text)
{
    if (strcmp(path, "/NoncurrentDays") == 0)
        return positive(r, text, 1,
                        "'NoncurrentDays' for NoncurrentVersionExpiration action must be a "
                        "positive integer",
                        &r->now.noncurrent_days);
    if (strcmp(path, "/NewerNoncurrentVersions") == 0)
        return positive(r, text, 1, "'NewerNoncurrentVersions' must be a positive integer",
                        &r->now.keep_newer);
    return *path || (r->now.noncurrent_days < 0 && r->now.keep_newer < 0) ? (int)S3_EXML : 0;
}

static int check_rule(struct reading *r)
{
    struct lifecycle_rule *now = &r->now;
    bool parts = now->greater >= 0 || now->less >= 0;

    if (!r->any_status || (!now->has_prefix && !now->has_filter))
        return S3_EXML;
    if (!r->any_action)
        return fault(r, S3_EREQUEST, "At least one action needs to be specified in a rule");
    if (now->tag_count && now->abort_days >= 0)
        return fault(r, S3_EREQUEST,
                     "AbortIncompleteMultipartUpload cannot be specified with Tags.");
    if (parts && now->abort_days >= 0)
        return fault(r, S3_EREQUEST,
                     "AbortIncompleteMultipartUpload cannot be specified with Object Size.");
    if (now->tag_count && now->marker)
        return fault(r, S3_EREQUEST, "ExpiredObjectDeleteMarker cannot be specified with Tags.");
    if (now->greater >= 0 && now->less >= 0 && now->greater >= now->less)
        return fault(
            r, S3_EREQUEST,
            "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.");
    for (size_t i = 0; i < r->l->count && *now->id; i++)
        if (strcmp(r->l->rules[i].id, now->id) == 0)
            return fault(r, S3_EARGUMENT,
                         "Rule ID must be unique. Found same ID for more than one rule");
    return 0;
}

static int end_rule(struct reading *r)
{
    struct lifecycle *l = r->l;
    uint8_t raw[18];
    int rc = check_rule(r);

    if (rc < 0)
        return rc;
    if (l->count == LIFECYCLE_RULES_MAX)
        return S3_EXML;
    if (l->count == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 4;
        struct lifecycle_rule *rules = realloc(l->rules, cap * sizeof *rules);

        if (!rules)
            return -ENOMEM;
        l->rules = rules;
        l->cap = cap;
    }
    if (!*r->now.id) {
        pc_random(raw, sizeof raw);
        pc_hex(raw, sizeof raw, r->now.id);
    }
    l->rules[l->count++] = r->now;
    rule_init(&r->now);
    r->any_status = r->any_expiration = r->any_action = false;
    return 0;
}

static const char *below(const char *path, const char *name)
{
    size_t len = strlen(name);

    return strncmp(path, name, len) == 0 && (path[len] == '\0' || path[len] == '/') ? path + len
                                                                                    : NULL;
}

static int on_leaf(void *arg, const char *path, const char *text, size_t len)
{
    struct reading *r = arg;
    const char *p;

    if (strcmp(path, "Rule") == 0)
        return end_rule(r);
    if (strncmp(path, "Rule/", 5) != 0)
        return S3_EXML;
    path += 5;
    if (strcmp(path, "ID") == 0) {
        if (len > LIFECYCLE_ID_MAX)
            return fault(r, S3_EARGUMENT, "ID length should not exceed allowed limit of 255");
        return copy_text(text, len, r->now.id, sizeof r->now.id);
    }
    if (strcmp(path, "Status") == 0) {
        r->now.enabled = strcmp(text, "Enabled") == 0;
        r->any_status = r->now.enabled || strcmp(text, "Disabled") == 0;
        return r->any_status ? 0 : (int)S3_EXML;
    }
    if (strcmp(path, "Prefix") == 0) {
        if (r->now.has_filter)
            return S3_EXML;
        r->now.has_prefix = true;
        return copy_text(text, len, r->now.prefix, sizeof r->now.prefix);
    }
    if ((p = below(path, "Filter")))
        return r->now.has_prefix && !r->now.has_filter && !*p ? (int)S3_EXML
                                                              : take_filter(r, p, text, len);
    if ((p = below(path, "Expiration")))
        return take_expiration(r, p, text);
    if ((p = below(path, "NoncurrentVersionExpiration")))
        return take_noncurrent(r, p, text);
    if ((p = below(path, "Transition")))
        return take_move(r, p, text, len, false);
    if ((p = below(path, "NoncurrentVersionTransition")))
        return take_move(r, p, text, len, true);
    if (strcmp(path, "AbortIncompleteMultipartUpload/DaysAfterInitiation") == 0)
        return positive(r, text, 1,
                        "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be "
                        "a positive integer",
                        &r->now.abort_days);
    return strcmp(path, "AbortIncompleteMultipartUpload") == 0 && r->now.abort_days > 0
               ? 0
               : (int)S3_EXML;
}

int lifecycle_parse(const char *data, size_t len, struct lifecycle *ret)
{
    struct reading r = {.l = ret, .move = {.when = {.days = -1}}};
    int rc;

    *ret = (struct lifecycle){0};
    rule_init(&r.now);
    rc = xml_read(data, len, "LifecycleConfiguration", on_leaf, &r);
    buf_fini(&r.now.tags);
    return rc == 0 && ret->count == 0 ? (int)S3_EXML : rc;
}

void lifecycle_fini(struct lifecycle *l)
{
    for (size_t i = 0; i < l->count; i++)
        buf_fini(&l->rules[i].tags);
    free(l->rules);
    l->rules = NULL;
    l->count = l->cap = 0;
}

static bool tags_fit(const struct lifecycle_rule *r, const char *have)
{
    const char *want = buf_text(&r->tags);

    for (unsigned i = 0; i < r->tag_count; i++) {
        size_t len = strcspn(want, "&");
        const char *p = have;

        while (p && (strncmp(p, want, len) != 0 || (p[len] != '&' && p[len] != '\0')))
            p = (p = strchr(p, '&')) ? p + 1 : NULL;
        if (!p)
            return false;
        want += len + (want[len] == '&');
    }
    return true;
}

bool lifecycle_covers(const struct lifecycle_rule *r, const char *key, size_t len, uint64_t size,
                      const struct pc_headers *headers)
{
    size_t prefix = strlen(r->prefix);
    const char *tags;

    if (!r->enabled || len < prefix || memcmp(key, r->prefix, prefix) != 0)
        return false;
    if ((r->greater >= 0 && size <= (uint64_t)r->greater) ||
        (r->less >= 0 && size >= (uint64_t)r->less))
        return false;
    if (r->tag_count == 0)
        return true;
    tags = headers ? pc_headers_get(headers, "tagging") : NULL;
    return tags && tags_fit(r, tags);
}

int64_t lifecycle_due(const struct lifecycle_when *w, time_t since, long day)
{
    if (w->date)
        return w->date;
    if (w->days < 0)
        return INT64_MAX;
    return ((int64_t)since + (int64_t)w->days * day + day - 1) / day * day;
}
