/* SPDX-License-Identifier: Apache-2.0 */
/* Content: random writes, holes, moves and shares against bytes in memory; blocks and packs as they come and go. */
#include "meta/content.h"

#include "meta/sql.h"
#include "pcloud/err.h"
#include "pcloud/node.h"
#include "test_env.h"
#include "test_meta.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILES 3
#define SIZE_MAX_BYTES 20000
#define BLOCK_SEEDS 12 /* few, so that they meet */

static struct test_meta t;
static uint64_t pack;

static int set_up(void **state)
{
    (void)state;
    test_meta_new(&t);
    assert_int_equal(t.m->content->pack_new(t.m, &pack), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_meta_free(&t);
    return 0;
}

static const struct meta_content_ops *ops(void)
{
    return t.m->content;
}

/* A file as it should be, and which of its bytes are data. */
struct model {
    uint64_t ino, size;
    bool is_inline;
    uint8_t bytes[4 * SIZE_MAX_BYTES];
    bool data[4 * SIZE_MAX_BYTES];
};

static struct model files[FILES];

static uint8_t block_byte(uint64_t seed, uint64_t at)
{
    return (uint8_t)(1 + (seed * 31 + at * 7) % 255);
}

/* Blocks are told apart by the first byte of their id, which the test knows. */
static struct meta_block seeded(uint64_t seed, uint64_t off)
{
    struct meta_block b = test_block(seed, 4000 + (uint32_t)seed * 100, pack, off);

    b.id[0] = (uint8_t)seed;
    return b;
}

static void check_file(const struct model *f)
{
    static struct meta_slice slices[2 * SIZE_MAX_BYTES];
    static uint8_t bytes[4 * SIZE_MAX_BYTES];
    static uint8_t small[META_INLINE_MAX];
    uint64_t size, used = 0, end = 0;
    size_t small_len;
    struct pc_attr a;
    int n = ops()->read(t.m, f->ino, 0, UINT64_MAX, slices, 2 * SIZE_MAX_BYTES, small, &small_len,
                        &size, NULL);

    assert_true(n >= 0);
    assert_int_equal(size, f->size);
    assert_int_equal(small_len, f->is_inline ? f->size : 0);
    memset(bytes, 0, f->size);
    memcpy(bytes, small, small_len);
    for (int i = 0; i < n; i++) {
        const struct meta_slice *s = &slices[i];

        assert_true(s->pos >= end && s->pos + s->len <= size && s->len > 0);
        assert_true(s->boff + s->len <= s->block.size);
        for (uint32_t k = 0; k < s->len; k++) {
            assert_true(f->data[s->pos + k]);
            bytes[s->pos + k] = block_byte(s->block.id[0], s->boff + k);
        }
        end = s->pos + s->len;
    }
    assert_memory_equal(bytes, f->bytes, f->size);
    for (uint64_t i = 0; i < f->size; i++)
        used += f->data[i];
    assert_int_equal(t.m->node->getattr(t.m, f->ino, &a), 0);
    assert_int_equal(a.used, used);
}

/* Any range reads as the whole does; data and holes are found. */
static void check_range(const struct model *f, uint64_t *rng)
{
    struct meta_slice slices[8];
    uint64_t off = test_random(rng) % (f->size + 10), len = test_random(rng) % 500;
    int n = ops()->read(t.m, f->ino, off, len, slices, 8, NULL, NULL, NULL, NULL);
    int64_t data = ops()->seek(t.m, f->ino, off, SEEK_DATA);
    int64_t hole = ops()->seek(t.m, f->ino, off, SEEK_HOLE);
    uint64_t want = off;

    for (int i = 0; i < n; i++)
        assert_true(slices[i].pos < off + len && slices[i].pos + slices[i].len > off);
    if (off >= f->size) {
        assert_int_equal(data, -ENXIO);
        assert_int_equal(hole, -ENXIO);
        return;
    }
    while (want < f->size && !f->data[want])
        want++;
    assert_int_equal(data, want < f->size ? (int64_t)want : -ENXIO);
    want = off;
    while (want < f->size && f->data[want])
        want++;
    assert_int_equal(hole, want);
}

static void model_resize(struct model *f, uint64_t size)
{
    for (uint64_t i = f->size; i < size; i++) {
        f->bytes[i] = 0;
        f->data[i] = f->is_inline;
    }
    f->size = size;
}

static void do_write(struct model *f, uint64_t *rng)
{
    struct meta_slice slices[4];
    unsigned n = 1 + (unsigned)(test_random(rng) % 4), bad = 99;
    uint64_t pos = test_random(rng) % SIZE_MAX_BYTES;

    if (f->is_inline) { /* as a caller does: its inline bytes are among what it writes, or they go */
        memset(f->bytes, 0, f->size);
        memset(f->data, 0, f->size);
        f->is_inline = false;
    }
    for (unsigned i = 0; i < n; i++) {
        uint64_t seed = 1 + test_random(rng) % BLOCK_SEEDS;
        struct meta_slice *s = &slices[i];

        s->block = seeded(seed, test_random(rng) % 100000);
        s->boff = (uint32_t)(test_random(rng) % (s->block.size - 1));
        s->len = 1 + (uint32_t)(test_random(rng) % (s->block.size - s->boff));
        s->pos = pos;
        pos += s->len + test_random(rng) % 3 * 50;
        if (f->size < s->pos + s->len)
            model_resize(f, s->pos + s->len);
        for (uint32_t k = 0; k < s->len; k++) {
            f->bytes[s->pos + k] = block_byte(seed, s->boff + k);
            f->data[s->pos + k] = true;
        }
    }
    assert_int_equal(ops()->write(t.m, f->ino, slices, n, 0, 0, &bad), 0);
}

static void do_inline(struct model *f, uint64_t *rng)
{
    size_t len = test_random(rng) % (META_INLINE_MAX + 1);

    if (test_random(rng) % 4)
        return; /* else files would never grow */
    f->is_inline = len > 0;
    f->size = len;
    for (size_t i = 0; i < len; i++) {
        f->bytes[i] = (uint8_t)test_random(rng);
        f->data[i] = true;
    }
    assert_int_equal(ops()->write_inline(t.m, f->ino, f->bytes, len, 0), 0);
}

static void do_resize(struct model *f, uint64_t *rng)
{
    struct pc_attr in = {.size = test_random(rng) % (SIZE_MAX_BYTES + 5000)};
    int rc = t.m->node->setattr(t.m, f->ino, PC_SET_SIZE, &in, NULL);

    if (f->is_inline && in.size > META_INLINE_MAX) {
        assert_int_equal(rc, -EFBIG);
        return;
    }
    assert_int_equal(rc, 0);
    model_resize(f, in.size);
    if (in.size == 0)
        f->is_inline = false;
}

static void do_punch(struct model *f, uint64_t *rng)
{
    uint64_t off = test_random(rng) % (SIZE_MAX_BYTES + 100), len = test_random(rng) % 6000;

    assert_int_equal(ops()->punch(t.m, f->ino, off, len), 0);
    for (uint64_t i = off; i < off + len && i < f->size; i++) {
        f->bytes[i] = 0;
        f->data[i] = f->is_inline;
    }
}

static void do_shift(struct model *f, uint64_t *rng)
{
    uint64_t off = test_random(rng) % (f->size + 1), by = 1 + test_random(rng) % 3000;
    bool insert = test_random(rng) % 2;
    int rc;

    if (insert && f->size + by > SIZE_MAX_BYTES)
        return;
    rc = ops()->shift(t.m, f->ino, off, insert ? (int64_t)by : -(int64_t)by);
    if (f->is_inline || (!insert && by > off)) {
        assert_int_equal(rc, -EINVAL);
        return;
    }
    assert_int_equal(rc, 0);
    if (insert) {
        memmove(f->bytes + off + by, f->bytes + off, f->size - off);
        memmove(f->data + off + by, f->data + off, f->size - off);
        memset(f->bytes + off, 0, by);
        memset(f->data + off, 0, by);
        f->size += by;
    } else {
        memmove(f->bytes + off - by, f->bytes + off, f->size - off);
        memmove(f->data + off - by, f->data + off, f->size - off);
        f->size -= by;
    }
}

static void do_share(struct model *dst, uint64_t *rng)
{
    struct model *src = &files[test_random(rng) % FILES];
    uint64_t from = test_random(rng) % (src->size + 1), to = test_random(rng) % SIZE_MAX_BYTES;
    uint64_t len = test_random(rng) % (src->size - from + 1);
    int rc = ops()->share(t.m, src->ino, from, dst->ino, to, len);

    if (src->is_inline || dst->is_inline || (src == dst && from < to + len && to < from + len)) {
        assert_int_equal(rc, -EINVAL);
        return;
    }
    assert_int_equal(rc, 0);
    if (len == 0)
        return;
    if (dst->size < to + len)
        model_resize(dst, to + len);
    memmove(dst->bytes + to, src->bytes + from, len);
    memmove(dst->data + to, src->data + from, len);
}

static void do_replace(struct model *f, uint64_t *rng)
{
    static const char *const names[FILES] = {"f0", "f1", "f2"};
    const char *name = names[f - files];

    if (test_random(rng) % 4)
        return;
    assert_int_equal(t.m->node->unlink(t.m, PC_ROOT_INO, name), 0);
    memset(f, 0, sizeof(*f));
    f->ino = test_file(t.m, PC_ROOT_INO, name);
}

static void content_is_what_was_written(void **state)
{
    static void (*const steps[])(struct model * f, uint64_t * rng) = {
        do_write, do_write, do_write, do_inline, do_resize,
        do_punch, do_shift, do_share, do_share,  do_replace};
    uint64_t rng = 42, bytes;

    (void)state;
    memset(files, 0, sizeof(files));
    files[0].ino = test_file(t.m, PC_ROOT_INO, "f0");
    files[1].ino = test_file(t.m, PC_ROOT_INO, "f1");
    files[2].ino = test_file(t.m, PC_ROOT_INO, "f2");
    for (int i = 0; i < 4000; i++) {
        struct model *f = &files[test_random(&rng) % FILES];

        steps[test_random(&rng) % 10](f, &rng);
        check_file(f);
        check_range(f, &rng);
        if (i % 500 == 0) {
            assert_true(test_meta_clean(t.m));
            for (int k = 0; k < FILES; k++)
                check_file(&files[k]);
            bytes = 0;
            assert_true(ops()->gc_blocks(t.m, 1000, &bytes) >= 0);
        }
    }
}

static struct meta_slice slice_of(uint64_t pos, struct meta_block b)
{
    return (struct meta_slice){.pos = pos, .len = b.size, .block = b};
}

static void equal_blocks_are_kept_once(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f"), bytes = 0;
    struct meta_slice s[2] = {slice_of(0, test_block(1, 100, pack, 64)),
                              slice_of(100, test_block(1, 100, pack, 500))};
    struct meta_block b;
    struct meta_totals totals;
    struct meta_pack packs[4];
    unsigned bad = 9;

    (void)state;
    assert_int_equal(ops()->block_find(t.m, s[0].block.id, &b), 0);
    assert_int_equal(ops()->write(t.m, f, s, 2, 0, 0, &bad), 0);
    assert_int_equal(ops()->block_find(t.m, s[0].block.id, &b), 1);
    assert_int_equal(b.off, 64);
    assert_int_equal(meta_totals(t.m, &totals), 0);
    assert_int_equal(totals.blocks, 1);
    assert_int_equal(totals.block_bytes, 132);
    assert_int_equal(ops()->pack_list(t.m, 0, 4, packs), 1);
    assert_int_equal(packs[0].live, 132);
    assert_int_equal(packs[0].size, 196);
    assert_false(packs[0].sealed);
    /* damaged: found no more, but read as before */
    assert_int_equal(ops()->block_forget(t.m, b.bid), 0);
    assert_int_equal(ops()->block_find(t.m, s[0].block.id, &b), 0);
    assert_int_equal(ops()->block_get(t.m, b.bid, &b), 0);
    assert_int_equal(ops()->write(t.m, f, &s[1], 1, 0, 0, &bad), 0);
    assert_int_equal(ops()->block_find(t.m, s[0].block.id, &b), 1);
    assert_int_equal(b.off, 500);
    assert_int_equal(ops()->write_inline(t.m, f, "", 0, 0), 0);
    assert_int_equal(ops()->gc_blocks(t.m, 100, &bytes), 2);
    assert_int_equal(bytes, 264);
    assert_int_equal(ops()->block_get(t.m, b.bid, &b), -ENOENT);
    assert_int_equal(ops()->block_forget(t.m, b.bid), -ENOENT);
}

static void short_content_takes_no_longer_one_s_place(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f");
    uint8_t have[META_INLINE_MAX];
    size_t len = 0;

    (void)state;
    assert_int_equal(ops()->write_inline(t.m, f, "abc", 3, META_IF_SHORTER), 0);
    assert_int_equal(ops()->write_inline(t.m, f, "xyz", 3, META_IF_SHORTER), 0);
    assert_int_equal(ops()->write_inline(t.m, f, "no", 2, META_IF_SHORTER), -EFBIG);
    assert_int_equal(ops()->read(t.m, f, 0, 9, NULL, 0, have, &len, NULL, NULL), 0);
    assert_int_equal(len, 3);
    assert_memory_equal(have, "xyz", 3);
}

static void stale_references_are_told(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f"), bytes = 0;
    struct meta_slice s[2] = {slice_of(0, test_block(1, 100, pack, 64)),
                              slice_of(100, test_block(2, 100, pack, 500))};
    struct pc_attr a;
    unsigned bad = 9;

    (void)state;
    assert_int_equal(ops()->write(t.m, f, s, 1, 0, 0, &bad), 0);
    assert_int_equal(ops()->block_find(t.m, s[0].block.id, &s[1].block), 1);
    assert_int_equal(ops()->write_inline(t.m, f, "x", 1, 0), 0);
    assert_int_equal(ops()->gc_blocks(t.m, 100, &bytes), 1);
    s[0].block = test_block(3, 100, pack, 900);
    assert_int_equal(ops()->write(t.m, f, s, 2, 0, 0, &bad), PC_ESTALEREF);
    assert_int_equal(bad, 1);
    assert_int_equal(t.m->node->getattr(t.m, f, &a), 0);
    assert_int_equal(a.size, 1); /* nothing was changed */
    assert_int_equal(ops()->block_find(t.m, s[0].block.id, &s[0].block), 0);
    s[0].block.pack = 12345;
    assert_int_equal(ops()->write(t.m, f, s, 1, 0, 0, &bad), PC_ESTALEREF);
    assert_int_equal(bad, 0);
    s[0].boff = 50;
    assert_int_equal(ops()->write(t.m, f, s, 1, 0, 0, &bad), -EINVAL);
    assert_int_equal(ops()->write(t.m, PC_ROOT_INO, s, 1, 0, 0, &bad), -EISDIR);
    assert_int_equal(ops()->write(t.m, 999, s, 1, 0, 0, &bad), -ENOENT);
}

static void pins_keep_what_was_seen(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f"), bytes = 0, ids[4], pin;
    struct meta_slice s = slice_of(0, test_block(1, 100, pack, 64));
    struct meta_block b;
    unsigned bad;

    (void)state;
    assert_int_equal(ops()->write(t.m, f, &s, 1, 0, 0, &bad), 0);
    assert_int_equal(ops()->pack_seal(t.m, pack, 300), 0);
    assert_int_equal(ops()->pack_seal(t.m, pack, 300), -ENOENT);
    pin = meta_pin(t.m);
    assert_int_equal(ops()->block_find(t.m, s.block.id, &b), 1);
    assert_int_equal(t.m->node->unlink(t.m, PC_ROOT_INO, "f"), 0);
    assert_int_equal(ops()->gc_blocks(t.m, 100, &bytes), 0);
    meta_unpin(t.m, pin);
    pin = meta_pin(t.m);
    assert_int_equal(ops()->gc_packs(t.m, 4, ids), 0);
    assert_int_equal(ops()->gc_blocks(t.m, 100, &bytes), 1);
    assert_int_equal(ops()->gc_packs(t.m, 4, ids), 0); /* emptied after the pin began */
    meta_unpin(t.m, pin);
    assert_int_equal(ops()->gc_packs(t.m, 4, ids), 1);
    assert_int_equal(ids[0], pack);
    assert_int_equal(ops()->gc_packs(t.m, 4, ids), 0);
}

static void blocks_are_moved(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f"), other, ids[4];
    struct meta_slice s = slice_of(0, test_block(1, 100, pack, 64)), got;
    struct meta_block b;
    struct meta_pack packs[4];
    unsigned bad;

    (void)state;
    assert_int_equal(ops()->write(t.m, f, &s, 1, 0, 0, &bad), 0);
    assert_int_equal(ops()->pack_seal(t.m, pack, 196), 0);
    assert_int_equal(ops()->pack_new(t.m, &other), 0);
    assert_int_equal(ops()->block_find(t.m, s.block.id, &b), 1);
    assert_int_equal(ops()->block_move(t.m, b.bid, pack, 65, other, 10), PC_ESTALEREF);
    assert_int_equal(ops()->block_move(t.m, b.bid, pack, 64, 999, 10), PC_ESTALEREF);
    assert_int_equal(ops()->block_move(t.m, b.bid, pack, 64, other, 10), 0);
    assert_int_equal(ops()->read(t.m, f, 0, 1, &got, 1, NULL, NULL, NULL, NULL), 1);
    assert_int_equal(got.block.pack, other);
    assert_int_equal(got.block.off, 10);
    assert_int_equal(ops()->pack_blocks(t.m, other, 0, 1, &b), 1);
    assert_int_equal(b.off, 10);
    assert_int_equal(ops()->pack_blocks(t.m, other, 10, 1, &b), 0);
    assert_int_equal(ops()->pack_list(t.m, 0, 4, packs), 2);
    assert_int_equal(packs[0].live, 0);
    assert_int_equal(packs[1].live, 132);
    assert_int_equal(ops()->gc_packs(t.m, 4, ids), 1);
    assert_int_equal(ids[0], pack);
}

static void count_user(void *arg, uint64_t ino)
{
    *(uint64_t *)arg += ino;
}

static void users_of_a_block_are_found(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f"), g = test_file(t.m, PC_ROOT_INO, "g"), sum = 0;
    struct meta_slice s[2] = {slice_of(0, test_block(1, 100, pack, 64)),
                              slice_of(100, test_block(1, 100, pack, 500))};
    struct meta_block b;
    unsigned bad;

    (void)state;
    assert_int_equal(ops()->write(t.m, f, s, 2, 0, 0, &bad), 0);
    assert_int_equal(ops()->write(t.m, g, s, 1, 0, 0, &bad), 0);
    assert_int_equal(ops()->block_find(t.m, s[0].block.id, &b), 1);
    assert_int_equal(t.m->node->block_users(t.m, b.bid, 10, count_user, &sum), 2);
    assert_int_equal(sum, f + g);
    assert_int_equal(t.m->node->block_users(t.m, b.bid, 1, count_user, &sum), 1);
}

static int64_t asked_size(void *arg, uint64_t id)
{
    (void)id;
    ++*(int *)arg;
    return 7;
}

static void packs_of_the_living_are_left(void **state)
{
    int asked = 0;
    struct meta_pack packs[2];

    (void)state;
    assert_int_equal(ops()->pack_adopt(t.m, asked_size, &asked), 0);
    assert_int_equal(asked, 0);
    test_meta_reopen(&t);
    assert_int_equal(ops()->pack_adopt(t.m, asked_size, &asked), 0);
    assert_int_equal(asked, 1);
    assert_int_equal(ops()->pack_list(t.m, 0, 2, packs), 1);
    assert_true(packs[0].sealed);
    assert_int_equal(packs[0].size, 7);
}

/* A file of more slices than one step frees. */
static void large_files_go_in_steps(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f"), bytes = 0;
    struct meta_slice *s = calloc(3000, sizeof(*s));
    struct meta_totals totals;
    unsigned bad;

    (void)state;
    assert_non_null(s);
    for (unsigned i = 0; i < 3000; i++)
        s[i] = slice_of(i * 10, test_block(i, 10, pack, i * 50 + 1));
    assert_int_equal(ops()->write(t.m, f, s, 3000, 0, 0, &bad), 0);
    assert_int_equal(t.m->node->unlink(t.m, PC_ROOT_INO, "f"), 0);
    assert_true(test_meta_clean(t.m));
    assert_int_equal(ops()->gc_orphans(t.m, 10), 1);
    assert_int_equal(ops()->gc_orphans(t.m, 10), 0);
    assert_int_equal(meta_totals(t.m, &totals), 0);
    assert_int_equal(totals.blocks, 0);
    assert_int_equal(totals.files, 0);
    assert_int_equal(totals.bytes, 0);
    assert_int_equal(ops()->gc_blocks(t.m, 5000, &bytes), 3000);
    free(s);
}

/* What goes from a file of many slices at once is handed over, and freed in steps; the edges are cut as ever. */
static void large_cuts_are_handed_over(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f"), size, bytes = 0;
    struct meta_slice *s = calloc(3000, sizeof(*s)), got[2];
    struct pc_attr attr = {.size = 25};
    struct meta_totals totals;
    unsigned bad;

    (void)state;
    assert_non_null(s);
    for (unsigned i = 0; i < 3000; i++)
        s[i] = slice_of(i * 10, test_block(i, 10, pack, i * 50 + 1));
    assert_int_equal(ops()->write(t.m, f, s, 3000, 0, 0, &bad), 0);
    assert_int_equal(ops()->punch(t.m, f, 10005, 10000), 0); /* from slice 1000 to 2000 */
    assert_int_equal(t.m->node->getattr(t.m, f, &attr), 0);
    assert_int_equal(attr.used, 20000);
    assert_int_equal(ops()->read(t.m, f, 10000, 20000, got, 2, NULL, NULL, &size, NULL), 2);
    assert_int_equal(got[0].len, 5);
    assert_int_equal(got[1].pos, 20005);
    assert_int_equal(got[1].boff, 5);
    assert_int_equal(ops()->gc_orphans(t.m, 10), 1);
    assert_int_equal(meta_totals(t.m, &totals), 0);
    assert_int_equal(totals.blocks, 2001);
    attr.size = 25;
    assert_int_equal(t.m->node->setattr(t.m, f, PC_SET_SIZE, &attr, &attr), 0);
    assert_int_equal(attr.used, 25);
    assert_true(test_meta_clean(t.m));
    attr.size = 30000;
    assert_int_equal(t.m->node->setattr(t.m, f, PC_SET_SIZE, &attr, NULL), 0);
    assert_int_equal(ops()->read(t.m, f, 25, 30000, got, 2, NULL, NULL, &size, NULL), 0);
    assert_int_equal(size, 30000);
    assert_int_equal(ops()->gc_orphans(t.m, 10), 1);
    assert_int_equal(ops()->write(t.m, f, s, 3000, 0, 0, &bad), 0);
    assert_int_equal(ops()->write_inline(t.m, f, "x", 1, 0), 0);
    assert_int_equal(ops()->gc_orphans(t.m, 10), 1);
    assert_int_equal(meta_totals(t.m, &totals), 0);
    assert_int_equal(totals.blocks, 0);
    assert_int_equal(totals.bytes, 1);
    assert_int_equal(ops()->gc_blocks(t.m, 5000, &bytes), 3000);
    free(s);
}

/* In a volume of many files a damaged block's files are found by a seek. */
static void users_of_a_block_are_sought(void **state)
{
    static const char sql[] = "EXPLAIN QUERY PLAN SELECT DISTINCT ino FROM slice WHERE bid=1";
    struct sql_conn *c;
    sqlite3_stmt *st;

    (void)state;
    assert_int_equal(sql_read_begin(t.m, &c), 0);
    assert_int_equal(sql_stmt(c, sql, &st), 0);
    assert_int_equal(sql_step(st), 1);
    assert_non_null(strstr((const char *)sqlite3_column_text(st, 3), "SEARCH slice USING"));
    sqlite3_reset(st);
    sql_read_end(t.m, c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(content_is_what_was_written),
        TEST(equal_blocks_are_kept_once),
        TEST(short_content_takes_no_longer_one_s_place),
        TEST(stale_references_are_told),
        TEST(pins_keep_what_was_seen),
        TEST(blocks_are_moved),
        TEST(users_of_a_block_are_found),
        TEST(users_of_a_block_are_sought),
        TEST(packs_of_the_living_are_left),
        TEST(large_files_go_in_steps),
        TEST(large_cuts_are_handed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
