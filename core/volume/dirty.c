/* SPDX-License-Identifier: Apache-2.0 */
/* Unwritten ranges of one file in memory: sorted, apart from each other, newest content wins. */
#include "volume/dirty.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"

static uint64_t extent_end(const struct dirty_extent *e)
{
    return e->pos + e->len;
}

/* The first extent whose end is at or after ${pos}. */
static size_t find(const struct dirty *d, uint64_t pos)
{
    size_t lo = 0, hi = d->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (extent_end(&d->v[mid]) < pos)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int reserve_slot(struct dirty *d)
{
    if (d->n < d->cap)
        return 0;
    size_t cap = d->cap != 0 ? 2 * d->cap : 4;
    struct dirty_extent *v = mem_realloc(d->v, cap * sizeof(*v));
    if (v == NULL)
        return -ENOMEM;
    d->v = v;
    d->cap = cap;
    return 0;
}

static int reserve_bytes(struct dirty_extent *e, size_t len)
{
    if (len <= e->cap)
        return 0;
    size_t cap = e->cap != 0 ? e->cap : 4096;
    while (cap < len)
        cap *= 2;
    uint8_t *data = mem_realloc(e->data, cap);
    if (data == NULL)
        return -ENOMEM;
    e->data = data;
    e->cap = cap;
    return 0;
}

static int insert(struct dirty *d, size_t at, const void *buf, size_t len, uint64_t pos)
{
    int rc = reserve_slot(d);
    if (rc < 0)
        return rc;
    struct dirty_extent e = {.pos = pos, .len = len};
    rc = reserve_bytes(&e, len);
    if (rc < 0)
        return rc;
    memcpy(e.data, buf, len);
    memmove(&d->v[at + 1], &d->v[at], (d->n - at) * sizeof(e));
    d->v[at] = e;
    d->n++;
    d->bytes += len;
    return 0;
}

void dirty_remove(struct dirty *d, struct dirty_extent *e)
{
    size_t at = (size_t)(e - d->v);
    d->bytes -= e->len;
    mem_free(e->data);
    memmove(e, e + 1, (d->n - at - 1) * sizeof(*e));
    d->n--;
}

void dirty_clear(struct dirty *d)
{
    for (size_t i = 0; i < d->n; i++)
        mem_free(d->v[i].data);
    mem_free(d->v);
    memset(d, 0, sizeof(*d));
}

/* Join extents [first, last) and the new range into the extent ${first}. */
static int join(struct dirty *d, size_t first, size_t last, const void *buf, size_t len,
                uint64_t pos)
{
    struct dirty_extent *a = &d->v[first];
    uint64_t start = a->pos < pos ? a->pos : pos;
    uint64_t end = extent_end(&d->v[last - 1]);
    if (pos + len > end)
        end = pos + len;
    if (end - start > DIRTY_EXTENT_MAX)
        return -E2BIG;
    int rc = reserve_bytes(a, (size_t)(end - start));
    if (rc < 0)
        return rc;
    memmove(a->data + (a->pos - start), a->data, a->len);
    size_t had = a->len;
    for (size_t i = first + 1; i < last; i++) {
        memcpy(a->data + (d->v[i].pos - start), d->v[i].data, d->v[i].len);
        had += d->v[i].len;
        mem_free(d->v[i].data);
    }
    memcpy(a->data + (pos - start), buf, len);
    a->pos = start;
    a->len = (size_t)(end - start);
    memmove(&d->v[first + 1], &d->v[last], (d->n - last) * sizeof(*a));
    d->n -= last - first - 1;
    d->bytes += a->len - had;
    return 0;
}

int dirty_write(struct dirty *d, const void *buf, size_t len, uint64_t pos)
{
    if (len > DIRTY_EXTENT_MAX)
        return -E2BIG;
    size_t first = find(d, pos), last = first;
    while (last < d->n && d->v[last].pos <= pos + len)
        last++;
    return first == last ? insert(d, first, buf, len, pos) : join(d, first, last, buf, len, pos);
}

int dirty_fill(struct dirty *d, const void *buf, size_t len, uint64_t pos)
{
    uint64_t end = pos + len;
    uint64_t at = pos;
    while (at < end) {
        size_t i = find(d, at + 1);
        uint64_t stop = i < d->n && d->v[i].pos < end ? d->v[i].pos : end;
        if (i < d->n && d->v[i].pos <= at) {
            at = extent_end(&d->v[i]);
            continue;
        }
        int rc = dirty_write(d, (const uint8_t *)buf + (at - pos), (size_t)(stop - at), at);
        if (rc < 0)
            return rc;
        at = stop;
    }
    return 0;
}

int dirty_cut(struct dirty *d, uint64_t pos, uint64_t len)
{
    uint64_t end = len > UINT64_MAX - pos ? UINT64_MAX : pos + len;
    size_t i = find(d, pos);
    while (i < d->n && d->v[i].pos < end) {
        struct dirty_extent *e = &d->v[i];
        uint64_t e_end = extent_end(e);
        if (e_end <= pos) {
            i++;
        } else if (e->pos >= pos && e_end <= end) {
            dirty_remove(d, e);
        } else if (e->pos < pos && e_end > end) {
            size_t keep = (size_t)(pos - e->pos), skip = (size_t)(end - e->pos);
            int rc = insert(d, i + 1, e->data + skip, e->len - skip, end);
            if (rc < 0)
                return rc;
            e = &d->v[i];
            d->bytes -= e->len - keep;
            e->len = keep;
            i += 2;
        } else if (e->pos < pos) {
            d->bytes -= (size_t)(e_end - pos);
            e->len = (size_t)(pos - e->pos);
            i++;
        } else {
            size_t skip = (size_t)(end - e->pos);
            memmove(e->data, e->data + skip, e->len - skip);
            e->pos = end;
            e->len -= skip;
            d->bytes -= skip;
            i++;
        }
    }
    return 0;
}

void dirty_overlay(const struct dirty *d, void *buf, size_t len, uint64_t pos)
{
    for (size_t i = find(d, pos); i < d->n && d->v[i].pos < pos + len; i++) {
        const struct dirty_extent *e = &d->v[i];
        uint64_t from = e->pos > pos ? e->pos : pos;
        uint64_t to = extent_end(e) < pos + len ? extent_end(e) : pos + len;
        if (from < to)
            memcpy((uint8_t *)buf + (from - pos), e->data + (from - e->pos), (size_t)(to - from));
    }
}

int dirty_covers(const struct dirty *d, uint64_t pos, uint64_t len)
{
    uint64_t at = pos;
    for (size_t i = find(d, pos + 1); i < d->n && at < pos + len && d->v[i].pos <= at; i++)
        at = extent_end(&d->v[i]);
    return at >= pos + len;
}

struct dirty_extent *dirty_at_end(struct dirty *d, uint64_t pos)
{
    size_t i = find(d, pos);
    return i < d->n && extent_end(&d->v[i]) == pos ? &d->v[i] : NULL;
}
