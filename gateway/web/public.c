/* SPDX-License-Identifier: Apache-2.0 */
/* Objects and folders of buckets as pages, for nobody in particular: what the bucket's policy or list allows everybody. */
#include "web/pages.h"

#include "gateway.h"
#include "pcloud/err.h"
#include "s3/s3.h"
#include "uri.h"

#include <string.h>

static const struct s3_op listing = {"ListObjects", S3_READ, S3_BODY_NONE, NULL, page_list};

/* The request as S3 would see it, and its reply. */
static void ask(struct req *r, const struct gateway *gw, const struct s3_op *op, const char *path,
                const char *query)
{
    if (!path) {
        r->status = 503;
        return;
    }
    r->uri = (struct uri){path, strlen(path), query, query ? strlen(query) : 0};
    r->by_s3 = true;
    if (s3_begin(gw, r, S3_DOOR_WEB, op) == 0)
        s3_app.finish(r);
}

static void forget(struct req *r)
{
    s3_app.end(r, true, 0);
    r->app = NULL;
    r->by_s3 = false;
    req_reply_reset(r);
}

/* S3 says what is wrong in XML; here it is a line. */
static void plain_error(struct req *r)
{
    unsigned status = r->status;
    const char *text = status == 404   ? "there is nothing here"
                       : status == 403 ? "this is not public"
                       : status == 416 ? "there are no such bytes"
                       : status == 412 ? "it is not what was asked for"
                       : status == 503 ? "try again later"
                                       : "this cannot be answered";

    req_reply_reset(r);
    page_reply(r, status, "text/plain; charset=utf-8");
    buf_fmt(&r->reply_body, "%u: %s\n", status, text);
}

/* The folder's path without its slash at the end, and what is asked of the bucket. */
static int list(struct req *r, const struct gateway *gw, const char *path, const char *after)
{
    const char *slash = strchr(path + 1, '/');
    size_t len = strlen(path), bucket = (size_t)(slash - path);
    char *decoded = req_alloc(r, len + 1);
    struct buf query;
    size_t n;

    if (!decoded)
        return -ENOMEM;
    if (uri_decode(slash + 1, len - bucket - 1, URI_PLUS_LITERAL, decoded, &n) < 0)
        return PC_EFORMAT;
    buf_init(&query, 16384);
    buf_str(&query, "delimiter=%2F&prefix=");
    uri_encode(&query, decoded, n, URI_SLASH_ENCODE);
    if (after) {
        buf_str(&query, "&marker=");
        uri_encode(&query, after, strlen(after), URI_SLASH_ENCODE);
    }
    if (query.err == 0)
        ask(r, gw, &listing, req_dup(r, path, bucket), req_dup(r, query.data, query.len));
    n = (size_t)-query.err;
    buf_fini(&query);
    return -(int)n;
}

static void folder(struct req *r, const struct gateway *gw, const char *path, const char *after)
{
    const char *index = req_print(r, "%sindex.html", path);

    if (index && !after) {
        ask(r, gw, NULL, index, NULL);
        if (r->status != 404 && r->status != 403)
            return;
        forget(r);
    }
    if (list(r, gw, path, after) < 0)
        r->status = 400;
}

/* "/name" or "/name/…": what else may stand there is neither asked for nor sent back. */
static bool names_bucket(const char *path)
{
    size_t n = strspn(path + 1, "abcdefghijklmnopqrstuvwxyz0123456789.-");

    return n > 0 && (path[1 + n] == '/' || path[1 + n] == '\0');
}

void page_public(struct req *r, const struct gateway *gw)
{
    char *path = req_dup(r, r->uri.path, r->uri.path_len);
    struct uri_query query = {0};
    const char *after, *attach;

    if (!path ||
        (r->uri.query_len && uri_query_parse(r->uri.query, r->uri.query_len, &query) < 0)) {
        r->status = 400;
        plain_error(r);
        return;
    }
    if (!names_bucket(path)) {
        r->status = 404;
        plain_error(r);
        uri_query_fini(&query);
        return;
    }
    after = uri_query_get(&query, "after");
    attach = uri_query_get(&query, "download");
    if (!strchr(path + 1, '/')) { /* links in the page are below the folder */
        page_reply(r, 301, "text/plain; charset=utf-8");
        req_reply_headerf(r, "Location", "%.400s/", path);
    } else if (path[strlen(path) - 1] == '/') {
        folder(r, gw, path, after);
    } else {
        ask(r, gw, NULL, path, NULL);
        if (attach && r->status < 300)
            req_reply_header(r, "Content-Disposition", "attachment");
    }
    if (r->status >= 400)
        plain_error(r);
    else
        page_shrink(r);
    uri_query_fini(&query);
}
