/* SPDX-License-Identifier: Apache-2.0 */
/* The map between S3 keys, the segments that edges store, and the names that the mount shows. */
#include "tree/segment.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "pcloud/digest.h"

#define ESCAPE "%pc-"
#define ESCAPE_LEN 4
#define HEAD_LEN 6 /* "%pc-f-" */
#define DIGEST_LEN 8
#define DIGEST_HEAD_LEN (HEAD_LEN + 2 * DIGEST_LEN + 1)
#define ESCAPED_MAX (3 * SEGMENT_MAX)

static const char hex_upper[] = "0123456789ABCDEF";
static const char hex_lower[] = "0123456789abcdef";

bool segment_next(const char *key, size_t len, size_t *pos, const char **seg, size_t *seg_len)
{
    const char *slash;

    if (*pos >= len)
        return false;
    slash = memchr(key + *pos, '/', len - *pos);
    *seg = key + *pos;
    *seg_len = slash ? (size_t)(slash + 1 - *seg) : len - *pos;
    *pos += *seg_len;
    return true;
}

bool segment_is_folder(const char *seg, size_t len)
{
    return len > 0 && seg[len - 1] == '/';
}

/* Can a path carry this base as it is? */
static bool is_plain(const char *base, size_t len)
{
    if (len == 0 || len > SEGMENT_NAME_MAX || memchr(base, '\0', len) || memchr(base, '/', len))
        return false;
    if (base[0] == '.' && (len == 1 || (len == 2 && base[1] == '.')))
        return false;
    return len < ESCAPE_LEN || memcmp(base, ESCAPE, ESCAPE_LEN) != 0;
}

static bool must_escape(unsigned char c)
{
    return c == '%' || c == '/' || c < 0x20;
}

static size_t escape(const char *base, size_t len, char out[ESCAPED_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)base[i];

        if (must_escape(c)) {
            out[n++] = '%';
            out[n++] = hex_upper[c >> 4];
            out[n++] = hex_upper[c & 15];
        } else {
            out[n++] = (char)c;
        }
    }
    return n;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The inverse of escape, for exactly what escape gives; -ENOENT for the rest. */
static int unescape(const char *s, size_t len, char out[SEGMENT_MAX], size_t *ret_len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c == '%') {
            int hi = i + 1 < len ? hex_value(s[i + 1]) : -1;
            int lo = i + 2 < len ? hex_value(s[i + 2]) : -1;

            if (hi < 0 || lo < 0)
                return -ENOENT;
            c = (unsigned char)(hi << 4 | lo);
            if (!must_escape(c) || c == '/')
                return -ENOENT; /* a base holds no slash */
            i += 2;
        } else if (must_escape(c)) {
            return -ENOENT;
        }
        if (n == SEGMENT_MAX)
            return -ENOENT;
        out[n++] = (char)c;
    }
    *ret_len = n;
    return 0;
}

/* How much of an escaped base fits behind the digest: no escape and no character is cut. */
static size_t fit(const char *escaped, size_t len)
{
    size_t room = SEGMENT_NAME_MAX - DIGEST_HEAD_LEN;

    if (len <= room)
        return len;
    for (size_t back = 1; back <= 2; back++) {
        if (escaped[room - back] == '%')
            return room - back;
    }
    return utf8_cut(escaped, room);
}

/* Without memory for the digest the name is of zeros: no segment is found by it. */
static void digest_of(const char *seg, size_t len, uint8_t out[DIGEST_LEN])
{
    uint8_t full[PC_DIGEST_MAX] = {0};

    if (pc_digest_once(PC_SHA256, seg, len, full) < 0)
        memset(full, 0, sizeof(full));
    memcpy(out, full, DIGEST_LEN);
}

void segment_to_name(const char *seg, size_t len, bool twin, char name[SEGMENT_NAME_MAX + 1])
{
    bool folder = segment_is_folder(seg, len);
    size_t base_len = folder ? len - 1 : len, n;
    char escaped[ESCAPED_MAX];
    uint8_t digest[DIGEST_LEN];

    if (is_plain(seg, base_len) && !(twin && !folder)) {
        memcpy(name, seg, base_len);
        name[base_len] = '\0';
        return;
    }
    n = escape(seg, base_len < SEGMENT_MAX ? base_len : SEGMENT_MAX, escaped);
    memcpy(name, folder ? "%pc-d-" : "%pc-f-", HEAD_LEN);
    if (HEAD_LEN + n <= SEGMENT_NAME_MAX) {
        memcpy(name + HEAD_LEN, escaped, n);
        name[HEAD_LEN + n] = '\0';
        return;
    }
    name[4] = folder ? 'D' : 'F';
    digest_of(seg, len, digest);
    for (size_t i = 0; i < DIGEST_LEN; i++) {
        name[HEAD_LEN + 2 * i] = hex_lower[digest[i] >> 4];
        name[HEAD_LEN + 2 * i + 1] = hex_lower[digest[i] & 15];
    }
    name[DIGEST_HEAD_LEN - 1] = '-';
    n = fit(escaped, n);
    memcpy(name + DIGEST_HEAD_LEN, escaped, n);
    name[DIGEST_HEAD_LEN + n] = '\0';
}

/* 0 if a name of the mount may look like that, plain or escaped. */
static int name_check(const char *name, size_t len)
{
    if (len > SEGMENT_NAME_MAX)
        return -ENAMETOOLONG;
    if (len == 0 || memchr(name, '/', len) || (name[0] == '.' && len == 1) ||
        (len == 2 && name[0] == '.' && name[1] == '.'))
        return -EINVAL;
    return 0;
}

