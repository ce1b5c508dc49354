/* SPDX-License-Identifier: Apache-2.0 */
/* Reading committed content: slices to bytes, holes to zeros, damage to its exact range. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "volume/volume.h"

void volume_damaged(struct pc_volume *v, uint64_t ino, const struct meta_block *block)
{
    char path[512];
    char why[512];
    memccpy(why, pc_err_text(PC_ECORRUPT), '\0', sizeof(why) - 1);
    why[sizeof(why) - 1] = '\0';
    if (pc_path(v, ino, path, sizeof(path)) < 0)
        memcpy(path, "?", 2);
    pc_log(PC_LOG_ERROR, "file.damaged", "%s (inode %llu): %s", path, (unsigned long long)ino, why);
    meta_count_damage(v->meta, 1);
    v->meta->content->block_forget(v->meta, block->bid);
    pc_err_set(PC_ECORRUPT, "%s: %s", path, why);
}

typedef int get_fn(struct data *d, const struct meta_block *block, uint32_t boff, uint32_t len,
                   void *out);

/* Copy the part of one slice that lies in [off, off + len) to its place in ${buf}. */
static int read_slice(struct pc_volume *v, const struct meta_slice *s, get_fn *get, uint8_t *buf,
                      size_t len, uint64_t off)
{
    uint64_t from = s->pos > off ? s->pos : off;
    uint64_t to = s->pos + s->len < off + len ? s->pos + s->len : off + len;
    return get(v->data, &s->block, s->boff + (uint32_t)(from - s->pos), (uint32_t)(to - from),
               buf + (from - off));
}

/* Zero what no slice covers; slices are ordered and do not overlap. */
static void zero_gaps(const struct meta_slice *slices, int n, uint8_t *buf, size_t len,
                      uint64_t off)
{
    uint64_t at = off, end = off + len;
    for (int i = 0; i < n && at < end; i++) {
        uint64_t pos = slices[i].pos < end ? slices[i].pos : end;
        if (pos > at)
            memset(buf + (at - off), 0, (size_t)(pos - at));
        if (slices[i].pos + slices[i].len > at)
            at = slices[i].pos + slices[i].len;
    }
    if (at < end)
        memset(buf + (at - off), 0, (size_t)(end - at));
}

/* One window of slices. Returns bytes done from ${off}, at least 1 unless an error. */
static ssize_t read_window(struct pc_volume *v, uint64_t ino, uint8_t *buf, size_t len,
                           uint64_t off, uint64_t *ret_size)
{
    struct meta_slice slices[CONTENT_MAP];
    uint8_t small[META_INLINE_MAX];
    size_t small_len = 0;
    uint64_t size = 0;
    int n = v->meta->content->read(v->meta, ino, off, len, slices, CONTENT_MAP, small, &small_len,
                                   &size, NULL);
    if (n < 0)
        return n;
    *ret_size = size;
    if (off >= size)
        return 0;
    if (len > size - off)
        len = (size_t)(size - off);
    if (n == CONTENT_MAP) {
        uint64_t end = slices[n - 1].pos + slices[n - 1].len;
        if (end < off + len)
            len = (size_t)(end - off);
    }
    zero_gaps(slices, n, buf, len, off);
    if (off < small_len)
        memcpy(buf, small + off, len < small_len - off ? len : small_len - off);
    for (int i = 0; i < n; i++) {
        if (slices[i].pos >= off + len)
            break;
        int rc = read_slice(v, &slices[i], data_get, buf, len, off);
        if (rc == PC_ECORRUPT)
            volume_damaged(v, ino, &slices[i].block);
        if (rc < 0 && (rc == PC_ESTALEREF || slices[i].pos <= off))
            return rc;
        if (rc < 0)
            return (ssize_t)(slices[i].pos - off);
    }
    return (ssize_t)len;
}

ssize_t content_read(struct pc_volume *v, uint64_t ino, void *buf, size_t len, uint64_t off,
                     uint64_t *ret_size)
{
    uint8_t *p = buf;
    size_t done = 0;
    unsigned stale = 0;
    uint64_t size = 0;
    do {
        ssize_t n = read_window(v, ino, p + done, len - done, off + done, &size);
        if (n == PC_ESTALEREF && ++stale < 8)
            continue;
        if (n < 0) {
            if (done == 0)
                return n == PC_ESTALEREF ? -EIO : n;
            break;
        }
        if (n == 0)
            break;
        done += (size_t)n;
    } while (done < len && off + done < size);
    if (ret_size != NULL)
        *ret_size = size;
    return (ssize_t)done;
}

