/* SPDX-License-Identifier: Apache-2.0 */
/* Locks on versions: asked for by headers, kept by default, set and shown. */
#include "history/history.h"

#include "access/authz.h"
#include "date.h"
#include "pcloud/err.h"
#include "s3/ops.h"
#include "s3/xml_in.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define MODE "x-amz-object-lock-mode"
#define UNTIL "x-amz-object-lock-retain-until-date"
#define HOLD "x-amz-object-lock-legal-hold"
#define NO_LOCKS "Bucket is missing Object Lock Configuration"

static const char *mode_name(enum pc_lock_mode mode)
{
    return mode == PC_LOCK_COMPLIANCE ? "COMPLIANCE" : "GOVERNANCE";
}

static void add(struct buf *out, enum pc_lock_mode mode, int64_t until_ms)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)until_ms);
    headers_add(out, "lock-mode", mode_name(mode));
    headers_add(out, "lock-until", text);
}

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int read_until(struct s3 *s, const char *text, int64_t *ret_ms)
{
    struct timespec ts;

    if (date_parse_iso(text, &ts) < 0)
        return s3_fail(s, S3_EARGUMENT,
                       "The retain until date must be provided in ISO 8601 format");
    *ret_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
    if (*ret_ms <= now_ms())
        return s3_fail(s, S3_EARGUMENT, "The retain until date must be in the future!");
    return 0;
}

int lock_collect(struct s3 *s, struct buf *out)
{
    const char *mode = s3_header(s, MODE), *until = s3_header(s, UNTIL), *hold = s3_header(s, HOLD);
    enum pc_lock_mode m = PC_LOCK_GOVERNANCE;
    int64_t ms;
    int rc;

    if (!mode && !until && !hold)
        return 0;
    if (!s->info.locking)
        return s3_fail(s, S3_EREQUEST, NO_LOCKS);
    if (!mode != !until)
        return s3_fail(s, S3_EARGUMENT, UNTIL " and " MODE " must both be supplied");
    if (hold && strcmp(hold, "ON") != 0 && strcmp(hold, "OFF") != 0)
        return s3_fail(s, S3_EARGUMENT, "Legal Hold must be either of 'ON' or 'OFF'");
    if (hold)
        headers_add(out, "legal-hold", hold);
    if (!mode)
        return 0;
    if (strcmp(mode, "COMPLIANCE") == 0)
        m = PC_LOCK_COMPLIANCE;
    else if (strcmp(mode, "GOVERNANCE") != 0)
        return s3_fail(s, S3_EARGUMENT, "Unknown wormMode directive.");
    rc = read_until(s, until, &ms);
    if (rc == 0)
        add(out, m, ms);
    return rc;
}

int lock_default(struct s3 *s, const struct pc_headers *has, struct buf *out)
{
    struct lock_rule rule;
    struct timespec now;
    struct tm tm;
    int rc = lock_rule(s, &rule);

    if (rc < 0 || rule.mode == PC_LOCK_NONE || pc_headers_get(has, "lock-mode"))
        return rc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    if (rule.years)
        tm.tm_year += (int)rule.n;
    else
        tm.tm_mday += (int)rule.n;
    add(out, rule.mode, (int64_t)timegm(&tm) * 1000 + now.tv_nsec / 1000000);
    return 0;
}

static void until_text(const struct pc_lock *l, char out[DATE_ISO_MAX])
{
    const struct timespec ts = {.tv_sec = l->until_ms / 1000,
                                .tv_nsec = l->until_ms % 1000 * 1000000};

    date_iso(&ts, out);
}

void lock_reply(struct s3 *s, const struct pc_headers *h)
{
    char text[DATE_ISO_MAX];
    struct pc_lock l;

    if (s->info.versioning == PC_VERSIONING_OFF)
        return;
    pc_lock_read(h, &l);
    if (l.mode != PC_LOCK_NONE) {
        until_text(&l, text);
        req_reply_header(s->r, MODE, mode_name(l.mode));
        req_reply_header(s->r, UNTIL, text);
    }
    if (l.hold >= 0)
        req_reply_header(s->r, HOLD, l.hold ? "ON" : "OFF");
}

bool lock_bypass(struct s3 *s, const char *key, size_t len)
{
    const char *v = s3_header(s, "x-amz-bypass-governance-retention");

    return v && strcasecmp(v, "true") == 0 && authz_bypass(s, key, len);
}

