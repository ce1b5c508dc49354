/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of blocks and packs in arrays, under one mutex. */
#include "mem_meta.h"

#include "pcloud/err.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct row {
    struct meta_block block; /* bid 0: gone */
    bool forgotten;
};

struct pack_row {
    uint64_t id, size;
    bool sealed, orphan;
};

struct mem_meta {
    struct meta meta;
    pthread_mutex_t lock;
    struct row *rows; /* row of bid n at n - 1 */
    size_t rows_n;
    struct pack_row *packs; /* row of pack n at n - 1 */
    size_t packs_n;
    int fail;
};

static struct mem_meta *of(struct meta *m)
{
    struct mem_meta *mm = (struct mem_meta *)(void *)m;

    pthread_mutex_lock(&mm->lock);
    return mm;
}

static int leave(struct mem_meta *mm, int r)
{
    pthread_mutex_unlock(&mm->lock);
    return r;
}

static void *grown(void *array, size_t n, size_t size)
{
    array = realloc(array, (n + 1) * size);
    if (!array)
        abort();
    return array;
}

static struct row *by_id(struct mem_meta *mm, const uint8_t *id)
{
    for (size_t i = 0; i < mm->rows_n; i++)
        if (mm->rows[i].block.bid && memcmp(mm->rows[i].block.id, id, META_BLOCK_ID) == 0)
            return &mm->rows[i];
    return NULL;
}

static struct row *by_bid(struct mem_meta *mm, uint64_t bid)
{
    return bid > 0 && bid <= mm->rows_n && mm->rows[bid - 1].block.bid ? &mm->rows[bid - 1] : NULL;
}

static int block_find(struct meta *m, const uint8_t id[META_BLOCK_ID], struct meta_block *ret)
{
    struct mem_meta *mm = of(m);
    struct row *row = by_id(mm, id);

    if (mm->fail)
        return leave(mm, mm->fail);
    if (!row || row->forgotten)
        return leave(mm, 0);
    *ret = row->block;
    return leave(mm, 1);
}

static int block_forget(struct meta *m, uint64_t bid)
{
    struct mem_meta *mm = of(m);
    struct row *row = by_bid(mm, bid);

    if (row)
        row->forgotten = true;
    return leave(mm, mm->fail);
}

static int block_get(struct meta *m, uint64_t bid, struct meta_block *ret)
{
    struct mem_meta *mm = of(m);
    struct row *row = by_bid(mm, bid);

    if (row)
        *ret = row->block;
    return leave(mm, row ? 0 : -ENOENT);
}

static int pack_new(struct meta *m, uint64_t *ret_id)
{
    struct mem_meta *mm = of(m);

    if (mm->fail)
        return leave(mm, mm->fail);
    mm->packs = grown(mm->packs, mm->packs_n, sizeof *mm->packs);
    mm->packs[mm->packs_n] = (struct pack_row){.id = mm->packs_n + 1};
    *ret_id = ++mm->packs_n;
    return leave(mm, 0);
}

static int pack_seal(struct meta *m, uint64_t id, uint64_t size)
{
    struct mem_meta *mm = of(m);

    if (mm->fail)
        return leave(mm, mm->fail);
    if (id == 0 || id > mm->packs_n || mm->packs[id - 1].sealed)
        abort();
    mm->packs[id - 1].sealed = true;
    mm->packs[id - 1].size = size;
    return leave(mm, 0);
}

static int pack_blocks(struct meta *m, uint64_t pack, uint64_t after_off, unsigned max,
                       struct meta_block *blocks)
{
    struct mem_meta *mm = of(m);
    unsigned n = 0;

    if (mm->fail)
        return leave(mm, mm->fail);
    while (n < max) {
        struct row *next = NULL;

        for (size_t i = 0; i < mm->rows_n; i++) {
            struct row *row = &mm->rows[i];

            if (row->block.bid && row->block.pack == pack && row->block.off > after_off &&
                (!next || row->block.off < next->block.off))
                next = row;
        }
        if (!next)
            break;
        blocks[n++] = next->block;
        after_off = next->block.off;
    }
    return leave(mm, (int)n);
}

