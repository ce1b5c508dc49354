/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of buckets: got, checked and set, taken away; one row says all that is special to one of them. */
#include "settings/settings.h"

#include "pcloud/err.h"
#include "s3/ops.h"
#include "s3/s3.h"
#include "settings/tagging.h"
#include "s3/xml_in.h"

#include <stdlib.h>
#include <string.h>

#define NS " xmlns=\"" XML_NAMESPACE "\""

static int check_tagging(struct s3 *s, struct buf *out)
{
    struct tags t;
    int rc = tags_from_xml(s, buf_text(&s->xml), s->xml.len, TAGS_BUCKET_MAX, &t);

    if (rc == 0)
        tags_xml(t.list, t.count, out);
    return rc;
}

/* What only needs to be well-formed and small stays as it came. */
static int keep(struct s3 *s, struct buf *out)
{
    buf_add(out, buf_text(&s->xml), s->xml.len);
    return 0;
}

struct website {
    bool index, redirect, rules;
    int bad;
};

static int take_website(void *arg, const char *path, const char *text, size_t len)
{
    struct website *w = arg;

    if (strcmp(path, "IndexDocument/Suffix") == 0) {
        w->index = true;
        w->bad |= len == 0 || memchr(text, '/', len) != NULL;
    } else if (strcmp(path, "RedirectAllRequestsTo/HostName") == 0) {
        w->redirect = len > 0;
    } else if (strncmp(path, "RedirectAllRequestsTo", 21) != 0 &&
               strncmp(path, "IndexDocument", 13) != 0) {
        w->rules = true;
        return strncmp(path, "ErrorDocument", 13) == 0 || strncmp(path, "RoutingRules", 12) == 0
                   ? 0
                   : (int)S3_EXML;
    }
    return 0;
}

static int check_website(struct s3 *s, struct buf *out)
{
    struct website w = {0};
    int rc = xml_read(buf_text(&s->xml), s->xml.len, "WebsiteConfiguration", take_website, &w);

    if (rc < 0)
        return rc;
    if (w.bad)
        return s3_fail(s, S3_EARGUMENT, "The IndexDocument Suffix is not well formed");
    if (w.redirect && (w.index || w.rules))
        return s3_fail(s, S3_EREQUEST,
                       "RedirectAllRequestsTo cannot be provided in conjunction with other "
                       "routing elements.");
    if (!w.redirect && !w.index)
        return s3_fail(s, S3_EARGUMENT,
                       "A value for IndexDocument Suffix must be provided if "
                       "RedirectAllRequestsTo is empty");
    return keep(s, out);
}

/* Documents that switch something on that is not here; the empty ones switch it off. */
static int refuse_any(void *arg, const char *path, const char *text, size_t len)
{
    (void)arg;
    (void)path;
    (void)text;
    (void)len;
    return S3_ENOTIMPLEMENTED;
}

static int check_notification(struct s3 *s, struct buf *out)
{
    int rc = xml_read(buf_text(&s->xml), s->xml.len, "NotificationConfiguration", refuse_any, NULL);

    if (rc == S3_ENOTIMPLEMENTED)
        return s3_fail(s, S3_ENOTIMPLEMENTED, "There is nobody here who would send notifications.");
    (void)out; /* nothing to keep */
    return rc;
}

static int check_logging(struct s3 *s, struct buf *out)
{
    int rc = xml_read(buf_text(&s->xml), s->xml.len, "BucketLoggingStatus", refuse_any, NULL);

    if (rc == S3_ENOTIMPLEMENTED)
        return s3_fail(s, S3_ENOTIMPLEMENTED, "Access logs in buckets are not implemented.");
    (void)out;
    return rc;
}

static int check_replication(struct s3 *s, struct buf *out)
{
    (void)out;
    return s3_fail(s, S3_ENOTIMPLEMENTED, "Replication is not implemented.");
}

static int take_status(void *arg, const char *path, const char *text, size_t len)
{
    (void)len;
    if (strcmp(path, "Status") != 0 ||
        (strcmp(text, "Enabled") != 0 && strcmp(text, "Suspended") != 0))
        return S3_EXML;
    *(bool *)arg = true;
    return 0;
}