/* The lock of the version that is named. */
static int look(struct s3 *s, struct pc_lock *ret)
{
    struct pc_object o;
    int rc;

    if (!s->info.locking)
        return s3_fail(s, S3_EREQUEST, NO_LOCKS);
    rc = history_head(s, &o);
    if (rc < 0)
        return rc;
    pc_lock_read(&o.headers, ret);
    pc_object_fini(&o);
    return 0;
}

int op_get_retention(struct s3 *s)
{
    struct buf *b = &s->r->reply_body;
    char text[DATE_ISO_MAX];
    struct pc_lock l;
    int rc = look(s, &l);

    if (rc < 0)
        return rc;
    if (l.mode == PC_LOCK_NONE)
        return S3_ENOLOCKOFOBJECT;
    until_text(&l, text);
    xml_begin(b, "Retention");
    xml_str(b, "Mode", mode_name(l.mode));
    xml_str(b, "RetainUntilDate", text);
    xml_close(b, "Retention");
    return s3_reply_xml(s);
}

int op_get_legal_hold(struct s3 *s)
{
    struct buf *b = &s->r->reply_body;
    struct pc_lock l;
    int rc = look(s, &l);

    if (rc < 0)
        return rc;
    if (l.hold < 0)
        return S3_ENOLOCKOFOBJECT;
    xml_begin(b, "LegalHold");
    xml_str(b, "Status", l.hold ? "ON" : "OFF");
    xml_close(b, "LegalHold");
    return s3_reply_xml(s);
}

struct wish {
    struct s3 *s;
    enum pc_lock_mode mode;
    int64_t until_ms;
    bool until, status, on;
};

static int take_retention(void *arg, const char *path, const char *text, size_t len)
{
    struct wish *w = arg;

    (void)len;
    if (strcmp(path, "Mode") == 0) {
        w->mode = strcmp(text, "GOVERNANCE") == 0   ? PC_LOCK_GOVERNANCE
                  : strcmp(text, "COMPLIANCE") == 0 ? PC_LOCK_COMPLIANCE
                                                    : PC_LOCK_NONE;
        return w->mode == PC_LOCK_NONE ? (int)S3_EXML : 0;
    }
    if (strcmp(path, "RetainUntilDate") != 0)
        return S3_EXML;
    w->until = true;
    return read_until(w->s, text, &w->until_ms);
}

int op_put_retention(struct s3 *s)
{
    struct wish w = {.s = s};
    const char *id;
    int rc;

    if (!s->info.locking)
        return s3_fail(s, S3_EREQUEST, NO_LOCKS);
    if (s->xml.len == 0)
        return S3_EMISSINGBODY;
    rc = xml_read(s->xml.data, s->xml.len, "Retention", take_retention, &w);
    if (rc == 0 && (w.mode != PC_LOCK_NONE) != w.until)
        rc = S3_EXML;
    if (rc == 0)
        rc = history_id(s, &id);
    if (rc == 0)
        rc = pc_version_retain(s->gw->volume, s->bucket, s->key, s->key_len, id, w.mode, w.until_ms,
                               lock_bypass(s, s->key, s->key_len));
    if (rc == 0)
        s->r->status = 200;
    return rc == PC_EMARKER ? (int)S3_EMETHOD : rc;
}

static int take_hold(void *arg, const char *path, const char *text, size_t len)
{
    struct wish *w = arg;

    (void)len;
    w->status = strcmp(path, "Status") == 0;
    w->on = strcmp(text, "ON") == 0;
    return w->status && (w->on || strcmp(text, "OFF") == 0) ? 0 : (int)S3_EXML;
}

int op_put_legal_hold(struct s3 *s)
{
    struct wish w = {.s = s};
    const char *id;
    int rc;

    if (!s->info.locking)
        return s3_fail(s, S3_EREQUEST, NO_LOCKS);
    if (s->xml.len == 0)
        return S3_EMISSINGBODY;
    rc = xml_read(s->xml.data, s->xml.len, "LegalHold", take_hold, &w);
    if (rc == 0 && !w.status)
        rc = S3_EXML;
    if (rc == 0)
        rc = history_id(s, &id);
    if (rc == 0)
        rc = pc_version_hold(s->gw->volume, s->bucket, s->key, s->key_len, id, w.on);
    if (rc == 0)
        s->r->status = 200;
    return rc == PC_EMARKER ? (int)S3_EMETHOD : rc;
}
