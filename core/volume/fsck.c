/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying a volume: the database's invariants, packs against it, every record against its key. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "pcloud/err.h"
#include "pcloud/upkeep.h"
#include "volume/volume.h"

#define PAGE 128

static void found(const struct pc_upkeep *up, const char *text)
{
    if (up != NULL && up->found != NULL)
        up->found(up->arg, text);
}

static int step(const struct pc_upkeep *up, uint64_t done, uint64_t total)
{
    return up != NULL && up->progress != NULL && up->progress(up->arg, done, total) != 0
               ? PC_ECANCELED
               : 0;
}

/* A visit to every pack, and to every block of it. Either function may be NULL. */
struct walk {
    struct pc_volume *v;
    const struct pc_upkeep *up;
    int (*pack)(struct walk *w, const struct meta_pack *p);
    int (*block)(struct walk *w, const struct meta_block *b);
    uint64_t packs, blocks, total;
    struct pc_fsck_result *fsck;
    struct pc_scrub_result *scrub;
    int64_t pack_size; /* of the pack being visited, on disk */
};

static int walk_blocks(struct walk *w, uint64_t pack, struct meta_block *blocks)
{
    uint64_t after = 0;
    int n, rc = 0;
    while ((n = w->v->meta->content->pack_blocks(w->v->meta, pack, after, PAGE, blocks)) > 0) {
        for (int i = 0; i < n && rc == 0; i++) {
            after = blocks[i].off;
            w->blocks++;
            rc = w->block(w, &blocks[i]);
        }
        if (rc == 0)
            rc = step(w->up, w->blocks, w->total);
        if (rc < 0)
            return rc;
    }
    return n;
}

static int walk(struct walk *w)
{
    struct meta_totals t;
    int rc = meta_totals(w->v->meta, &t);
    if (rc < 0)
        return rc;
    w->total = t.blocks;
    struct meta_pack *packs = mem_calloc(PAGE, sizeof(*packs));
    struct meta_block *blocks = mem_calloc(PAGE, sizeof(*blocks));
    uint64_t after = 0;
    int n = packs == NULL || blocks == NULL ? -ENOMEM : 1;
    while (rc == 0 && n > 0) {
        n = w->v->meta->content->pack_list(w->v->meta, after, PAGE, packs);
        for (int i = 0; i < n && rc == 0; i++) {
            after = packs[i].id;
            w->packs++;
            rc = w->pack != NULL ? w->pack(w, &packs[i]) : 0;
            if (rc == 0)
                rc = walk_blocks(w, packs[i].id, blocks);
        }
    }
    mem_free(packs);
    mem_free(blocks);
    return n < 0 ? n : rc;
}

/* A pack of the list has no file: 1 if it still ought to have one, for gc may have removed it since. */
static int still_wanted(struct walk *w, uint64_t id)
{
    struct meta_pack now;
    int n = w->v->meta->content->pack_list(w->v->meta, id - 1, 1, &now);
    return n < 0 ? n : n > 0 && now.id == id && now.live > 0;
}

static int fsck_pack(struct walk *w, const struct meta_pack *p)
{
    char text[160];
    w->pack_size = data_pack_size(w->v->data, p->id);
    if (w->pack_size >= 0 || p->live == 0)
        return 0;
    if (w->pack_size != -ENOENT)
        return (int)w->pack_size;
    int rc = still_wanted(w, p->id);
    if (rc <= 0)
        return rc;
    w->fsck->problems++;
    snprintf(text, sizeof(text),
             "pack %016" PRIx64 " is missing: %" PRIu64 " bytes of content are lost", p->id,
             p->live);
    found(w->up, text);
    return 0;
}

static int fsck_block(struct walk *w, const struct meta_block *b)
{
    char text[160];
    if (w->pack_size >= 0 && b->off + b->stored > (uint64_t)w->pack_size)
        w->pack_size = data_pack_size(w->v->data, b->pack); /* packs grow while we look */
    if (w->pack_size < 0 || b->off + b->stored <= (uint64_t)w->pack_size)
        return 0;
    w->fsck->problems++;
    snprintf(text, sizeof(text), "pack %016" PRIx64 " ends before the block at %" PRIu64, b->pack,
             b->off);
    found(w->up, text);
    return 0;
}

