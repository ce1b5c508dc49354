/* SPDX-License-Identifier: Apache-2.0 */
/* Reclaiming space: orphans, blocks without references, empty packs, packs with little left. */
#include <errno.h>

#include "base/alloc.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "pcloud/quota.h"
#include "pcloud/upkeep.h"
#include "volume/volume.h"

/* Steps are this small so that nobody waits for the write lease longer than a few milliseconds. */
#define STEP_ORPHANS 64
#define STEP_BLOCKS 256
#define STEP_PACKS 16
#define PACK_PAGE 64

static int step(const struct pc_upkeep *up, uint64_t done, uint64_t total)
{
    return up != NULL && up->progress != NULL && up->progress(up->arg, done, total) != 0
               ? PC_ECANCELED
               : 0;
}

static int drop_blocks(struct pc_volume *v, const struct pc_upkeep *up, struct pc_gc_result *r)
{
    int n;
    do {
        n = v->meta->content->gc_orphans(v->meta, STEP_ORPHANS);
        int rc = n < 0 ? n : step(up, 0, 0);
        if (rc < 0)
            return rc;
    } while (n > 0);
    do {
        n = v->meta->content->gc_blocks(v->meta, STEP_BLOCKS, &r->freed_bytes);
        int rc = n < 0 ? n : step(up, 0, 0);
        if (rc < 0)
            return rc;
        r->freed_blocks += (uint64_t)n;
    } while (n > 0);
    return 0;
}

static int drop_packs(struct pc_volume *v, struct pc_gc_result *r)
{
    uint64_t ids[STEP_PACKS];
    int n;
    do {
        n = v->meta->content->gc_packs(v->meta, STEP_PACKS, ids);
        for (int i = 0; i < n; i++) {
            int64_t size = data_pack_size(v->data, ids[i]);
            int rc = data_pack_remove(v->data, ids[i]);
            if (rc < 0 && rc != -ENOENT)
                return rc;
            r->removed_packs++;
            r->disk_bytes_freed += size > 0 ? (uint64_t)size : 0;
        }
    } while (n == STEP_PACKS);
    return n < 0 ? n : 0;
}

static bool worth_compacting(const struct pc_volume *v, const struct meta_pack *p, bool full)
{
    uint64_t percent = full ? 100 : (uint64_t)pc_config_num(v->config, PC_CONFIG_GC_RATIO);
    /* A few bytes of headers are no garbage. */
    return p->sealed && p->live > 0 && p->size > 4096 && p->live + 4096 < p->size &&
           p->live * 100 < p->size * percent;
}

/* What was moved is durable, then the pack it came from goes: on a full disk that makes the room for the next one. */
static int drop_emptied(struct pc_volume *v, struct pc_gc_result *r)
{
    int rc = meta_sync(v->meta);
    return rc < 0 ? rc : drop_packs(v, r);
}

/* Each pack is looked at once, also one whose damaged records could not be moved: numbers only rise. */
static int compact_packs(struct pc_volume *v, bool full, const struct pc_upkeep *up,
                         struct pc_gc_result *r)
{
    struct meta_pack *packs = mem_calloc(PACK_PAGE, sizeof(*packs));
    if (packs == NULL)
        return -ENOMEM;
    uint64_t after = 0, seen = 0;
    int n = 0, rc = 0;
    while (rc == 0 && (n = v->meta->content->pack_list(v->meta, after, PACK_PAGE, packs)) > 0) {
        for (int i = 0; i < n && rc == 0; i++) {
            after = packs[i].id;
            rc = step(up, ++seen, 0);
            if (rc < 0 || !worth_compacting(v, &packs[i], full))
                continue;
            uint64_t moved = 0;
            uint64_t pin = meta_pin(v->meta); /* nothing refers to a copy yet */
            rc = data_pack_compact(v->data, packs[i].id, &moved);
            meta_unpin(v->meta, pin);
            if (rc == 0) {
                r->compacted_packs++;
                r->moved_bytes += moved;
                rc = drop_emptied(v, r);
            }
        }
    }
    mem_free(packs);
    if (rc == -ENOSPC) { /* what was freed so far is freed; the rest has to wait for room */
        pc_log(PC_LOG_WARN, "gc.room", "no room to compact more: %s", pc_err_text(rc));
        rc = 0;
    }
    return n < 0 ? n : rc;
}

struct unknown {
    struct pc_volume *v;
    struct pc_gc_result *r;
};

/* A file without a row: its row was removed just before a crash. (Rows come before files.) */
static int unknown_pack(void *arg, uint64_t id)
{
    struct unknown *a = arg;
    struct meta_pack p;
    int n = a->v->meta->content->pack_list(a->v->meta, id - 1, 1, &p);
    if (n < 0 || (n == 1 && p.id == id))
        return n < 0 ? n : 0;
    int64_t size = data_pack_size(a->v->data, id);
    int rc = data_pack_remove(a->v->data, id);
    if (rc == 0) {
        a->r->removed_packs++;
        a->r->disk_bytes_freed += size > 0 ? (uint64_t)size : 0;
    }
    return rc == -ENOENT ? 0 : rc;
}

int pc_gc(struct pc_volume *v, bool full, const struct pc_upkeep *up, struct pc_gc_result *ret)
{
    struct pc_gc_result r = {0};
    struct unknown unknown = {v, &r};
    int rc = pc_quota_settle(v); /* what somebody began to count and did not end */
    if (rc == 0)
        rc = drop_blocks(v, up, &r);
    if (rc == 0)
        rc = meta_sync(v->meta);
    if (rc == 0)
        rc = drop_packs(v, &r);
    if (rc == 0)
        rc = compact_packs(v, full, up, &r);
    if (rc == 0)
        rc = meta_sync(v->meta);
    if (rc == 0)
        rc = drop_packs(v, &r);
    if (rc == 0)
        rc = data_pack_ids(v->data, unknown_pack, &unknown);
    if (rc == 0)
        *ret = r;
    return rc;
}
