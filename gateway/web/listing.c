/* SPDX-License-Identifier: Apache-2.0 */
/* A folder as a page: HTML, plain text or JSON, as the client accepts. */
#include "web/pages.h"

#include "pcloud/err.h"
#include "s3/s3.h"
#include "s3/xml_out.h"
#include "uri.h"
#include "watch/record.h"

#include <inttypes.h>
#include <string.h>

enum form { FORM_HTML, FORM_PLAIN, FORM_JSON };

struct page {
    struct s3 *s;
    struct buf *out;
    enum form form;
    size_t prefix_len;
    unsigned count;
    struct buf last;
};

static enum form form_of(const struct req *r)
{
    const char *accept = req_header(r, "Accept");

    if (!accept || strstr(accept, "text/html"))
        return FORM_HTML;
    if (strstr(accept, "application/json"))
        return FORM_JSON;
    return strstr(accept, "text/plain") ? FORM_PLAIN : FORM_HTML;
}

static void add_href(struct page *p, const char *key, size_t len)
{
    buf_str(p->out, "<a href=\"/");
    uri_encode(p->out, p->s->bucket, strlen(p->s->bucket), URI_SLASH_KEEP);
    buf_char(p->out, '/');
    uri_encode(p->out, key, len, URI_SLASH_KEEP);
    buf_str(p->out, "\">");
}

static void time_text(const struct timespec *t, char out[32])
{
    struct tm tm;

    gmtime_r(&t->tv_sec, &tm);
    if (strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        *out = '\0';
}

static void add_html(struct page *p, const struct pc_list_entry *e, const char *name, size_t len)
{
    char when[32];

    buf_str(p->out, "<tr><td>");
    add_href(p, e->key, e->len);
    xml_text(p->out, name, len);
    buf_str(p->out, "</a><td>");
    if (!e->is_prefix) {
        time_text(&e->mtime, when);
        buf_fmt(p->out, "%" PRIu64 "<td>%s", crypt_size(e->headers, e->size), when);
    } else {
        buf_str(p->out, "<td>");
    }
    buf_char(p->out, '\n');
}

static void add_json(struct page *p, const struct pc_list_entry *e, const char *name, size_t len)
{
    char when[32];

    buf_str(p->out, p->count ? ",\n{\"name\":" : "\n{\"name\":");
    json_text(p->out, name, len);
    if (e->is_prefix) {
        buf_str(p->out, ",\"type\":\"folder\"}");
        return;
    }
    time_text(&e->mtime, when);
    buf_fmt(p->out, ",\"type\":\"object\",\"size\":%" PRIu64 ",\"modified\":\"%s\",\"etag\":",
            crypt_size(e->headers, e->size), when);
    json_text(p->out, e->etag, strlen(e->etag));
    buf_char(p->out, '}');
}

/* A line for each: what would end it is shown as "?". */
static void add_plain(struct page *p, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf_char(p->out, (unsigned char)name[i] < 32 || name[i] == 127 ? '?' : name[i]);
    buf_char(p->out, '\n');
}

static int add_entry(void *arg, const struct pc_list_entry *e)
{
    struct page *p = arg;
    const char *name = e->key + p->prefix_len;
    size_t len = e->len - p->prefix_len;

    buf_reset(&p->last);
    buf_add(&p->last, e->key, e->len);
    if (len == 0) /* the folder itself */
        return 0;
    if (p->form == FORM_HTML)
        add_html(p, e, name, len);
    else if (p->form == FORM_JSON)
        add_json(p, e, name, len);
    else
        add_plain(p, name, len);
    p->count++;
    return p->out->err;
}

static void begin(struct page *p, const char *prefix)
{
    struct buf *b = p->out;
    const char *up = p->prefix_len > 1 ? memrchr(prefix, '/', p->prefix_len - 1) : NULL;

    if (p->form == FORM_JSON) {
        buf_str(b, "{\"bucket\":");
        json_text(b, p->s->bucket, strlen(p->s->bucket));
        buf_str(b, ",\"prefix\":");
        json_text(b, prefix, p->prefix_len);
        buf_str(b, ",\"entries\":[");
    }
    if (p->form != FORM_HTML)
        return;
    buf_str(b, "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width\"><title>");
    xml_text(b, p->s->bucket, strlen(p->s->bucket));
    buf_char(b, '/');
    xml_text(b, prefix, p->prefix_len);
    buf_str(
        b, "</title><style>:root{color-scheme:light dark}body{font:1rem/1.5 sans-serif;margin:2rem}"
           "td{padding:0 1rem 0 0}td+td{text-align:right}</style><h1>");
    xml_text(b, p->s->bucket, strlen(p->s->bucket));
    buf_char(b, '/');
    xml_text(b, prefix, p->prefix_len);
    buf_str(b, "</h1><table>\n");
    if (p->prefix_len) {
        buf_str(b, "<tr><td>");
        add_href(p, prefix, up ? (size_t)(up + 1 - prefix) : 0);
        buf_str(b, "..</a><td><td>\n");
    }
}

static void end(struct page *p, bool truncated)
{
    struct buf *b = p->out;

    if (p->form == FORM_JSON) {
        buf_str(b, "]");
        if (truncated) {
            buf_str(b, ",\"next\":");
            json_text(b, buf_text(&p->last), p->last.len);
        }
        buf_str(b, "}\n");
    } else if (p->form == FORM_HTML) {
        buf_str(b, "</table>");
        if (truncated) {
            buf_str(b, "<p><a href=\"?after=");
            uri_encode(b, buf_text(&p->last), p->last.len, URI_SLASH_ENCODE);
            buf_str(b, "\">more</a>");
        }
        buf_str(b, "</html>\n");
    }
}

int page_list(struct s3 *s)
{
    static const char *const types[] = {"text/html; charset=utf-8", "text/plain; charset=utf-8",
                                        "application/json"};
    const struct uri_param *prefix = uri_query_param(&s->query, "prefix");
    const struct uri_param *after = uri_query_param(&s->query, "marker");
    struct page p = {.s = s, .out = &s->r->reply_body, .form = form_of(s->r)};
    struct pc_list how = {.delimiter = "/", .delimiter_len = 1, .max = PC_LIST_MAX, .after = ""};
    bool truncated = false;
    int rc;

    how.prefix = prefix ? prefix->value : "";
    how.prefix_len = p.prefix_len = prefix ? prefix->value_len : 0;
    if (after) {
        how.after = after->value;
        how.after_len = after->value_len;
    }
    buf_init(&p.last, PC_KEY_MAX + 1);
    begin(&p, how.prefix);
    rc = pc_list(s->gw->volume, s->bucket, &how, add_entry, &p, &truncated);
    end(&p, truncated);
    if (rc >= 0 && p.last.len == 0 && p.prefix_len && !after) /* there is no such folder */
        rc = -ENOENT;
    buf_fini(&p.last);
    if (rc < 0)
        return rc;
    page_reply(s->r, 200, types[p.form]);
    req_reply_header(s->r, "Vary", "Accept");
    req_reply_header(s->r, "Content-Security-Policy",
                     "default-src 'none'; style-src 'unsafe-inline'");
    return s->r->reply_body.err;
}