static bool name_is_ours(const char *name, size_t len)
{
    return len >= ESCAPE_LEN && memcmp(name, ESCAPE, ESCAPE_LEN) == 0;
}

static int exact_target(const char *name, size_t len, struct name_target *t)
{
    char again[SEGMENT_NAME_MAX + 1];
    int rc = unescape(name + HEAD_LEN, len - HEAD_LEN, t->seg, &t->len);

    if (rc < 0)
        return rc;
    t->form = NAME_EXACT;
    t->folder = name[4] == 'd';
    if (t->folder)
        t->seg[t->len++] = '/';
    if (t->len == 0)
        return -ENOENT;
    t->seg[t->len] = '\0';
    /* (a file's plain base is escaped beside its twin) */
    segment_to_name(t->seg, t->len, true, again);
    return strcmp(again, name) == 0 ? 0 : -ENOENT;
}

static int digest_target(const char *name, size_t len, struct name_target *t)
{
    if (len < DIGEST_HEAD_LEN || name[DIGEST_HEAD_LEN - 1] != '-')
        return -ENOENT;
    for (size_t i = 0; i < DIGEST_LEN; i++) {
        const char *hi = memchr(hex_lower, name[HEAD_LEN + 2 * i], 16);
        const char *lo = memchr(hex_lower, name[HEAD_LEN + 2 * i + 1], 16);

        if (!hi || !lo)
            return -ENOENT;
        t->digest[i] = (uint8_t)((hi - hex_lower) << 4 | (lo - hex_lower));
    }
    if (unescape(name + DIGEST_HEAD_LEN, len - DIGEST_HEAD_LEN, t->seg, &t->len) < 0)
        return -ENOENT;
    /* a shorter rest would have been shown whole; cut are at most an escape or a character less one byte */
    if (len + 3 < SEGMENT_NAME_MAX)
        return -ENOENT;
    t->seg[t->len] = '\0';
    t->form = NAME_DIGEST;
    t->folder = name[4] == 'D';
    return 0;
}

int name_to_target(const char *name, struct name_target *ret)
{
    size_t len = strnlen(name, SEGMENT_NAME_MAX + 1);
    struct name_target t = {.form = NAME_PLAIN};
    int rc = name_check(name, len);

    if (rc < 0)
        return rc;
    if (!name_is_ours(name, len)) {
        memcpy(t.seg, name, len + 1);
        t.len = len;
    } else {
        if (len < HEAD_LEN || name[5] != '-')
            return -ENOENT;
        if (name[4] == 'f' || name[4] == 'd')
            rc = exact_target(name, len, &t);
        else if (name[4] == 'F' || name[4] == 'D')
            rc = digest_target(name, len, &t);
        else
            rc = -ENOENT;
        if (rc < 0)
            return rc;
    }
    *ret = t;
    return 0;
}

bool segment_digest_matches(const struct name_target *target, const char *seg, size_t len)
{
    uint8_t digest[DIGEST_LEN];

    if (target->form != NAME_DIGEST || segment_is_folder(seg, len) != target->folder ||
        len < target->len || memcmp(seg, target->seg, target->len) != 0)
        return false;
    digest_of(seg, len, digest);
    return memcmp(digest, target->digest, DIGEST_LEN) == 0;
}

int name_to_new_segment(const char *name, bool folder, char seg[SEGMENT_MAX + 1], size_t *ret_len)
{
    size_t len = strnlen(name, SEGMENT_NAME_MAX + 1);
    int rc = name_check(name, len);

    if (rc < 0)
        return rc;
    if (name_is_ours(name, len))
        return -EINVAL;
    memcpy(seg, name, len);
    if (folder)
        seg[len++] = '/';
    seg[len] = '\0';
    *ret_len = len;
    return 0;
}

bool top_is_reserved(const char *name)
{
    static const char *const reserved[] = {"pcloud", ".pcloud", ".snapshots",
                                           ".trash", "ipfs",    "ipns"};

    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (strcmp(name, reserved[i]) == 0)
            return true;
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z');
}

static bool has_prefix(const char *s, size_t len, const char *prefix)
{
    size_t n = strlen(prefix);

    return len >= n && memcmp(s, prefix, n) == 0;
}

static bool has_suffix(const char *s, size_t len, const char *suffix)
{
    size_t n = strlen(suffix);

    return len >= n && memcmp(s + len - n, suffix, n) == 0;
}

/* Formatted as an IPv4 address: four groups of digits. */
static bool is_address(const char *s, size_t len)
{
    unsigned dots = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '.')
            dots++;
        else if (!is_digit(s[i]))
            return false;
    }
    return dots == 3;
}

/* S3's rules for names of general purpose buckets. */
static bool bucket_is_legal(const char *s, size_t len)
{
    if (len < 3 || len > 63 || !is_alnum(s[0]) || !is_alnum(s[len - 1]) || is_address(s, len))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_alnum(s[i]) && s[i] != '-' && s[i] != '.')
            return false;
        if (s[i] == '.' && s[i + 1] == '.')
            return false;
    }
    return !has_prefix(s, len, "xn--") && !has_prefix(s, len, "sthree-") &&
           !has_prefix(s, len, "amzn-s3-demo-") && !has_suffix(s, len, "-s3alias") &&
           !has_suffix(s, len, "--ol-s3") && !has_suffix(s, len, ".mrap") &&
           !has_suffix(s, len, "--x-s3") && !has_suffix(s, len, "--table-s3");
}

bool top_is_bucket(const char *seg, size_t len)
{
    if (!segment_is_folder(seg, len) || (len == 7 && memcmp(seg, "pcloud/", 7) == 0))
        return false;
    return bucket_is_legal(seg, len - 1);
}
