/* SPDX-License-Identifier: Apache-2.0 */
/* The x-amz-checksum family: which one a request means, what an object's is, and those of multipart objects. */
#include "auth/checksum.h"

#include "s3/ops.h"
#include "s3/s3.h"

#include "pcloud/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    enum pc_digest_kind kind;
    const char *name, *header, *element;
} kinds[] = {
    {PC_CRC32, "CRC32", "x-amz-checksum-crc32", "ChecksumCRC32"},
    {PC_CRC32C, "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C"},
    {PC_CRC64NVME, "CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME"},
    {PC_SHA1, "SHA1", "x-amz-checksum-sha1", "ChecksumSHA1"},
    {PC_SHA256, "SHA256", "x-amz-checksum-sha256", "ChecksumSHA256"},
};
#define PARTS "x-amz-checksum-parts" /* kept with the object, never sent */
#define PARTS_KEPT_MAX 8192          /* bytes */
#define KINDS (sizeof kinds / sizeof kinds[0])

int checksum_kind(const char *name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcasecmp(kinds[i].name, name) == 0)
            return (int)kinds[i].kind;
    return -1;
}

static size_t row_of(int kind)
{
    size_t i = 0;

    while (i < KINDS - 1 && (int)kinds[i].kind != kind)
        i++;
    return i;
}

const char *checksum_name(int kind)
{
    return kinds[row_of(kind)].name;
}

const char *checksum_element(int kind)
{
    return kinds[row_of(kind)].element;
}

const char *checksum_header(int kind)
{
    return kinds[row_of(kind)].header;
}

bool checksum_valid(int kind, const char *value)
{
    uint8_t raw[PC_DIGEST_MAX + 2];

    return pc_unbase64(value, strlen(value), raw, sizeof raw) ==
           (int)pc_digest_size((enum pc_digest_kind)kind);
}

/* x-amz-trailer names at most one checksum. */
static int parse_trailer(struct s3 *s)
{
    const char *v = s3_header(s, "x-amz-trailer");

    if (!v)
        return 0;
    if (!s->chunk && s->payload != S3_PAYLOAD_CHUNKED)
        return s3_fail(s, S3_EREQUEST, "The x-amz-trailer header needs a streaming payload");
    for (size_t i = 0; i < KINDS; i++)
        if (strcasecmp(kinds[i].header, v) == 0) {
            if (s->sum_kind >= 0)
                return s3_fail(s, S3_EREQUEST, "Expecting a single x-amz-checksum- header");
            s->sum_kind = (int)kinds[i].kind;
            s->sum_trailer = true;
            return 0;
        }
    return s3_fail(s, S3_EREQUEST,
                   "The value specified in the x-amz-trailer header is not supported");
}

