/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the XML bodies of requests. */
#include "s3/xml_in.h"

#include "buf.h"
#include "pcloud/err.h"
#include "s3/error.h"

#include <expat.h>
#include <string.h>

#define PATH_MAX_BYTES 256

struct reader {
    XML_Parser parser;
    const char *root;
    int (*leaf)(void *arg, const char *path, const char *text, size_t len);
    void *arg;
    int depth, error;
    char path[PATH_MAX_BYTES];      /* below the root */
    size_t ends[XML_DEPTH_MAX + 1]; /* of path, by depth */
    struct buf text;
};

static void stop(struct reader *r, int error)
{
    if (r->error == 0)
        r->error = error;
    XML_StopParser(r->parser, XML_FALSE);
}

static void on_start(void *arg, const char *name, const char **attributes)
{
    struct reader *r = arg;
    const char *local = strrchr(name, '|');
    size_t len, at;

    (void)attributes;
    local = local ? local + 1 : name;
    len = strlen(local);
    buf_reset(&r->text);
    if (r->depth++ == 0) {
        if (strcmp(local, r->root) != 0)
            stop(r, S3_EXML);
        return;
    }
    if (r->depth > XML_DEPTH_MAX) {
        stop(r, S3_EXML);
        return;
    }
    at = r->ends[r->depth - 2];
    if (at + len + 2 > sizeof r->path) {
        stop(r, S3_EXML);
        return;
    }
    if (at)
        r->path[at++] = '/';
    memcpy(r->path + at, local, len + 1);
    r->ends[r->depth - 1] = at + len;
}

static void on_end(void *arg, const char *name)
{
    struct reader *r = arg;
    int rc;

    (void)name;
    if (--r->depth == 0 || r->error)
        return;
    r->path[r->ends[r->depth]] = '\0';
    rc = r->leaf(r->arg, r->path, buf_text(&r->text), r->text.len);
    buf_reset(&r->text);
    r->path[r->ends[r->depth - 1]] = '\0';
    if (rc < 0)
        stop(r, rc);
}

static void on_text(void *arg, const char *text, int len)
{
    struct reader *r = arg;

    buf_add(&r->text, text, (size_t)len);
    if (r->text.err)
        stop(r, r->text.err == -ENOMEM ? -ENOMEM : S3_EXML);
}

static void on_doctype(void *arg, const char *name, const char *system, const char *public,
                       int subset)
{
    (void)name;
    (void)system;
    (void)public;
    (void)subset;
    stop(arg, S3_EXML);
}

int xml_read(const char *data, size_t len, const char *root,
             int (*leaf)(void *arg, const char *path, const char *text, size_t text_len), void *arg)
{
    struct reader r = {.root = root, .leaf = leaf, .arg = arg};

    if (len == 0 || len > XML_BODY_MAX)
        return S3_EXML;
    r.parser = XML_ParserCreateNS(NULL, '|');
    if (!r.parser)
        return -ENOMEM;
    buf_init(&r.text, XML_TEXT_MAX);
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    if (XML_Parse(r.parser, data, (int)len, 1) == XML_STATUS_ERROR && r.error == 0)
        r.error = XML_GetErrorCode(r.parser) == XML_ERROR_NO_MEMORY ? -ENOMEM : S3_EXML;
    XML_ParserFree(r.parser);
    buf_fini(&r.text);
    return r.error;
}