static int block_move(struct meta *m, uint64_t bid, uint64_t old_pack, uint64_t old_off,
                      uint64_t new_pack, uint64_t new_off)
{
    struct mem_meta *mm = of(m);
    struct row *row = by_bid(mm, bid);

    if (mm->fail)
        return leave(mm, mm->fail);
    if (!row || row->block.pack != old_pack || row->block.off != old_off)
        return leave(mm, PC_ESTALEREF);
    row->block.pack = new_pack;
    row->block.off = new_off;
    return leave(mm, 0);
}

static int pack_adopt(struct meta *m, int64_t (*size_of)(void *arg, uint64_t id), void *arg)
{
    struct mem_meta *mm = of(m);

    for (size_t i = 0; i < mm->packs_n; i++) {
        struct pack_row *p = &mm->packs[i];
        int64_t size;

        if (p->sealed || !p->orphan)
            continue;
        size = size_of(arg, p->id);
        p->sealed = true;
        p->size = size < 0 ? 0 : (uint64_t)size;
    }
    return leave(mm, mm->fail);
}

static const struct meta_content_ops content_ops = {
    .block_find = block_find,
    .block_forget = block_forget,
    .block_get = block_get,
    .pack_new = pack_new,
    .pack_seal = pack_seal,
    .pack_blocks = pack_blocks,
    .block_move = block_move,
    .pack_adopt = pack_adopt,
};

struct meta *mem_meta_new(void)
{
    struct mem_meta *mm = calloc(1, sizeof *mm);

    if (!mm)
        abort();
    pthread_mutex_init(&mm->lock, NULL);
    mm->meta.content = &content_ops;
    return &mm->meta;
}

void mem_meta_free(struct meta *m)
{
    struct mem_meta *mm = (struct mem_meta *)(void *)m;

    if (!m)
        return;
    pthread_mutex_destroy(&mm->lock);
    free(mm->rows);
    free(mm->packs);
    free(mm);
}

int mem_meta_commit(struct meta *m, struct meta_block *block)
{
    struct mem_meta *mm = of(m);
    struct row *row = block->bid ? by_bid(mm, block->bid) : by_id(mm, block->id);

    if (block->bid && !row)
        return leave(mm, PC_ESTALEREF);
    if (!row) {
        mm->rows = grown(mm->rows, mm->rows_n, sizeof *mm->rows);
        row = &mm->rows[mm->rows_n++];
        *row = (struct row){.block = *block};
        row->block.bid = mm->rows_n;
    }
    *block = row->block;
    return leave(mm, 0);
}

void mem_meta_drop(struct meta *m, uint64_t bid)
{
    struct mem_meta *mm = of(m);
    struct row *row = by_bid(mm, bid);

    if (row)
        row->block.bid = 0;
    leave(mm, 0);
}

bool mem_meta_place(struct meta *m, const uint8_t id[META_BLOCK_ID], struct meta_block *ret)
{
    struct mem_meta *mm = of(m);
    struct row *row = by_id(mm, id);

    if (row)
        *ret = row->block;
    return leave(mm, row != NULL);
}

void mem_meta_die(struct meta *m)
{
    struct mem_meta *mm = of(m);

    for (size_t i = 0; i < mm->packs_n; i++)
        mm->packs[i].orphan = true;
    leave(mm, 0);
}

bool mem_meta_sealed(struct meta *m, uint64_t id, uint64_t *ret_size)
{
    struct mem_meta *mm = of(m);
    bool sealed = id > 0 && id <= mm->packs_n && mm->packs[id - 1].sealed;

    if (sealed)
        *ret_size = mm->packs[id - 1].size;
    return leave(mm, sealed);
}

void mem_meta_fail(struct meta *m, int code)
{
    struct mem_meta *mm = of(m);

    mm->fail = code;
    leave(mm, 0);
}
