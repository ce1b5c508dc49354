/* SPDX-License-Identifier: Apache-2.0 */
/* PostObject: a form's fields, who signed them, what they may be; then its file, streamed as the content of a PUT. */
#include "form/post.h"

#include "access/authz.h"
#include "auth/sigv2.h"
#include "form/form.h"
#include "form/form_policy.h"
#include "pcloud/err.h"
#include "pcloud/keys.h"
#include "s3/ops.h"
#include "s3/s3.h"
#include "settings/tagging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct post {
    struct form form;
    struct form_field fields[FORM_FIELDS_MAX];
    size_t count, bytes;
    const char
        *name; /* of the field that is coming; NULL: what comes is the file or does not count */
    struct buf value;
    const char *filename, *host, *path;
    struct form_limits limits;
    enum { POST_FIELDS, POST_FILE, POST_AFTER } stage;
};

static const char *field(const struct post *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcasecmp(p->fields[i].name, name) == 0)
            return p->fields[i].value;
    return NULL;
}

static int lacks(struct s3 *s, const char *name)
{
    return s3_fail(s, S3_EARGUMENT,
                   "Bucket POST must contain a field named '%s'.  If it is specified, please check "
                   "the order of the fields.",
                   name);
}

/* The key, with the file's own name where it says ${filename}. */
static int take_key(struct s3 *s)
{
    static const char mark[] = "${filename}";
    const char *given = field(s->post, "key"), *at = given ? strstr(given, mark) : NULL;
    const char *base = s->post->filename, *slash;
    char *key;

    if (!given || !*given)
        return lacks(s, "key");
    while (base && (slash = strpbrk(base, "/\\")))
        base = slash + 1;
    key = at ? req_print(s->r, "%.*s%s%s", (int)(at - given), given, base ? base : "",
                         at + sizeof mark - 1)
             : req_dup(s->r, given, strlen(given));
    if (!key)
        return -ENOMEM;
    s->key = key;
    s->key_len = strlen(key);
    s->level = S3_OBJECT;
    if (s->key_len == 0)
        return lacks(s, "key");
    return s->key_len > PC_KEY_MAX ? (int)S3_EKEYTOOLONG : 0;
}

static int check_v2(struct s3 *s, const char *policy)
{
    const char *access = field(s->post, "AWSAccessKeyId"), *signature = field(s->post, "signature");
    char want[SIGV2_SIGNATURE_MAX];
    struct pc_access_key key;
    int rc;

    if (!access || !signature)
        return lacks(s, access ? "signature" : "AWSAccessKeyId");
    if (s->gw->sigv2 == SIGV2_OFF)
        return s3_fail(s, S3_EREQUEST,
                       "The authorization mechanism you have provided is not supported. Please use "
                       "AWS4-HMAC-SHA256.");
    rc = auth_key(s, access, &key);
    if (rc < 0)
        return rc;
    rc = sigv2_sign(key.secret_key, policy, strlen(policy), want);
    pc_wipe(key.secret_key, sizeof key.secret_key);
    if (rc < 0)
        return rc;
    return strlen(signature) == strlen(want) && pc_equal(signature, want, strlen(want))
               ? 0
               : (int)S3_ESIGNATURE;
}

/* The fields as the parameters of a presigned URL, which have the same names and rules. */
static int read_v4(struct s3 *s)
{
    static const char *const names[] = {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date",
                                        "X-Amz-Signature"};
    struct uri_query q = {.count = 0};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *v = field(s->post, names[i]);

        if (!v)
            return lacks(s, names[i]);
        q.params[q.count++] = (struct uri_param){names[i], v, strlen(names[i]), strlen(v)};
    }
    q.params[q.count++] = (struct uri_param){"X-Amz-Expires", "1", 13, 1};
    q.params[q.count++] = (struct uri_param){"X-Amz-SignedHeaders", "host", 19, 4};
    if (sigv4_from_query(&q, &s->sig) != SIGV4_OK)
        return s3_fail(s, S3_EARGUMENT, "The signature's fields of the form are malformed.");
    s->sig.presigned = false;
    if (strcmp(s->sig.region, s->gw->region) != 0)
        return s3_fail(s, S3_EARGUMENT,
                       "The region '%s' of the credential is wrong; expecting '%s'", s->sig.region,
                       s->gw->region);
    return 0;
}

static int check_v4(struct s3 *s, const char *policy)
{
    unsigned char signing[32];
    struct pc_access_key key;
    char want[65];
    int rc = read_v4(s);

    if (rc == 0)
        rc = auth_key(s, s->sig.access_key, &key);
    if (rc < 0)
        return rc;
    sigv4_key(&s->sig, key.secret_key, signing);
    pc_wipe(key.secret_key, sizeof key.secret_key);
    sigv4_sign(signing, policy, strlen(policy), want);
    pc_wipe(signing, sizeof signing);
    return pc_equal(want, s->sig.signature, 64) ? 0 : (int)S3_ESIGNATURE;
}

