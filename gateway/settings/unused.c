/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations this server does not have: asking is answered as S3 does for one that was never set, setting is refused. */
#include "s3/ops.h"
#include "s3/s3.h"

#include "pcloud/err.h"

#include <string.h>

#define NS " xmlns=\"" XML_NAMESPACE "\""

/* Either an error or a document. */
static const struct {
    enum s3_level level;
    const char *param;
    int error;
    const char *xml;
} answers[] = {
    {S3_BUCKET, "analytics", 0,
     "<ListBucketAnalyticsConfigurationResult" NS
     "><IsTruncated>false</IsTruncated></ListBucketAnalyticsConfigurationResult>"},
    {S3_BUCKET, "inventory", 0,
     "<ListInventoryConfigurationsResult" NS
     "><IsTruncated>false</IsTruncated></ListInventoryConfigurationsResult>"},
    {S3_BUCKET, "metrics", 0,
     "<ListMetricsConfigurationsResult" NS
     "><IsTruncated>false</IsTruncated></ListMetricsConfigurationsResult>"},
    {S3_BUCKET, "intelligent-tiering", 0,
     "<ListBucketIntelligentTieringConfigurationsOutput" NS "><IsTruncated>false</IsTruncated>"
     "</ListBucketIntelligentTieringConfigurationsOutput>"},
    {S3_BUCKET, "abac", 0, "<AbacStatus" NS "><Status>Disabled</Status></AbacStatus>"},
    {S3_BUCKET, "metadataTable", S3_ENOCONFIGURATION, NULL},
    {S3_BUCKET, "metadataConfiguration", S3_ENOCONFIGURATION, NULL},
    {S3_OBJECT, "torrent", S3_EMETHOD, NULL},
};

static int check_object(struct s3 *s)
{
    struct pc_object o;
    int rc;

    if (s->level != S3_OBJECT)
        return 0;
    rc = pc_object_head(s->gw->volume, s->bucket, s->key, s->key_len, &o);
    if (rc == 0)
        pc_object_fini(&o);
    return rc;
}

int op_probe(struct s3 *s)
{
    int rc = check_object(s);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (answers[i].level != s->level || !s3_param(s, answers[i].param))
            continue;
        if (answers[i].error)
            return answers[i].error;
        if (s3_param(s, "id")) /* one of a list that is empty */
            return S3_ENOCONFIGURATION;
        buf_str(&s->r->reply_body, XML_PROLOG);
        buf_str(&s->r->reply_body, answers[i].xml);
        return s3_reply_xml(s);
    }
    return op_unsupported(s);
}

int op_unsupported(struct s3 *s)
{
    if (s->level == S3_OBJECT && (s3_param(s, "select") || s3_param(s, "restore")))
        return S3_EMETHOD;
    /* removing what was never set is done */
    if (strcmp(s->r->method, "DELETE") == 0) {
        s->r->status = 204;
        return 0;
    }
    return s3_fail(s, S3_ENOTIMPLEMENTED, "This configuration is not implemented.");
}
