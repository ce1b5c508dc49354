/* SPDX-License-Identifier: Apache-2.0 */
/* XML bodies of requests, and the escaping of what is written. */
#include "s3/xml_in.h"
#include "s3/xml_out.h"
#include "settings/lifecycle.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct last {
    char text[XML_TEXT_MAX + 1];
    size_t len;
};

static int on_leaf(void *arg, const char *path, const char *text, size_t len)
{
    struct last *l = arg;

    if (len > XML_TEXT_MAX || strlen(path) > 255)
        abort();
    if (strcmp(path, "t") == 0) {
        memcpy(l->text, text, len);
        l->len = len;
    }
    return 0;
}

/* What xml_text wrote of readable characters, a reader reads back. */
static void round_trip(const uint8_t *data, size_t size)
{
    struct last l = {.len = 0};
    struct buf b;

    for (size_t i = 0; i < size; i++)
        if (data[i] < 32 || data[i] > 126)
            return;
    if (size > XML_TEXT_MAX)
        return;
    buf_init(&b, 1 << 20);
    xml_open(&b, "Delete");
    xml_key(&b, "t", (const char *)data, size, XML_PLAIN);
    xml_close(&b, "Delete");
    if (xml_read(b.data, b.len, "Delete", on_leaf, &l) != 0 || l.len != size ||
        memcmp(l.text, data, size) != 0)
        abort();
    buf_fini(&b);
}

/* Rules that were read can be written, and are read again. */
static void lifecycle(const uint8_t *data, size_t size)
{
    struct lifecycle l, again;
    struct buf b;

    buf_init(&b, 8u << 20);
    if (lifecycle_parse((const char *)data, size, &l) == 0) {
        lifecycle_xml(&l, &b);
        if (b.err || lifecycle_parse(b.data, b.len, &again) != 0 || again.count != l.count)
            abort();
        lifecycle_fini(&again);
    }
    lifecycle_fini(&l);
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const roots[] = {"Delete", "CompleteMultipartUpload",
                                        "CreateBucketConfiguration"};
    struct last l = {.len = 0};
    struct buf b;

    for (size_t i = 0; i < 3; i++)
        xml_read((const char *)data, size, roots[i], on_leaf, &l);
    buf_init(&b, 1 << 20);
    xml_text(&b, (const char *)data, size);
    buf_fini(&b);
    lifecycle(data, size);
    round_trip(data, size);
    return 0;
}