static void meta_found(void *arg, const char *text)
{
    found(arg, text);
}

static int meta_step(void *arg, uint64_t done, uint64_t total)
{
    return step(arg, done, total);
}

int pc_fsck(struct pc_volume *v, bool repair, const struct pc_upkeep *up,
            struct pc_fsck_result *ret)
{
    struct pc_fsck_result r = {0};
    const struct meta_watch watch = {meta_found, meta_step, (void *)(uintptr_t)up};
    struct meta_totals t;
    int rc = pc_volume_flush(v);
    if (rc == 0)
        rc = meta_check(v->meta, repair, &watch, &r.problems, &r.repaired);
    if (rc == 0)
        rc = meta_totals(v->meta, &t);
    if (rc < 0)
        return rc;
    r.nodes = t.files + t.folders;
    r.edges = r.nodes > 0 ? r.nodes - 1 : 0;
    struct walk w = {.v = v, .up = up, .pack = fsck_pack, .block = fsck_block, .fsck = &r};
    rc = walk(&w);
    if (rc < 0)
        return rc;
    r.packs = w.packs;
    r.blocks = w.blocks;
    *ret = r;
    return 0;
}

static void damaged_user(void *arg, uint64_t ino)
{
    struct walk *w = arg;
    char path[1024], text[1200];
    if (pc_path(w->v, ino, path, sizeof(path)) < 0)
        snprintf(path, sizeof(path), "inode %" PRIu64, ino);
    snprintf(text, sizeof(text), "%s: damaged", path);
    w->scrub->damaged_files++;
    found(w->up, text);
}

#define USERS_MAX 16

struct users {
    uint64_t ino[USERS_MAX];
    unsigned n;
};

static void keep_user(void *arg, uint64_t ino)
{
    struct users *u = arg;
    if (u->n < USERS_MAX)
        u->ino[u->n++] = ino;
}

static int scrub_block(struct walk *w, const struct meta_block *b)
{
    int rc = data_verify(w->v->data, b);
    w->scrub->blocks++;
    w->scrub->bytes += b->stored;
    if (rc == PC_ESTALEREF)
        return 0; /* moved or reclaimed meanwhile */
    if (rc != PC_ECORRUPT && rc != -EIO && rc != -ENOENT)
        return rc;
    found(w->up, pc_err_text(rc));
    w->scrub->damaged_blocks++;
    struct users users = {.n = 0};
    rc = w->v->meta->node->block_users(w->v->meta, b->bid, USERS_MAX, keep_user, &users);
    for (unsigned i = 0; i < users.n; i++)
        damaged_user(w, users.ino[i]);
    w->v->meta->content->block_forget(w->v->meta, b->bid);
    meta_count_damage(w->v->meta, 1);
    return rc < 0 ? rc : 0;
}

int pc_scrub(struct pc_volume *v, const struct pc_upkeep *up, struct pc_scrub_result *ret)
{
    struct pc_scrub_result r = {0};
    struct walk w = {.v = v, .up = up, .block = scrub_block, .scrub = &r};
    int rc = pc_volume_flush(v);
    if (rc == 0)
        rc = walk(&w);
    if (rc == 0)
        *ret = r;
    return rc;
}

int pc_volume_salvage(struct pc_home *home, const struct pc_keys *keys, const struct pc_upkeep *up,
                      struct pc_fsck_result *ret)
{
    char dir[4096];
    int rc = pc_home_path(home, PC_HOME_META, dir, sizeof(dir));
    if (rc < 0)
        return rc;
    uint8_t key[PC_KEY_BYTES];
    pc_keys_derive(keys, PC_KEY_PAGES, key);
    rc = meta_salvage(dir, key, meta_found, (void *)(uintptr_t)up);
    pc_wipe(key, sizeof(key));
    if (rc == 0)
        *ret = (struct pc_fsck_result){.problems = 1, .repaired = 1};
    return rc;
}
