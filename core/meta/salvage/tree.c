/* SPDX-License-Identifier: Apache-2.0 */
/* Rows out of SQLite's b-trees, page by page, past what is damaged. */
#include "meta/salvage/tree.h"

#include "base/alloc.h"
#include "pcloud/err.h"

#include <string.h>

#define DEPTH_MAX 24
#define USABLE SEAL_CONTENT

enum { BRANCH_ROWS = 0x05, BRANCH_KEYS = 0x02 };

struct bytes {
    const uint8_t *at, *end;
};

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

/* fileformat2: "A variable-length integer or varint … at most nine bytes, most-significant first; the ninth has eight bits." */
static bool varint(struct bytes *b, uint64_t *ret)
{
    uint64_t v = 0;

    for (int i = 0; i < 9; i++) {
        if (b->at == b->end)
            return false;
        if (i == 8) {
            *ret = v << 8 | *b->at++;
            return true;
        }
        v = v << 7 | (*b->at & 0x7f);
        if (!(*b->at++ & 0x80)) {
            *ret = v;
            return true;
        }
    }
    return false;
}

static int64_t integer(const uint8_t *p, size_t n)
{
    uint64_t v = n && (p[0] & 0x80) ? UINT64_MAX : 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return (int64_t)v;
}

/* One value by its serial type; the number of its bytes, or -1. */
static int64_t value(uint64_t type, const uint8_t *p, size_t room, struct tree_value *ret)
{
    static const uint8_t sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
    struct tree_value v = {.p = p};
    uint64_t n = type < 10 ? sizes[type] : (type - 12) / 2, bits;

    if (type == 10 || type == 11 || n > room)
        return -1;
    v.len = (size_t)n;
    if (type >= 12) {
        v.type = type % 2 ? TREE_TEXT : TREE_BLOB;
    } else if (type == 7) {
        bits = (uint64_t)integer(p, 8);
        memcpy(&v.d, &bits, sizeof v.d);
        v.type = TREE_REAL;
    } else if (type != 0) {
        v.type = TREE_INT;
        v.i = type >= 8 ? (int64_t)type - 8 : integer(p, (size_t)n);
    }
    *ret = v;
    return (int64_t)n;
}

static bool record(const uint8_t *p, size_t len, struct tree_row *row)
{
    struct bytes head = {p, p + len};
    const uint8_t *body;
    uint64_t head_len;

    if (!varint(&head, &head_len) || head_len > len)
        return false;
    body = p + head_len;
    head.end = body;
    for (row->n = 0; head.at < head.end; row->n++) {
        uint64_t type;
        int64_t n;

        if (row->n == TREE_COLUMNS || !varint(&head, &type))
            return false;
        n = value(type, body, (size_t)(p + len - body), &row->v[row->n]);
        if (n < 0)
            return false;
        body += n;
    }
    return true;
}

/* How much of a payload lies in its cell. */
static size_t local_size(uint64_t payload, enum tree_kind kind)
{
    uint64_t max = kind == TREE_ROWS ? USABLE - 35 : (USABLE - 12) * 64 / 255 - 23;
    uint64_t min = (USABLE - 12) * 32 / 255 - 23, k;

    if (payload <= max)
        return (size_t)payload;
    k = min + (payload - min) % (USABLE - 4);
    return (size_t)(k <= max ? k : min);
}

static bool overflow_read(struct image *im, uint32_t pgno, uint8_t *out, size_t len)
{
    uint8_t page[SEAL_PAGE];

    while (len > 0) {
        size_t n = len < USABLE - 4 ? len : USABLE - 4;

        if (!image_mark(im, pgno) || image_page(im, pgno, page) < 0)
            return false;
        memcpy(out, page + 4, n);
        out += n;
        len -= n;
        pgno = be32(page);
    }
    return true;
}

/* A cell's payload, rowid and row. 0: given or not readable (counted); negative: ended. */
static int cell(struct tree *t, struct bytes b, enum tree_kind kind)
{
    struct tree_row row = {0};
    uint64_t len, rowid = 0;
    uint8_t *whole = NULL;
    size_t local;
    int r = 0;
    bool good =
        varint(&b, &len) && len <= TREE_PAYLOAD_MAX && (kind != TREE_ROWS || varint(&b, &rowid));

    if (!good)
        goto lost;
    local = local_size(len, kind);
    if ((size_t)(b.end - b.at) < local + (local < len ? 4 : 0))
        goto lost;
    if (local < len) {
        whole = mem_alloc((size_t)len);
        if (!whole)
            return -ENOMEM;
        memcpy(whole, b.at, local);
        if (!overflow_read(t->im, be32(b.at + local), whole + local, (size_t)len - local))
            goto lost;
    }
    if (!record(whole ? whole : b.at, (size_t)len, &row))
        goto lost;
    row.rowid = (int64_t)rowid;
    t->rows++;
    r = t->row(t->arg, &row);
    mem_free(whole);
    return r;
lost:
    t->lost_cells++;
    mem_free(whole);
    return 0;
}