void content_map(struct pc_volume *v, uint64_t ino, uint64_t off, uint64_t end,
                 struct content_map *map)
{
    uint8_t small[META_INLINE_MAX];
    size_t small_len = 0;
    map->from = map->to = 0;
    int n = v->meta->content->read(v->meta, ino, off, end - off, map->slices, CONTENT_MAP, small,
                                   &small_len, NULL, NULL);
    if (n < 0 || small_len > 0)
        return;
    map->n = (unsigned)n;
    map->from = off;
    map->to = end;
    if (n == CONTENT_MAP && map->slices[n - 1].pos + map->slices[n - 1].len < end)
        map->to = map->slices[n - 1].pos + map->slices[n - 1].len;
}

/* Where a read of [off, end) of a slice had better end: with a whole segment, if that leaves anything. */
static uint64_t whole_segments(const struct meta_slice *s, uint64_t off, uint64_t end)
{
    uint64_t last = s->boff + (end - s->pos), cut = last - last % DATA_SEGMENT;
    if (end == s->pos + s->len || cut <= s->boff)
        return end;
    cut = s->pos + (cut - s->boff);
    return cut > off ? cut : end;
}

ssize_t content_read_now(struct pc_volume *v, const struct content_map *map, void *buf, size_t len,
                         uint64_t off)
{
    uint64_t end;
    unsigned i = 0, first;
    if (off < map->from || off >= map->to || len == 0)
        return -EAGAIN;
    end = len < map->to - off ? off + len : map->to;
    while (i < map->n && map->slices[i].pos + map->slices[i].len <= off)
        i++;
    for (first = i; i < map->n && map->slices[i].pos < end; i++) {
        const struct meta_slice *s = &map->slices[i];
        if (s->pos + s->len > end)
            end = whole_segments(s, off, end);
        if (read_slice(v, s, data_get_now, buf, (size_t)(end - off), off) < 0) {
            end = s->pos;
            break;
        }
    }
    if (end <= off)
        return -EAGAIN;
    zero_gaps(map->slices + first, (int)(i - first), buf, (size_t)(end - off), off);
    return (ssize_t)(end - off);
}

static unsigned blocks_of(struct pc_volume *v, uint64_t ino, uint64_t off, uint64_t len,
                          struct meta_block blocks[CONTENT_MAP])
{
    struct meta_slice slices[CONTENT_MAP];
    int n =
        v->meta->content->read(v->meta, ino, off, len, slices, CONTENT_MAP, NULL, NULL, NULL, NULL);
    for (int i = 0; i < n; i++)
        blocks[i] = slices[i].block;
    return n > 0 ? (unsigned)n : 0;
}

void content_prefetch(struct pc_volume *v, uint64_t ino, uint64_t off, uint64_t len)
{
    struct meta_block blocks[CONTENT_MAP];
    unsigned n = blocks_of(v, ino, off, len, blocks);
    if (n > 0)
        data_prefetch(v->data, blocks, n);
}

void content_ahead(struct pc_volume *v, uint64_t ino, uint64_t off, uint64_t len)
{
    struct meta_block blocks[CONTENT_MAP];
    unsigned n = blocks_of(v, ino, off, len, blocks);
    if (n > 0)
        data_ahead(v->data, blocks, n);
}

int content_to_slices(struct pc_volume *v, uint64_t ino)
{
    uint8_t small[META_INLINE_MAX];
    size_t len = 0;
    int rc = v->meta->content->read(v->meta, ino, 0, 0, NULL, 0, small, &len, NULL, NULL);
    if (rc < 0 || len == 0)
        return rc < 0 ? rc : 0;
    struct meta_slice s = {.pos = 0, .len = (uint32_t)len};
    uint64_t pin = meta_pin(v->meta);
    rc = data_put(v->data, small, (uint32_t)len, &s.block);
    while (rc == 0) {
        unsigned bad;
        rc = v->meta->content->write(v->meta, ino, &s, 1, len, 0, &bad);
        if (rc != PC_ESTALEREF)
            break;
        rc = data_put_again(v->data, small, (uint32_t)len, &s.block);
    }
    meta_unpin(v->meta, pin);
    return rc;
}