static int check_accelerate(struct s3 *s, struct buf *out)
{
    bool any = false;
    int rc = xml_read(buf_text(&s->xml), s->xml.len, "AccelerateConfiguration", take_status, &any);

    if (rc < 0 || !any)
        return rc < 0 ? rc : (int)S3_EXML;
    return keep(s, out);
}

static int take_payer(void *arg, const char *path, const char *text, size_t len)
{
    (void)len;
    if (strcmp(path, "Payer") != 0 ||
        (strcmp(text, "BucketOwner") != 0 && strcmp(text, "Requester") != 0))
        return S3_EXML;
    *(int *)arg = *text;
    return 0;
}

static int check_payment(struct s3 *s, struct buf *out)
{
    int payer = 0;
    int rc =
        xml_read(buf_text(&s->xml), s->xml.len, "RequestPaymentConfiguration", take_payer, &payer);

    if (rc < 0 || !payer)
        return rc < 0 ? rc : (int)S3_EXML;
    if (payer == 'R')
        return s3_fail(s, S3_ENOTIMPLEMENTED, "Nobody pays for requests here.");
    return keep(s, out);
}

/* Without a document: an error, or what S3 says then. */
static const struct row {
    const char *param;
    enum pc_setting which;
    unsigned put_status;
    int (*check)(struct s3 *s, struct buf *out); /* what is kept; nothing: none is */
    int absent;
    const char *xml;
} rows[] = {
    {"accelerate", PC_SETTING_ACCELERATE, 200, check_accelerate, 0,
     "<AccelerateConfiguration" NS "/>"},
    {"cors", PC_SETTING_CORS, 200, cors_check, S3_ENOCORS, NULL},
    {"encryption", PC_SETTING_ENCRYPTION, 200, crypt_check, S3_ENOENCRYPTION, NULL},
    {"lifecycle", PC_SETTING_LIFECYCLE, 200, lifecycle_check, S3_ENOLIFECYCLE, NULL},
    {"logging", PC_SETTING_LOGGING, 200, check_logging, 0, "<BucketLoggingStatus" NS "/>"},
    {"notification", PC_SETTING_NOTIFICATION, 200, check_notification, 0,
     "<NotificationConfiguration" NS "/>"},
    {"replication", PC_SETTING_REPLICATION, 200, check_replication, S3_ENOREPLICATION, NULL},
    {"requestPayment", PC_SETTING_PAYMENT, 200, check_payment, 0,
     "<RequestPaymentConfiguration" NS "><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"},
    {"tagging", PC_SETTING_TAGGING, 204, check_tagging, S3_ENOTAGS, NULL},
    {"website", PC_SETTING_WEBSITE, 200, check_website, S3_ENOWEBSITE, NULL},
};

static const struct row *row_of(const struct s3 *s)
{
    size_t i = 0;

    while (i < sizeof rows / sizeof rows[0] - 1 && !s3_param(s, rows[i].param))
        i++;
    return &rows[i];
}

int op_get_setting(struct s3 *s)
{
    const struct row *row = row_of(s);
    struct buf *b = &s->r->reply_body;
    char *data = NULL;
    size_t len = 0;
    int rc = pc_bucket_setting_get(s->gw->volume, s->bucket, row->which, &data, &len);

    if (rc == -ENODATA && row->absent)
        return row->absent;
    if (rc == -ENODATA)
        buf_str(b, XML_PROLOG), buf_str(b, row->xml);
    else if (rc < 0)
        return rc;
    buf_add(b, data, len);
    free(data);
    return s3_reply_xml(s);
}

int op_put_setting(struct s3 *s)
{
    const struct row *row = row_of(s);
    struct buf out;
    int rc;

    if (s->xml.len == 0)
        return S3_EMISSINGBODY;
    buf_init(&out, PC_SETTING_MAX);
    rc = row->check(s, &out);
    if (rc == 0)
        rc = out.err == PC_ELIMIT ? (int)S3_EXML : out.err;
    if (rc == 0)
        rc = pc_bucket_setting_set(s->gw->volume, s->bucket, row->which, out.data, out.len);
    buf_fini(&out);
    if (rc == 0)
        s->r->status = row->put_status;
    return rc;
}

int op_delete_setting(struct s3 *s)
{
    int rc = pc_bucket_setting_set(s->gw->volume, s->bucket, row_of(s)->which, NULL, 0);

    if (rc == 0)
        s->r->status = 204;
    return rc;
}
