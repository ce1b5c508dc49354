/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a bucket keeps versions, and whether they can be locked. */
#include "history/history.h"

#include "pcloud/err.h"
#include "s3/ops.h"
#include "s3/xml_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DAYS_MAX 36500
#define YEARS_MAX 100

int op_get_versioning(struct s3 *s)
{
    struct buf *b = &s->r->reply_body;

    xml_begin(b, "VersioningConfiguration");
    if (s->info.versioning != PC_VERSIONING_OFF)
        xml_str(b, "Status", s->info.versioning == PC_VERSIONING_ON ? "Enabled" : "Suspended");
    xml_close(b, "VersioningConfiguration");
    return s3_reply_xml(s);
}

struct wish {
    struct s3 *s;
    enum pc_versioning state;
};

static int take_state(void *arg, const char *path, const char *text, size_t len)
{
    struct wish *w = arg;

    (void)len;
    if (strcmp(path, "Status") == 0) {
        w->state = strcmp(text, "Enabled") == 0     ? PC_VERSIONING_ON
                   : strcmp(text, "Suspended") == 0 ? PC_VERSIONING_SUSPENDED
                                                    : PC_VERSIONING_OFF;
        return w->state == PC_VERSIONING_OFF ? (int)S3_EXML : 0;
    }
    if (strcasecmp(path, "MfaDelete") != 0)
        return S3_EXML;
    if (strcmp(text, "Disabled") == 0)
        return 0;
    return s3_fail(w->s, S3_EREQUEST, "Deleting by a second factor is not implemented here.");
}

int op_put_versioning(struct s3 *s)
{
    struct wish w = {.s = s};
    int rc;

    if (s->xml.len == 0)
        return S3_EMISSINGBODY;
    rc = xml_read(s->xml.data, s->xml.len, "VersioningConfiguration", take_state, &w);
    if (rc == 0 && w.state == PC_VERSIONING_OFF)
        rc = S3_EXML;
    if (rc == 0)
        rc = pc_versioning_set(s->gw->volume, s->bucket, w.state);
    if (rc == PC_EBUCKETSTATE)
        return s3_fail(s, S3_EBUCKETSTATE,
                       s->info.locking ? "An Object Lock configuration is present on this bucket, "
                                         "so the versioning state cannot be changed."
                                       : "This bucket keeps no versions.");
    if (rc == 0)
        s->r->status = 200;
    return rc;
}

static enum pc_lock_mode mode_of(const char *text)
{
    return strcmp(text, "GOVERNANCE") == 0   ? PC_LOCK_GOVERNANCE
           : strcmp(text, "COMPLIANCE") == 0 ? PC_LOCK_COMPLIANCE
                                             : PC_LOCK_NONE;
}

int lock_rule(struct s3 *s, struct lock_rule *ret)
{
    char *data, mode[16] = "", unit[8] = "";
    size_t len;
    int rc;

    *ret = (struct lock_rule){0};
    if (!s->info.locking || !(s->info.settings & 1u << PC_SETTING_OBJECT_LOCK))
        return 0;
    rc = pc_bucket_setting_get(s->gw->volume, s->bucket, PC_SETTING_OBJECT_LOCK, &data, &len);
    if (rc < 0)
        return rc == -ENODATA ? 0 : rc;
    if (sscanf(data, "%15s %7s %ld", mode, unit, &ret->n) == 3) {
        ret->mode = mode_of(mode);
        ret->years = strcmp(unit, "years") == 0;
    }
    free(data);
    return 0;
}

