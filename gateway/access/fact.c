/* SPDX-License-Identifier: Apache-2.0 */
/* The values of condition keys: what is known about a request, who asks, and what it is about. */
#include "access/authz.h"

#include "date.h"
#include "s3/s3.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool give(const char *text, struct policy_text *ret)
{
    if (!text)
        return false;
    *ret = (struct policy_text){text, strlen(text)};
    return true;
}

static bool give_param(const struct s3 *s, const char *name, struct policy_text *ret)
{
    const struct uri_param *p = uri_query_param(&s->query, name);

    if (!p)
        return false;
    *ret = (struct policy_text){p->value, p->value_len};
    return true;
}

/* The address without brackets and port. */
static bool give_peer(struct s3 *s, struct policy_text *ret)
{
    const char *peer = s->r->peer, *end = strrchr(peer, ':');
    size_t len = end ? (size_t)(end - peer) : strlen(peer);

    if (len >= 2 && peer[0] == '[' && peer[len - 1] == ']') {
        peer++;
        len -= 2;
    }
    *ret = (struct policy_text){peer, len};
    return len > 0;
}

enum now { NOW_TEXT, NOW_SECONDS };

static bool give_now(struct s3 *s, enum now form, struct policy_text *ret)
{
    struct timespec now;
    char text[DATE_ISO_MAX];

    clock_gettime(CLOCK_REALTIME, &now);
    if (form == NOW_SECONDS)
        return give(req_print(s->r, "%lld", (long long)now.tv_sec), ret);
    date_iso(&now, text);
    return give(req_dup(s->r, text, strlen(text)), ret);
}

/* Decoded and without a slash before the bucket, so that no other spelling of a name slips by. */
static bool give_source(struct s3 *s, struct policy_text *ret)
{
    const char *text = s3_header(s, "x-amz-copy-source");
    size_t len = text ? strlen(text) : 0, n;
    const char *mark = text ? strrchr(text, '?') : NULL;
    char *plain;

    if (!text)
        return false;
    if (mark && strncmp(mark, "?versionId=", 11) == 0)
        len = (size_t)(mark - text);
    plain = req_alloc(s->r, len + 1);
    if (!plain || uri_decode(text, len, URI_PLUS_LITERAL, plain, &n) < 0)
        return give("", ret);
    if (*plain == '/') {
        plain++;
        n--;
    }
    *ret = (struct policy_text){plain, n};
    return true;
}

/* From "a=b&c=d": the value of ${tag}, or with ${tag} NULL the name number ${index}. */
static bool give_tag(struct s3 *s, const char *text, const char *tag, size_t index,
                     struct policy_text *ret)
{
    struct uri_query q;
    const struct uri_param *p;
    bool found = false;

    if (!text || uri_query_parse(text, strlen(text), &q) < 0)
        return false;
    p = tag ? uri_query_param(&q, tag) : index < q.count ? &q.params[index] : NULL;
    if (p) {
        const char *from = tag ? p->value : p->name;
        size_t len = tag ? p->value_len : p->name_len;
        char *copy = req_dup(s->r, from, len);

        *ret = (struct policy_text){copy, len};
        found = copy != NULL;
    }
    uri_query_fini(&q);
    return found;
}

static const char *asked_tags(const struct s3 *s)
{
    return s->access.tags ? s->access.tags : s3_header(s, "x-amz-tagging");
}

static bool give_list_param(const struct question *q, const char *name, struct policy_text *ret)
{
    const char *op = q->s->op->name;

    if (q->prefix) {
        *ret = (struct policy_text){q->prefix, q->prefix_len};
        return strcmp(name, "prefix") == 0;
    }
    if (strcmp(op, "ListObjects") != 0 && strcmp(op, "ListObjectVersions") != 0 &&
        strcmp(op, "ListMultipartUploads") != 0)
        return false;
    return give_param(q->s, name, ret);
}

static const char *bucket_owner_id(const struct question *q)
{
    struct pc_user u;

    s3_owner(q->s, q->access->info->owner, &u);
    return req_dup(q->s->r, u.id, strlen(u.id));
}

