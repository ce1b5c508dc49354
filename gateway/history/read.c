/* SPDX-License-Identifier: Apache-2.0 */
/* The version that a request names: looked at, opened, told in the reply. */
#include "history/history.h"

#include "pcloud/err.h"

#include <stdio.h>
#include <string.h>

int history_check(struct s3 *s, const char *id)
{
    size_t len = strnlen(id, PC_VERSION_MAX);
    static const char hex[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    if (len < PC_VERSION_MAX && strspn(id, hex) == len)
        return 0;
    return s3_fail(s, S3_EARGUMENT, "Invalid version id specified");
}

int history_id(struct s3 *s, const char **ret)
{
    const char *id = s3_param(s, "versionId");

    if (id && !*id)
        return s3_fail(s, S3_EARGUMENT, "Version id cannot be the empty string");
    *ret = id ? id : s->info.versioning == PC_VERSIONING_OFF ? NULL : "";
    return id ? history_check(s, id) : 0;
}

void history_tell(struct s3 *s, const char *id)
{
    snprintf(s->version, sizeof s->version, "%s",
             s->info.versioning == PC_VERSIONING_OFF ? "" : id);
}

void history_made(struct s3 *s, const struct pc_object *o)
{
    history_tell(s, strcmp(o->version, "null") == 0 ? "" : o->version);
}

/* What the core found, and what S3 says to it. */
static int settle(struct s3 *s, const char *id, int rc, const struct pc_object *o)
{
    if (rc == 0 || rc == PC_EMARKER)
        history_tell(s, o->version);
    if (rc == -ENOENT)
        s->marker = "false";
    if (rc != PC_EMARKER)
        return rc;
    s->marker = "true";
    return id && *id ? (int)S3_EMETHOD : -ENOENT;
}

int history_head(struct s3 *s, struct pc_object *ret)
{
    const char *id;
    int rc = history_id(s, &id);

    if (rc < 0)
        return rc;
    rc = pc_version_head(s->gw->volume, s->bucket, s->key, s->key_len, id, ret);
    return settle(s, id, rc, ret);
}

int history_open(struct s3 *s, struct pc_object *ret, struct pc_reader **ret_reader)
{
    const char *id;
    int rc = history_id(s, &id);

    if (rc < 0)
        return rc;
    rc = pc_version_open(s->gw->volume, s->bucket, s->key, s->key_len, id, ret, ret_reader);
    return settle(s, id, rc, ret);
}

int history_annotate(struct s3 *s, const struct pc_headers *change)
{
    const char *id;
    int rc = history_id(s, &id);

    if (rc == 0)
        rc = pc_version_annotate(s->gw->volume, s->bucket, s->key, s->key_len, id, change);
    if (rc == PC_EMARKER)
        return id && *id ? (int)S3_EMETHOD : -ENOENT;
    return rc;
}