int op_get_object_lock(struct s3 *s)
{
    struct buf *b = &s->r->reply_body;
    struct lock_rule rule;
    int rc = lock_rule(s, &rule);

    if (rc < 0)
        return rc;
    if (!s->info.locking)
        return S3_ENOOBJECTLOCK;
    xml_begin(b, "ObjectLockConfiguration");
    xml_str(b, "ObjectLockEnabled", "Enabled");
    if (rule.mode != PC_LOCK_NONE) {
        buf_str(b, "<Rule><DefaultRetention>");
        xml_str(b, "Mode", rule.mode == PC_LOCK_COMPLIANCE ? "COMPLIANCE" : "GOVERNANCE");
        xml_num(b, rule.years ? "Years" : "Days", (uint64_t)rule.n);
        buf_str(b, "</DefaultRetention></Rule>");
    }
    xml_close(b, "ObjectLockConfiguration");
    return s3_reply_xml(s);
}

struct document {
    struct s3 *s;
    struct lock_rule rule;
    bool enabled, days, any;
};

static int take_number(struct document *d, const char *text, bool years)
{
    long max = years ? YEARS_MAX : DAYS_MAX;
    char *end;

    if (d->days || d->rule.years)
        return S3_EXML;
    d->days = !years;
    d->rule.years = years;
    errno = 0;
    d->rule.n = strtol(text, &end, 10);
    if (errno || end == text || *end)
        return S3_EXML;
    if (d->rule.n <= 0)
        return s3_fail(d->s, S3_ERETENTION,
                       "Default retention period must be a positive integer "
                       "value.");
    if (d->rule.n > max)
        return s3_fail(d->s, S3_ERETENTION, "Default retention period is too large.");
    return 0;
}

static int take_rule(void *arg, const char *path, const char *text, size_t len)
{
    struct document *d = arg;

    (void)len;
    if (strcmp(path, "ObjectLockEnabled") == 0) {
        d->enabled = strcmp(text, "Enabled") == 0;
        return d->enabled ? 0 : (int)S3_EXML;
    }
    if (strcmp(path, "Rule/DefaultRetention/Mode") == 0) {
        d->rule.mode = mode_of(text);
        return d->rule.mode == PC_LOCK_NONE ? (int)S3_EXML : 0;
    }
    if (strcmp(path, "Rule/DefaultRetention/Days") == 0)
        return take_number(d, text, false);
    if (strcmp(path, "Rule/DefaultRetention/Years") == 0)
        return take_number(d, text, true);
    d->any = true; /* the groups */
    return strncmp(path, "Rule", 4) == 0 ? 0 : (int)S3_EXML;
}

static int keep(struct s3 *s, const struct lock_rule *rule)
{
    char text[64];

    if (rule->mode == PC_LOCK_NONE)
        return pc_bucket_setting_set(s->gw->volume, s->bucket, PC_SETTING_OBJECT_LOCK, NULL, 0);
    snprintf(text, sizeof text, "%s %s %ld",
             rule->mode == PC_LOCK_COMPLIANCE ? "COMPLIANCE" : "GOVERNANCE",
             rule->years ? "years" : "days", rule->n);
    return pc_bucket_setting_set(s->gw->volume, s->bucket, PC_SETTING_OBJECT_LOCK, text,
                                 strlen(text));
}

int op_put_object_lock(struct s3 *s)
{
    struct document d = {.s = s};
    int rc;

    if (s->xml.len == 0)
        return S3_EMISSINGBODY;
    rc = xml_read(s->xml.data, s->xml.len, "ObjectLockConfiguration", take_rule, &d);
    if (rc < 0)
        return rc;
    if (!d.enabled || (d.any && (d.rule.mode == PC_LOCK_NONE || d.days == d.rule.years)))
        return S3_EXML;
    rc = s->info.locking ? 0 : pc_locking_set(s->gw->volume, s->bucket);
    if (rc == PC_EBUCKETSTATE)
        return s3_fail(s, S3_EBUCKETSTATE,
                       "Versioning must be 'Enabled' on the bucket to apply a Object Lock "
                       "configuration");
    if (rc == 0)
        rc = keep(s, &d.rule);
    if (rc == 0)
        s->r->status = 200;
    return rc;
}