/* Who signed the policy, and whether the fields keep it. Without a policy nobody did. */
static int check_policy(struct s3 *s)
{
    struct post *p = s->post;
    const char *policy = field(p, "policy");
    char *json, message[256];
    int len, rc;

    if (!policy)
        return 0;
    s->anonymous = false;
    rc = field(p, "x-amz-algorithm") || field(p, "x-amz-signature") ? check_v4(s, policy)
                                                                    : check_v2(s, policy);
    if (rc < 0)
        return rc;
    json = req_alloc(s->r, strlen(policy) + 1);
    if (!json)
        return -ENOMEM;
    len = pc_unbase64(policy, strlen(policy), json, strlen(policy));
    if (len < 0)
        return s3_fail(s, S3_EFORMPOLICY, "Invalid Policy: Invalid base64.");
    for (size_t i = 0; i < p->count; i++)
        if (strcasecmp(p->fields[i].name, "key") == 0)
            p->fields[i].value = s->key;
    rc = form_policy_check(json, (size_t)len, time(NULL), s->bucket, p->fields, p->count,
                           &p->limits, message);
    return rc < 0 ? s3_fail(s, (enum s3_error)rc, "%s", message) : 0;
}

/* The header that a field stands for, or NULL. */
static const char *header_for(const char *name)
{
    static const struct {
        const char *field, *header;
    } map[] = {{"acl", "x-amz-acl"},
               {"cache-control", "Cache-Control"},
               {"content-disposition", "Content-Disposition"},
               {"content-encoding", "Content-Encoding"},
               {"content-language", "Content-Language"},
               {"content-md5", "Content-MD5"},
               {"content-type", "Content-Type"},
               {"expires", "Expires"}};

    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        if (strcasecmp(name, map[i].field) == 0)
            return map[i].header;
    return s3_hoisted(name) || strncasecmp(name, "x-amz-checksum-", 15) == 0 ||
                   strncasecmp(name, "x-amz-server-side-encryption-customer-", 38) == 0
               ? name
               : NULL;
}

/* A Tagging document as the header that says the same. */
static int tag_header(struct s3 *s, const char *xml, struct header *ret)
{
    struct tags t;
    struct buf b;
    int rc = tags_from_xml(s, xml, strlen(xml), TAGS_OBJECT_MAX, &t);

    if (rc < 0)
        return rc;
    buf_init(&b, PC_META_MAX);
    tags_pack(&t, &b);
    *ret = (struct header){"x-amz-tagging", req_dup(s->r, buf_text(&b), b.len)};
    rc = b.err;
    buf_fini(&b);
    return rc < 0 ? rc : ret->value ? 0 : -ENOMEM;
}

/* From here on the form's fields are the request's headers. */
static int become_put(struct s3 *s)
{
    struct req *r = s->r;
    struct post *p = s->post;
    size_t n = 0;
    int rc = 0;

    p->host = s3_header(s, "Host");
    for (size_t i = 0; rc == 0 && i < p->count && n < REQ_HEADERS_MAX; i++) {
        const char *name = header_for(p->fields[i].name);

        if (strcasecmp(p->fields[i].name, "tagging") == 0)
            rc = tag_header(s, p->fields[i].value, &r->headers[n++]);
        else if (name)
            r->headers[n++] = (struct header){name, p->fields[i].value};
    }
    r->header_count = n;
    return rc;
}

static int begin_file(struct s3 *s)
{
    static const struct s3_op put = {"PutObject", S3_WRITE, S3_BODY_OBJECT, NULL, op_post_object};
    int rc = take_key(s);

    s->post->stage = POST_FILE;
    if (rc == 0)
        rc = check_policy(s);
    if (rc == 0)
        rc = become_put(s);
    if (rc == 0)
        rc = authz_form(s);
    if (rc == 0)
        rc = crypt_parse(s);
    if (rc < 0)
        return rc;
    s->op = &put;
    rc = op_put_object_begin(s);
    return rc < 0 ? rc : body_open_object(s);
}

static int on_begin(void *arg, const char *name, const char *filename, const char *type)
{
    struct s3 *s = arg;
    struct post *p = s->post;

    (void)type; /* the field Content-Type says it */
    p->name = NULL;
    if (p->stage != POST_FIELDS)
        return 0;
    if (strcasecmp(name, "file") == 0) {
        p->filename = filename ? req_dup(s->r, filename, strlen(filename)) : NULL;
        return filename && !p->filename ? -ENOMEM : begin_file(s);
    }
    p->bytes += strlen(name);
    if (p->count == FORM_FIELDS_MAX || p->bytes > FORM_FIELDS_BYTES)
        return S3_EFIELDS;
    p->name = req_dup(s->r, name, strlen(name));
    buf_reset(&p->value);
    return p->name ? 0 : -ENOMEM;
}