/* About who asks. */
static bool give_who(const struct question *q, const char *name, struct policy_text *ret)
{
    struct s3 *s = q->s;

    if (strcmp(name, "principaltype") == 0)
        return give(s->anonymous ? "Anonymous" : "User", ret);
    if (strcmp(name, "userid") == 0)
        return give(s->anonymous ? "anonymous" : s->user.id, ret);
    if (strcmp(name, "principalisawsservice") == 0 || strcmp(name, "viaawsservice") == 0)
        return give("false", ret);
    if (s->anonymous)
        return false;
    if (strcmp(name, "username") == 0)
        return give(s->user.name, ret);
    if (strcmp(name, "principalaccount") == 0)
        return give(s->user.id, ret);
    if (strcmp(name, "principalarn") == 0)
        return give(req_print(s->r, "arn:aws:iam::%s:user/%s", s->user.id, s->user.name), ret);
    return false;
}

static bool give_aws(const struct question *q, const char *name, struct policy_text *ret)
{
    struct s3 *s = q->s;

    if (strcmp(name, "sourceip") == 0)
        return give_peer(s, ret);
    if (strcmp(name, "securetransport") == 0)
        return give(s->r->scheme == REQ_HTTPS ? "true" : "false", ret);
    if (strcmp(name, "referer") == 0)
        return give(s3_header(s, "Referer"), ret);
    if (strcmp(name, "useragent") == 0)
        return give(s3_header(s, "User-Agent"), ret);
    if (strcmp(name, "currenttime") == 0)
        return give_now(s, NOW_TEXT, ret);
    if (strcmp(name, "epochtime") == 0)
        return give_now(s, NOW_SECONDS, ret);
    if (strcmp(name, "requestedregion") == 0)
        return give(s->gw->region, ret);
    if (strcmp(name, "resourceaccount") == 0)
        return give(bucket_owner_id(q), ret);
    return give_who(q, name, ret);
}

static bool give_signature(struct s3 *s, const char *name, struct policy_text *ret)
{
    struct timespec now;

    if (s->anonymous)
        return false;
    if (strcmp(name, "authtype") == 0)
        return give(s->sig.presigned ? "REST-QUERY-STRING" : "REST-HEADER", ret);
    if (strcmp(name, "signatureversion") == 0)
        return give(*s->sig.region ? SIGV4_ALGORITHM : "AWS", ret);
    if (strcmp(name, "signatureage") != 0 || !s->sig.presigned)
        return false;
    clock_gettime(CLOCK_REALTIME, &now);
    return give(req_print(s->r, "%lld", (long long)(now.tv_sec - s->sig.when) * 1000), ret);
}

static bool give_lock(struct s3 *s, const char *name, struct policy_text *ret)
{
    char header[64];

    snprintf(header, sizeof header, "x-amz-%s", name);
    return give(s3_header(s, header), ret);
}

static bool give_s3(const struct question *q, const char *name, size_t index,
                    struct policy_text *ret)
{
    struct s3 *s = q->s;
    static const char existing[] = "existingobjecttag/", requested[] = "requestobjecttag/";

    if (strncmp(name, existing, sizeof existing - 1) == 0)
        return q->object && index == 0 &&
               give_tag(s, pc_headers_get(&q->object->headers, "tagging"),
                        name + sizeof existing - 1, 0, ret);
    if (strcmp(name, "requestobjecttagkeys") == 0)
        return give_tag(s, asked_tags(s), NULL, index, ret);
    if (index > 0)
        return false;
    if (strncmp(name, requested, sizeof requested - 1) == 0)
        return give_tag(s, asked_tags(s), name + sizeof requested - 1, 0, ret);
    if (strcmp(name, "prefix") == 0 || strcmp(name, "delimiter") == 0 ||
        strcmp(name, "max-keys") == 0)
        return give_list_param(q, name, ret);
    if (strcmp(name, "versionid") == 0)
        return give_param(s, "versionId", ret);
    if (strcmp(name, "x-amz-copy-source") == 0)
        return give_source(s, ret);
    if (strncmp(name, "x-amz-", 6) == 0)
        return give(s3_header(s, name), ret);
    if (strncmp(name, "if-", 3) == 0)
        return give(s3_header(s, name), ret);
    if (strncmp(name, "object-lock-", 12) == 0)
        return give_lock(s, name, ret);
    if (strcmp(name, "objectcreationoperation") == 0)
        return give(s->op->name, ret);
    if (strcmp(name, "resourceaccount") == 0)
        return give(bucket_owner_id(q), ret);
    return give_signature(s, name, ret);
}

bool fact_value(void *arg, const char *name, size_t index, struct policy_text *ret)
{
    const struct question *q = arg;

    if (strncmp(name, "s3:", 3) == 0)
        return give_s3(q, name + 3, index, ret);
    if (index > 0 || strncmp(name, "aws:", 4) != 0)
        return false;
    return give_aws(q, name + 4, ret);
}
