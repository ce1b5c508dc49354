/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of objects as packed lists, and their names as extended attributes of the mount. */
#include "meta/ops/header.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "pcloud/err.h"

#define META_HEADER "x-amz-meta-"
#define META_XATTR "user.s3.meta."
#define CHECKSUM_HEADER "x-amz-checksum-"
#define SEALED_HEADER "sse-"

bool header_next(const char *data, size_t len, size_t *pos, const char **name, const char **value)
{
    const char *end, *p = data ? data + *pos : NULL;
    size_t left = len - *pos;

    if (!data || *pos >= len)
        return false;
    end = memchr(p, '\0', left);
    if (!end || end == p)
        return false;
    *name = p;
    left -= (size_t)(end + 1 - p);
    p = end + 1;
    end = memchr(p, '\0', left);
    if (!end)
        return false;
    *value = p;
    *pos = (size_t)(end + 1 - data);
    return true;
}

const char *header_find(const char *data, size_t len, const char *name)
{
    const char *n, *v;
    size_t pos = 0;

    while (header_next(data, len, &pos, &n, &v)) {
        if (strcmp(n, name) == 0)
            return v;
    }
    return NULL;
}

int header_check(const struct pc_headers *h)
{
    const char *n, *v;
    size_t pos = 0;

    if (!h || !h->data)
        return 0;
    if (h->len > PC_META_MAX)
        return pc_err_set(PC_ELIMIT, "more than %d bytes of headers", PC_META_MAX);
    while (header_next(h->data, h->len, &pos, &n, &v))
        ;
    return pos == h->len ? 0 : -EINVAL;
}

static int append(char *out, size_t *n, const void *data, size_t len)
{
    if (len >= PC_META_MAX - *n)
        return -ENOSPC;
    memcpy(out + *n, data, len);
    *n += len;
    out[(*n)++] = '\0';
    return 0;
}

int header_put(const char *data, size_t len, const char *name, const void *value, size_t value_len,
               char out[PC_META_MAX], size_t *ret_len)
{
    const char *n, *v;
    size_t pos = 0, used = 0;
    int rc = 0;

    while (rc == 0 && header_next(data, len, &pos, &n, &v)) {
        if (strcmp(n, name) == 0)
            continue;
        rc = append(out, &used, n, strlen(n));
        if (rc == 0)
            rc = append(out, &used, v, strlen(v));
    }
    if (rc == 0 && value) {
        rc = append(out, &used, name, strlen(name));
        if (rc == 0)
            rc = append(out, &used, value, value_len);
    }
    if (rc == 0)
        *ret_len = used;
    return rc;
}

int header_change(const char *data, size_t len, const struct pc_headers *change,
                  char out[PC_META_MAX], size_t *ret_len)
{
    const char *n, *v;
    size_t pos = 0, used = 0;
    int rc = 0;

    while (rc == 0 && header_next(data, len, &pos, &n, &v)) {
        if (header_find(change->data, change->len, n))
            continue;
        rc = append(out, &used, n, strlen(n));
        if (rc == 0)
            rc = append(out, &used, v, strlen(v));
    }
    pos = 0;
    while (rc == 0 && header_next(change->data, change->len, &pos, &n, &v)) {
        if (*v == '\0')
            continue;
        rc = append(out, &used, n, strlen(n));
        if (rc == 0)
            rc = append(out, &used, v, strlen(v));
    }
    if (rc < 0)
        return pc_err_set(PC_ELIMIT, "more than %d bytes of headers", PC_META_MAX);
    *ret_len = used;
    return 0;
}

size_t header_drop_checksums(char *data, size_t len)
{
    const char *n, *v;
    size_t pos = 0, used = 0, from = 0;

    while (header_next(data, len, &pos, &n, &v)) {
        if (strncmp(n, CHECKSUM_HEADER, strlen(CHECKSUM_HEADER)) != 0 &&
            strncmp(n, SEALED_HEADER, strlen(SEALED_HEADER)) != 0) {
            memmove(data + used, data + from, pos - from);
            used += pos - from;
        }
        from = pos;
    }
    return used;
}

/* What the mount may see and set; checksums and what S3 decides itself are not among them. */
static bool is_shown(const char *name)
{
    static const char *const shown[] = {"content-type",
                                        "cache-control",
                                        "content-disposition",
                                        "content-encoding",
                                        "content-language",
                                        "expires",
                                        "x-amz-website-redirect-location"};

    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        if (strcmp(name, shown[i]) == 0)
            return true;
    }
    return false;
}

/* A header's name as S3 keeps it: a token in lower case. */
static bool is_token(const char *s)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";

    return *s != '\0' && s[strspn(s, legal)] == '\0';
}

int header_of_xattr(const char *xattr, char name[PC_XATTR_NAME_MAX + 8])
{
    size_t len = strnlen(xattr, PC_XATTR_NAME_MAX + 1);

    if (len > PC_XATTR_NAME_MAX)
        return -EOPNOTSUPP;
    if (strncmp(xattr, META_XATTR, strlen(META_XATTR)) == 0) {
        xattr += strlen(META_XATTR);
        if (!is_token(xattr))
            return -EOPNOTSUPP;
        memcpy(name, META_HEADER, strlen(META_HEADER));
        memcpy(name + strlen(META_HEADER), xattr, strlen(xattr) + 1);
        return 0;
    }
    xattr += strlen(HEADER_XATTR);
    if (!is_shown(xattr))
        return -EOPNOTSUPP;
    memcpy(name, xattr, strlen(xattr) + 1);
    return 0;
}

bool header_to_xattr(const char *name, char xattr[PC_XATTR_NAME_MAX + 1])
{
    const char *prefix = HEADER_XATTR;
    size_t len;

    if (strncmp(name, META_HEADER, strlen(META_HEADER)) == 0) {
        name += strlen(META_HEADER);
        prefix = META_XATTR;
        if (!is_token(name))
            return false;
    } else if (!is_shown(name)) {
        return false;
    }
    len = strlen(name);
    if (strlen(prefix) + len > PC_XATTR_NAME_MAX)
        return false;
    memcpy(xattr, prefix, strlen(prefix));
    memcpy(xattr + strlen(prefix), name, len + 1);
    return true;
}

int header_load(struct sql_conn *c, uint64_t ino, char **ret, size_t *ret_len)
{
    static const char sql[] = "SELECT headers FROM object WHERE ino=?1";
    const char *data;
    char *copy = NULL;
    size_t len;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", ino);

    if (rc < 0)
        return rc;
    *ret = NULL;
    *ret_len = 0;
    if (rc == 0)
        return 0;
    rc = col_blob(st, 0, &data, &len);
    if (rc == 0 && len > PC_META_MAX)
        rc = pc_err_set(PC_ECORRUPT, "node %llu: too many headers", (unsigned long long)ino);
    if (rc == 0 && len > 0) {
        copy = mem_dup(data, len);
        if (!copy)
            rc = -ENOMEM;
        *ret = copy;
        *ret_len = copy ? len : 0;
    }
    sqlite3_reset(st);
    return rc;
}
