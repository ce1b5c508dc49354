/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of multipart/form-data, taken apart as they come. */
#include "form/form.h"

#include "pcloud/err.h"

#include <string.h>
#include <strings.h>

/* The value of a parameter "; name=value" or "; name="value"" of a header; false if it is not there or too long. */
static bool parameter(const char *text, const char *name, char *out, size_t cap)
{
    size_t name_len = strlen(name), n = 0;
    const char *p = strchr(text, ';');

    while (p) {
        p += 1 + strspn(p + 1, " \t");
        if (strncasecmp(p, name, name_len) == 0 && p[name_len] == '=')
            break;
        for (bool quoted = false; *p && (quoted || *p != ';'); p++)
            if (quoted && *p == '\\' && p[1] == '"')
                p++;
            else
                quoted ^= *p == '"';
        p = *p ? p : NULL;
    }
    if (!p)
        return false;
    p += name_len + 1;
    if (*p != '"') {
        n = strcspn(p, "; \t\r\n");
        if (n >= cap)
            return false;
        memcpy(out, p, n);
        out[n] = '\0';
        return true;
    }
    for (p++; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1] == '"')
            p++;
        if (n + 1 >= cap)
            return false;
        out[n++] = *p;
    }
    out[n] = '\0';
    return *p == '"';
}

int form_init(struct form *f, const char *content_type)
{
    static const char type[] = "multipart/form-data";
    char boundary[FORM_BOUNDARY_MAX + 1];

    memset(f, 0, sizeof *f);
    if (!content_type || strncasecmp(content_type, type, sizeof type - 1) != 0 ||
        !parameter(content_type, "boundary", boundary, sizeof boundary) || !*boundary ||
        strpbrk(boundary, "\r\n"))
        return PC_EFORMAT;
    memcpy(f->mark, "\r\n--", 4);
    memcpy(f->mark + 4, boundary, strlen(boundary) + 1);
    f->mark_len = 4 + strlen(boundary);
    f->matched = 2; /* the first one may stand at the very beginning */
    return 0;
}

static bool header(const char *head, const char *name, char *out, size_t cap)
{
    size_t name_len = strlen(name);

    for (const char *p = head; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        size_t len;

        if (strncasecmp(p, name, name_len) != 0 || p[name_len] != ':')
            continue;
        p += name_len + 1;
        p += strspn(p, " \t");
        len = strcspn(p, "\r\n");
        if (len >= cap)
            return false;
        memcpy(out, p, len);
        out[len] = '\0';
        return true;
    }
    return false;
}

static int begin(struct form *f, const struct form_sink *sink)
{
    char disposition[FORM_HEAD_MAX], name[FORM_NAME_MAX], filename[FORM_NAME_MAX], type[256];
    bool has_file, has_type;

    f->head[f->head_len] = '\0';
    if (strlen(f->head) != f->head_len ||
        !header(f->head, "Content-Disposition", disposition, sizeof disposition) ||
        strncasecmp(disposition, "form-data", 9) != 0 ||
        !parameter(disposition, "name", name, sizeof name))
        return PC_EFORMAT;
    has_file = parameter(disposition, "filename", filename, sizeof filename);
    has_type = header(f->head, "Content-Type", type, sizeof type);
    f->state = FORM_BODY;
    f->matched = 0;
    return sink->begin(sink->arg, name, has_file ? filename : NULL, has_type ? type : NULL);
}

/* Headers, up to the empty line. */
static int feed_head(struct form *f, const struct form_sink *sink, char c)
{
    if (f->head_len == FORM_HEAD_MAX)
        return PC_ELIMIT;
    f->head[f->head_len++] = c;
    if (c != '\n' || f->head_len < 4 || memcmp(f->head + f->head_len - 4, "\r\n\r\n", 4) != 0)
        return 0;
    return begin(f, sink);
}

/* After a mark: "--" at the end, or the rest of the line. */
static int feed_delimited(struct form *f, char c)
{
    if (f->line_len == 0 && (c == ' ' || c == '\t'))
        return 0;
    f->line[f->line_len++] = c;
    if (f->line_len < 2)
        return c == '\r' || c == '-' ? 0 : PC_EFORMAT;
    if (memcmp(f->line, "--", 2) == 0)
        f->state = FORM_DONE;
    else if (memcmp(f->line, "\r\n", 2) == 0)
        f->state = FORM_HEAD;
    else
        return PC_EFORMAT;
    f->head_len = f->line_len = 0;
    return 0;
}

static int give(struct form *f, const struct form_sink *sink, const char *data, size_t len)
{
    return f->state == FORM_BODY && len ? sink->data(sink->arg, data, len) : 0;
}

/* Content up to the next mark; how much of ${data} was taken. Only the first byte of a mark is a CR, so what matched in vain holds no beginning of another. */
static int feed_body(struct form *f, const struct form_sink *sink, const char *data, size_t len,
                     size_t *taken)
{
    size_t at = 0;
    int rc = 0;

    while (at < len && rc == 0) {
        if (f->matched == 0) {
            const char *cr = memchr(data + at, '\r', len - at);
            size_t n = cr ? (size_t)(cr - data) - at : len - at;

            rc = give(f, sink, data + at, n);
            at += n;
            f->matched = cr != NULL;
            at += cr != NULL;
        } else if (data[at] == f->mark[f->matched]) {
            at++;
            if (++f->matched == f->mark_len) {
                bool body = f->state == FORM_BODY;

                f->state = FORM_DELIMITED;
                f->line_len = 0;
                *taken = at;
                return body ? sink->end(sink->arg) : 0;
            }
        } else {
            size_t n = f->matched;

            f->matched = 0;
            rc = give(f, sink, f->mark, n);
        }
    }
    *taken = at;
    return rc;
}

int form_feed(struct form *f, const struct form_sink *sink, const void *data, size_t len)
{
    const char *p = data;
    int rc = 0;

    while (len > 0 && rc == 0) {
        size_t n = 1;

        switch (f->state) {
        case FORM_PREAMBLE:
        case FORM_BODY:
            rc = feed_body(f, sink, p, len, &n);
            break;
        case FORM_DELIMITED:
            rc = feed_delimited(f, *p);
            break;
        case FORM_HEAD:
            rc = feed_head(f, sink, *p);
            break;
        case FORM_DONE:
            n = len; /* an epilogue says nothing */
            break;
        }
        p += n;
        len -= n;
    }
    return rc;
}

bool form_whole(const struct form *f)
{
    return f->state == FORM_DONE;
}
