/* SPDX-License-Identifier: Apache-2.0 */
/* The web address: a status page, health, figures, public buckets. */
#include "web/web.h"

#include "gateway.h"
#include "pcloud/err.h"
#include "pcloud/version.h"
#include "pcloud/volume.h"
#include "s3/s3.h"
#include "web/pages.h"

#include <string.h>

void page_reply(struct req *r, unsigned status, const char *type)
{
    r->status = status;
    req_reply_header(r, "Content-Type", type);
    req_reply_header(r, "Cache-Control", "no-store");
    req_reply_header(r, "X-Content-Type-Options", "nosniff");
}

static void status_page(struct req *r, const struct gateway *gw)
{
    struct pc_volume_stat st;
    int rc = pc_volume_stat(gw->volume, &st);

    page_reply(r, rc < 0 ? 503 : 200, "text/html; charset=utf-8");
    buf_fmt(&r->reply_body,
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>pcloud</title>"
            "<h1>pcloud %s</h1><p>S3 is served here; the volume is %s.</p></html>\n",
            pc_version(), rc < 0 ? "not readable" : "open");
}

static bool path_is(const struct req *r, const char *path)
{
    return strlen(path) == r->uri.path_len && memcmp(r->uri.path, path, r->uri.path_len) == 0;
}

static int on_head(void *ctx, struct req *r)
{
    r->app = ctx;
    if (strcmp(r->method, "GET") == 0 || r->head)
        return 0;
    page_reply(r, 405, "text/plain; charset=utf-8");
    req_reply_header(r, "Allow", "GET, HEAD");
    buf_str(&r->reply_body, "only GET and HEAD are served here\n");
    return PC_EUSAGE;
}

static int on_data(struct req *r, const void *data, size_t len)
{
    (void)r;
    (void)data;
    (void)len;
    return 0;
}

static void on_finish(struct req *r)
{
    const struct gateway *gw = r->app;

    if (path_is(r, "/")) {
        status_page(r, gw);
    } else if (path_is(r, "/health") || path_is(r, "/health/ready")) {
        page_health(r, gw);
    } else if (path_is(r, "/health/live")) {
        page_live(r);
    } else if (gw->metrics_for != METRICS_NOBODY && path_is(r, gw->metrics_path)) {
        page_metrics(r, gw);
    } else if (gw->web_buckets) {
        page_public(r, gw);
    } else {
        page_reply(r, 404, "text/plain; charset=utf-8");
        buf_str(&r->reply_body, "there is nothing here\n");
    }
}

static void on_fail(struct req *r, int rc)
{
    if (r->by_s3)
        s3_app.fail(r, rc);
    else
        page_reply(r, 500, "text/plain; charset=utf-8");
}

static void on_end(struct req *r, bool sent, uint64_t bytes)
{
    if (r->by_s3)
        s3_app.end(r, sent, bytes);
}

const struct req_app web_app = {
    .head = on_head,
    .data = on_data,
    .finish = on_finish,
    .fail = on_fail,
    .end = on_end,
};
