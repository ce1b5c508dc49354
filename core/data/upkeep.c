/* SPDX-License-Identifier: Apache-2.0 */
/* Upkeep of packs: compaction, listing, sizes, removal. */
#include "data/data_impl.h"

#include "base/alloc.h"
#include "pcloud/err.h"

#include <errno.h>
#include <string.h>

#define BATCH 64

int64_t data_pack_size(struct data *d, uint64_t id)
{
    return packs_size(d->packs, id);
}

int data_pack_remove(struct data *d, uint64_t id)
{
    return packs_remove(d->packs, id);
}

int data_pack_ids(struct data *d, int (*fn)(void *arg, uint64_t id), void *arg)
{
    return packs_each(d->packs, fn, arg);
}

struct sum {
    struct data *d;
    uint64_t bytes, packs;
};

/* A pack that went between listing and looking counts nothing. */
static int sum_pack(void *arg, uint64_t id)
{
    struct sum *sum = arg;
    int64_t size = packs_size(sum->d->packs, id);

    if (size < 0)
        return size == -ENOENT ? 0 : (int)size;
    sum->bytes += (uint64_t)size;
    sum->packs++;
    return 0;
}

int data_bytes(struct data *d, uint64_t *ret_bytes, uint64_t *ret_packs)
{
    struct sum sum = {.d = d};
    int r = packs_each(d->packs, sum_pack, &sum);

    if (r < 0)
        return r;
    *ret_bytes = sum.bytes;
    *ret_packs = sum.packs;
    return 0;
}

/* A compaction at work, with room for the longest record met so far. */
struct mover {
    struct data *d;
    uint8_t *rec;
    size_t cap;
    uint64_t moved;
};

/* The block's record, still sealed, whole and right by its checksums, and of this block. */
static int read_record(struct mover *m, const struct meta_block *b)
{
    struct record_info info;
    int r;

    if (b->stored > RECORD_MAX)
        return pc_err_set(PC_ECORRUPT, "record of %u bytes", b->stored);
    if (b->stored > m->cap) {
        uint8_t *more = mem_realloc(m->rec, b->stored);

        if (!more)
            return -ENOMEM;
        m->rec = more;
        m->cap = b->stored;
    }
    r = packs_read(m->d->packs, b->pack, b->off, m->rec, b->stored);
    if (r == 0)
        r = record_check(m->rec, b->stored, &info);
    if (r < 0)
        return r;
    if (memcmp(info.id, b->id, META_BLOCK_ID) != 0 || info.size != b->size ||
        info.stored != b->stored)
        return pc_err_set(PC_ECORRUPT, "another block's record");
    return 0;
}

/* Copy one record and switch the engine. What is damaged, moved or gone stays; other errors end the compaction. */
static int move_record(struct mover *m, const struct meta_block *b)
{
    struct data *d = m->d;
    uint64_t pack, off;
    int r = read_record(m, b);

    if (r == PC_ECORRUPT || r == PC_EFORMAT || r == PC_EVERSION) {
        data_tell_damage(d, b->pack, b->off, pc_err_text(r));
        return 0;
    }
    if (r == 0)
        r = packs_append(d->packs, PACKS_USE_RESERVE, m->rec, b->stored, &pack, &off);
    if (r == 0)
        r = d->meta->content->block_move(d->meta, b->bid, b->pack, b->off, pack, off);
    if (r == PC_ESTALEREF)
        return 0;
    if (r < 0)
        return r;
    m->moved += b->stored;
    return 0;
}

int data_pack_compact(struct data *d, uint64_t id, uint64_t *ret_moved)
{
    struct meta_block *blocks = mem_alloc(BATCH * sizeof *blocks);
    struct mover m = {.d = d};
    uint64_t after = 0;
    int n = 0, r = blocks ? 0 : -ENOMEM;

    while (r == 0) {
        n = d->meta->content->pack_blocks(d->meta, id, after, BATCH, blocks);
        if (n <= 0) {
            r = n;
            break;
        }
        for (int i = 0; r == 0 && i < n; i++)
            r = move_record(&m, &blocks[i]);
        after = blocks[n - 1].off;
    }
    mem_free(m.rec);
    mem_free(blocks);
    if (r < 0)
        return r;
    *ret_moved = m.moved;
    return 0;
}