int checksum_parse(struct s3 *s)
{
    const char *algorithm = s3_header(s, "x-amz-sdk-checksum-algorithm");
    int named = algorithm ? checksum_kind(algorithm) : -1, rc;

    if (algorithm && named < 0)
        return s3_fail(s, S3_EREQUEST, "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    for (size_t i = 0; i < KINDS; i++) {
        const char *v = s3_header(s, kinds[i].header);

        if (!v)
            continue;
        if (s->sum_kind >= 0)
            return s3_fail(s, S3_EREQUEST, "Expecting a single x-amz-checksum- header");
        if (s->op->run == op_complete_upload) /* of the object to be, not of this body */
            continue;
        if (!checksum_valid((int)kinds[i].kind, v))
            return s3_fail(s, S3_EREQUEST, "Value for %s header is invalid.", kinds[i].header);
        s->sum_kind = (int)kinds[i].kind;
        memcpy(s->sum_want, v, strlen(v) + 1);
    }
    rc = parse_trailer(s);
    if (rc < 0)
        return rc;
    if (named >= 0 && s->sum_kind >= 0 && named != s->sum_kind)
        return s3_fail(s, S3_EREQUEST, "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    if (named >= 0 && s->sum_kind < 0 && s->op->body == S3_BODY_OBJECT)
        return s3_fail(
            s, S3_EREQUEST,
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
            "x-amz-trailer headers were found.");
    return 0;
}

void checksum_reply(struct s3 *s, const struct pc_headers *h)
{
    for (size_t i = 0; i < KINDS; i++) {
        const char *v = pc_headers_get(h, kinds[i].header), *type;

        if (!v)
            continue;
        req_reply_header(s->r, kinds[i].header, v);
        type = pc_headers_get(h, "x-amz-checksum-type");
        req_reply_header(s->r, "x-amz-checksum-type",
                         type             ? type
                         : strchr(v, '-') ? "COMPOSITE"
                                          : "FULL_OBJECT");
    }
}

void checksum_xml(struct buf *b, const struct pc_headers *h)
{
    for (size_t i = 0; i < KINDS; i++) {
        const char *v = pc_headers_get(h, kinds[i].header), *type;

        if (!v)
            continue;
        xml_str(b, kinds[i].element, v);
        type = pc_headers_get(h, "x-amz-checksum-type");
        xml_str(b, "ChecksumType", type ? type : strchr(v, '-') ? "COMPOSITE" : "FULL_OBJECT");
    }
}

void checksum_part_xml(struct buf *b, const char *checksum)
{
    const char *eq = strchr(checksum, '=');
    size_t len = eq ? (size_t)(eq - checksum) : 0;

    for (size_t i = 0; len && i < KINDS; i++)
        if (strlen(kinds[i].header) == len && memcmp(kinds[i].header, checksum, len) == 0)
            xml_str(b, kinds[i].element, eq + 1);
}

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

/* The checksum of all parts in ${out}, base64: of the whole content, or of the parts' checksums. */
static int combine(int kind, bool composite, const struct pc_part *parts, size_t n, char out[64])
{
    size_t size = pc_digest_size((enum pc_digest_kind)kind),
           prefix = strlen(checksum_header(kind)) + 1, len;
    struct pc_digest *d = composite ? pc_digest_new((enum pc_digest_kind)kind) : NULL;
    uint8_t raw[PC_DIGEST_MAX + 2];
    uint64_t crc = 0;

    if (composite && !d)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const char *v = parts[i].checksum;

        if (strncmp(v, checksum_header(kind), prefix - 1) != 0 || v[prefix - 1] != '=' ||
            pc_unbase64(v + prefix, strlen(v + prefix), raw, sizeof raw) != (int)size) {
            pc_digest_free(d);
            return -ENODATA; /* a part without it: the object has none */
        }
        if (composite)
            pc_digest_update(d, raw, size);
        else
            crc = i == 0 ? big_endian(raw, size)
                         : pc_crc_combine((enum pc_digest_kind)kind, crc, big_endian(raw, size),
                                          parts[i].size);
    }
    if (composite)
        pc_digest_final(d, raw);
    for (size_t i = 0; !composite && i < size; i++)
        raw[i] = (uint8_t)(crc >> 8 * (size - 1 - i));
    pc_digest_free(d);
    pc_base64(raw, size, out);
    len = strlen(out);
    if (composite)
        snprintf(out + len, 64 - len, "-%zu", n);
    return 0;
}

/* The parts' own checksums, "base64,base64,…", for GET by part; left out where there are too many to keep. */
static void add_parts(struct buf *headers, int kind, const struct pc_part *parts, size_t n)
{
    size_t prefix = strlen(checksum_header(kind)) + 1;

    if (n * 4 * (pc_digest_size((enum pc_digest_kind)kind) + 4) / 3 > PARTS_KEPT_MAX)
        return;
    buf_add(headers, PARTS, sizeof PARTS);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(headers, ',');
        buf_str(headers, parts[i].checksum + prefix);
    }
    buf_char(headers, '\0');
}

/* Which checksum the object has; -1: none. */
static int kind_of(const struct pc_headers *h)
{
    for (size_t i = 0; i < KINDS; i++)
        if (pc_headers_get(h, kinds[i].header))
            return (int)kinds[i].kind;
    return -1;
}

int checksum_of_part(const struct pc_headers *h, unsigned number, char out[64])
{
    const char *list = pc_headers_get(h, PARTS);
    int kind = list ? kind_of(h) : -1;

    for (unsigned i = 1; kind >= 0 && *list; i++) {
        size_t len = strcspn(list, ",");

        if (i == number && len < 64) {
            memcpy(out, list, len);
            out[len] = '\0';
            return kind;
        }
        list += len + (list[len] == ',');
    }
    return -1;
}

int checksum_of_parts(struct s3 *s, const struct pc_headers *upload, const struct pc_part *parts,
                      size_t n, struct buf *headers)
{
    const char *algorithm = pc_headers_get(upload, "x-amz-checksum-algorithm");
    const char *type = pc_headers_get(upload, "x-amz-checksum-type"), *want;
    int kind = algorithm ? checksum_kind(algorithm) : -1, rc;
    char value[64];

    if (kind < 0)
        return 0;
    rc = combine(kind, type && strcmp(type, "COMPOSITE") == 0, parts, n, value);
    if (rc == -ENODATA)
        return 0;
    if (rc < 0)
        return rc;
    want = s3_header(s, checksum_header(kind));
    if (want && strncmp(want, value, strcspn(value, "-")) != 0)
        return s3_fail(s, S3_EBADDIGEST,
                       "The %s you specified did not match the calculated checksum.",
                       checksum_name(kind));
    headers_add(headers, checksum_header(kind), value);
    headers_add(headers, "x-amz-checksum-type", type);
    add_parts(headers, kind, parts, n);
    return 0;
}