static int on_data(void *arg, const void *data, size_t len)
{
    struct s3 *s = arg;
    struct post *p = s->post;

    if (p->stage == POST_FILE) {
        return len > p->limits.max || s->taken > p->limits.max - len ? (int)S3_ETOOLARGE
                                                                     : body_take(s, data, len);
    }
    if (!p->name)
        return 0;
    p->bytes += len;
    if (p->bytes > FORM_FIELDS_BYTES)
        return S3_EFIELDS;
    buf_add(&p->value, data, len);
    return p->value.err;
}

static int on_end(void *arg)
{
    struct s3 *s = arg;
    struct post *p = s->post;
    char *value;

    if (p->stage == POST_FILE)
        p->stage = POST_AFTER;
    if (!p->name)
        return 0;
    value = req_dup(s->r, buf_text(&p->value), p->value.len);
    if (!value)
        return -ENOMEM;
    if (strlen(value) != p->value.len)
        return S3_EFORM;
    p->fields[p->count++] = (struct form_field){p->name, value};
    p->name = NULL;
    return 0;
}

int post_open(struct s3 *s)
{
    struct post *p = calloc(1, sizeof *p);

    if (!p)
        return -ENOMEM;
    s->post = p;
    p->limits.max = UINT64_MAX;
    buf_init(&p->value, FORM_FIELDS_BYTES);
    if (form_init(&p->form, s3_header(s, "Content-Type")) < 0)
        return s3_fail(s, S3_EPRECONDITION,
                       "Bucket POST must be of the enclosure-type multipart/form-data");
    return s->r->length != REQ_LENGTH_NONE && s->r->length > S3_OBJECT_MAX + (1u << 20)
               ? (int)S3_ETOOLARGE
               : 0;
}

void post_fini(struct s3 *s)
{
    if (s->post)
        buf_fini(&s->post->value);
    free(s->post);
    s->post = NULL;
}

int post_feed(struct s3 *s, const void *data, size_t len)
{
    const struct form_sink sink = {on_begin, on_data, on_end, s};
    int rc = form_feed(&s->post->form, &sink, data, len);

    return rc == PC_EFORMAT || rc == PC_ELIMIT ? (int)S3_EFORM : rc;
}

int post_close(struct s3 *s)
{
    struct post *p = s->post;

    if (!form_whole(&p->form))
        return S3_EFORM;
    if (p->stage == POST_FIELDS)
        return s3_fail(s, S3_EARGUMENT, "POST requires exactly one file upload per request.");
    return s->taken < p->limits.min ? (int)S3_ETOOSMALL : 0;
}

static void reply_created(struct s3 *s, const char *location, const char *etag)
{
    struct buf *b = &s->r->reply_body;

    s->r->status = 201;
    req_reply_header(s->r, "Content-Type", "application/xml");
    buf_str(b, XML_PROLOG "<PostResponse>");
    xml_str(b, "Location", location);
    xml_str(b, "Bucket", s->bucket);
    xml_key(b, "Key", s->key, s->key_len, XML_PLAIN);
    xml_etag(b, etag);
    buf_str(b, "</PostResponse>");
}

/* A page of http or https, to which what was made is told. */
static int reply_redirect(struct s3 *s, const char *to, const char *etag)
{
    struct buf b;
    int rc;

    buf_init(&b, 16384);
    buf_fmt(&b, "%s%cbucket=", to, strchr(to, '?') ? '&' : '?');
    uri_encode(&b, s->bucket, strlen(s->bucket), URI_SLASH_ENCODE);
    buf_str(&b, "&key=");
    uri_encode(&b, s->key, s->key_len, URI_SLASH_ENCODE);
    buf_fmt(&b, "&etag=%%22%s%%22", etag);
    s->r->status = 303;
    req_reply_header(s->r, "Location", buf_text(&b));
    rc = b.err;
    buf_fini(&b);
    return rc;
}

int op_post_object(struct s3 *s)
{
    const char *to = field(s->post, "success_action_redirect"),
               *status = field(s->post, "success_action_status");
    struct buf location;
    const char *etag = s->etag;
    int rc = op_put_object(s);

    if (rc < 0)
        return rc;
    to = to ? to : field(s->post, "redirect");
    if (to && (strncasecmp(to, "http://", 7) == 0 || strncasecmp(to, "https://", 8) == 0))
        return reply_redirect(s, to, etag);
    buf_init(&location, 8192);
    buf_fmt(&location, "%s://%s/", s->r->scheme == REQ_HTTPS ? "https" : "http",
            s->post->host ? s->post->host : "");
    if (!s->host_style)
        buf_fmt(&location, "%s/", s->bucket);
    uri_encode(&location, s->key, s->key_len, URI_SLASH_KEEP);
    req_reply_header(s->r, "Location", buf_text(&location));
    s->r->status = status && strcmp(status, "200") == 0 ? 200 : 204;
    if (status && strcmp(status, "201") == 0)
        reply_created(s, buf_text(&location), etag);
    buf_fini(&location);
    return s->r->reply_body.err;
}
