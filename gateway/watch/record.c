/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the audit log. */
#include "watch/record.h"

#include "s3/s3.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* Bytes of the whole UTF-8 character at ${p}; 0 if there is none. */
static size_t whole(const unsigned char *p, size_t len)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

void json_text(struct buf *out, const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;

    buf_char(out, '"');
    for (size_t i = 0; i < len;) {
        size_t n = whole(p + i, len - i);

        if (n == 0)
            buf_str(out, "\\ufffd");
        else if (p[i] == '"' || p[i] == '\\')
            buf_fmt(out, "\\%c", p[i]);
        else if (p[i] < 0x20 || p[i] == 0x7f)
            buf_fmt(out, "\\u%04x", p[i]);
        else
            buf_add(out, p + i, n);
        i += n ? n : 1;
    }
    buf_char(out, '"');
}

static void field(struct buf *out, const char *name, const char *value)
{
    buf_fmt(out, ",\"%s\":", name);
    json_text(out, value, strlen(value));
}

static void time_field(struct buf *out)
{
    struct timespec now;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    buf_fmt(out, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\"", tm.tm_year + 1900,
            tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000000);
}

static bool is_text(const char *text, size_t len)
{
    for (size_t i = 0, n; i < len; i += n) {
        n = whole((const unsigned char *)text + i, len - i);
        if (n == 0)
            return false;
    }
    return true;
}

/* A key that is no text cannot be told from others by its JSON alone. */
static void key_field(struct buf *out, const char *key, size_t len)
{
    buf_str(out, ",\"key\":");
    json_text(out, key, len);
    if (is_text(key, len))
        return;
    buf_str(out, ",\"key_hex\":\"");
    for (size_t i = 0; i < len; i++)
        buf_fmt(out, "%02x", (unsigned char)key[i]);
    buf_char(out, '"');
}

void record_json(const struct s3 *s, bool sent, uint64_t bytes, uint64_t us, struct buf *out)
{
    const struct req *r = s->r;
    const char *version = *s->version ? s->version : s3_param(s, "versionId");

    time_field(out);
    field(out, "id", s->id);
    field(out, "remote", r->peer);
    field(out, "user", s->authentic ? s->user.name : "");
    field(out, "access_key", s->access_key);
    field(out, "operation", s->op ? s->op->name : "Unknown");
    field(out, "bucket", s->bucket);
    key_field(out, s->key, s->key_len);
    field(out, "version", version ? version : "");
    buf_fmt(out, ",\"status\":%u", r->status);
    field(out, "code", s->code ? s->code : "");
    buf_fmt(out, ",\"received\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"us\":%" PRIu64, r->received,
            bytes, us);
    field(out, "signature", s->signature ? s->signature : "");
    field(out, "tls", r->tls ? r->tls : "");
    buf_fmt(out, ",\"whole\":%s}\n", sent ? "true" : "false");
}
