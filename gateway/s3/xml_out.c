/* SPDX-License-Identifier: Apache-2.0 */
/* Writing XML: elements and text, escaped as S3 does. */
#include "s3/xml_out.h"

#include "date.h"
#include "uri.h"

#include <string.h>

/* Listings write these a thousand times a page: without formats, which cost half of the time of one. */

void xml_begin(struct buf *b, const char *root)
{
    buf_fmt(b, XML_PROLOG "<%s xmlns=\"" XML_NAMESPACE "\">", root);
}

void xml_open(struct buf *b, const char *name)
{
    buf_char(b, '<');
    buf_str(b, name);
    buf_char(b, '>');
}

void xml_close(struct buf *b, const char *name)
{
    buf_str(b, "</");
    buf_str(b, name);
    buf_char(b, '>');
}

/* Bytes of the UTF-8 character at ${p}; 0 if it is none. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    unsigned char c = *p;
    size_t n = c < 0x80                ? 1
               : c >= 0xc2 && c < 0xe0 ? 2
               : (c & 0xf0) == 0xe0    ? 3
               : c >= 0xf0 && c < 0xf5 ? 4
                                       : 0;

    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) || (c == 0xf0 && p[1] < 0x90) ||
        (c == 0xf4 && p[1] > 0x8f))
        return 0;
    if (c == 0xef && p[1] == 0xbf && p[2] > 0xbd) /* U+FFFE, U+FFFF are no characters of XML */
        return 0;
    return n;
}

static const char *reference(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

void xml_text(struct buf *b, const char *data, size_t len)
{
    const unsigned char *p = (const unsigned char *)data;

    for (size_t i = 0; i < len;) {
        size_t run = i, n;
        const char *ref;

        /* plain characters in one piece */
        while (run < len && p[run] >= 32 && p[run] < 127 && !reference(p[run]))
            run++;
        if (run > i) {
            buf_add(b, data + i, run - i);
            i = run;
            continue;
        }
        ref = reference(p[i]);
        n = utf8_length(p + i, len - i);
        if (ref)
            buf_str(b, ref);
        else if (p[i] == 0 || n == 0)
            buf_str(b, "\xef\xbf\xbd");
        else if (p[i] < 32 || p[i] == 127)
            buf_fmt(b, "&#x%X;", p[i]);
        else
            buf_add(b, data + i, n);
        i += n ? n : 1;
    }
}

void xml_str(struct buf *b, const char *name, const char *value)
{
    xml_open(b, name);
    xml_text(b, value, strlen(value));
    xml_close(b, name);
}

void xml_key(struct buf *b, const char *name, const char *data, size_t len, enum xml_coding coding)
{
    xml_open(b, name);
    if (coding == XML_URL)
        uri_encode(b, data, len, URI_SLASH_KEEP);
    else
        xml_text(b, data, len);
    xml_close(b, name);
}

void xml_num(struct buf *b, const char *name, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    xml_open(b, name);
    buf_add(b, digits + at, sizeof digits - at);
    xml_close(b, name);
}

void xml_time(struct buf *b, const char *name, const struct timespec *ts)
{
    char text[DATE_ISO_MAX];

    date_iso(ts, text);
    xml_open(b, name);
    buf_str(b, text);
    xml_close(b, name);
}

void xml_etag(struct buf *b, const char *etag)
{
    buf_str(b, "<ETag>&quot;");
    buf_str(b, etag);
    buf_str(b, "&quot;</ETag>");
}