struct view {
    const uint8_t *page;
    unsigned type, cells, head; /* head: where the array of cells begins */
    uint32_t last_child;
};

static bool view_open(const uint8_t *page, uint32_t pgno, struct view *ret)
{
    unsigned at = pgno == 1 ? 100 : 0;
    struct view v = {.page = page, .type = page[at], .cells = be16(page + at + 3)};
    bool branch = v.type == BRANCH_ROWS || v.type == BRANCH_KEYS;

    if (!branch && v.type != TREE_ROWS && v.type != TREE_KEYS)
        return false;
    v.head = at + (branch ? 12 : 8);
    v.last_child = branch ? be32(page + at + 8) : 0;
    if (v.head + 2 * v.cells > USABLE)
        return false;
    *ret = v;
    return true;
}

static bool view_cell(const struct view *v, unsigned i, struct bytes *ret)
{
    unsigned at = be16(v->page + v->head + 2 * i);

    if (at < v->head || at + 4 > USABLE)
        return false;
    *ret = (struct bytes){v->page + at, v->page + USABLE};
    return true;
}

static int walk(struct tree *t, uint32_t pgno, enum tree_kind kind, unsigned depth)
{
    unsigned branch = kind == TREE_ROWS ? BRANCH_ROWS : BRANCH_KEYS;
    uint8_t page[SEAL_PAGE];
    struct view v;
    int r = 0;

    if (depth == DEPTH_MAX || !image_mark(t->im, pgno))
        return 0;
    if (image_page(t->im, pgno, page) < 0 || !view_open(page, pgno, &v) ||
        (v.type != kind && v.type != branch)) {
        t->lost_pages++;
        t->branches_lost = true; /* it may have been one */
        return 0;
    }
    for (unsigned i = 0; r >= 0 && i < v.cells; i++) {
        struct bytes b;

        if (!view_cell(&v, i, &b)) {
            t->lost_cells++;
            continue;
        }
        if (v.type == branch) {
            r = walk(t, be32(b.at), kind, depth + 1);
            b.at += 4;
        }
        if (r >= 0 && (v.type == kind || kind == TREE_KEYS))
            r = cell(t, b, kind);
    }
    if (r >= 0 && v.type == branch)
        r = walk(t, v.last_child, kind, depth + 1);
    return r < 0 ? r : 0;
}

int tree_walk(struct tree *t, uint32_t root, enum tree_kind kind)
{
    return walk(t, root, kind, 0);
}

int tree_leaf(struct tree *t, uint32_t pgno, enum tree_kind kind)
{
    uint8_t page[SEAL_PAGE];
    struct view v;
    int r = 0;

    if (image_page(t->im, pgno, page) < 0 || !view_open(page, pgno, &v) || v.type != kind)
        return 0;
    for (unsigned i = 0; r >= 0 && i < v.cells; i++) {
        struct bytes b;

        if (view_cell(&v, i, &b))
            r = cell(t, b, kind);
    }
    return r < 0 ? r : 0;
}

static int nothing(void *arg, const struct tree_row *row)
{
    (void)arg;
    (void)row;
    return 0;
}

void tree_mark(struct image *im, uint32_t root)
{
    struct tree t = {.im = im, .row = nothing};
    uint8_t page[SEAL_PAGE];
    struct view v;

    if (image_page(im, root, page) < 0 || !view_open(page, root, &v))
        return;
    walk(&t, root, v.type == TREE_ROWS || v.type == BRANCH_ROWS ? TREE_ROWS : TREE_KEYS, 0);
}

/* fileformat2: "A freelist trunk page consists of an array of 4-byte big-endian integers: the next trunk page, the number of leaf pages, the leaf pages." */
void tree_mark_free(struct image *im)
{
    uint8_t page[SEAL_PAGE];
    uint32_t trunk;

    if (image_page(im, 1, page) < 0)
        return;
    trunk = be32(page + 32);
    while (image_mark(im, trunk) && image_page(im, trunk, page) == 0) {
        uint32_t n = be32(page + 4);

        for (uint32_t i = 0; i < n && 8 + 4 * i + 4 <= USABLE; i++)
            image_mark(im, be32(page + 8 + 4 * i));
        trunk = be32(page);
    }
}
