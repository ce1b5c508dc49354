/* SPDX-License-Identifier: Apache-2.0 */
/* Appending to packs: a few open ones, ranges given out under a lock, bytes written outside of it; syncing, filling, sealing. */
#include "data/pack_impl.h"

#include "base/alloc.h"
#include "data/disk.h"
#include "pcloud/err.h"
#include "pcloud/log.h"

#include <inttypes.h>
#include <stdio.h>

#define SLOTS_MAX 4
#define UNSEALED_MAX 2             /* beyond so many, whoever fills a pack seals it itself */
#define CREDIT_BYTES (16ull << 20) /* between two looks at the free space */
/* Write-back starts when so much has gathered; what was started before must have ended then. So a barrier finds at most twice that to do. */
#define FLUSH_BYTES (8u << 20)

int packs_new(const char *dir, struct meta *meta, struct pool *pool, uint64_t reserve_bytes,
              struct packs **ret)
{
    struct packs *ps = mem_calloc(1, sizeof *ps);

    if (!ps)
        return -ENOMEM;
    ps->dir = mem_strdup(dir);
    if (!ps->dir) {
        mem_free(ps);
        return -ENOMEM;
    }
    ps->meta = meta;
    ps->pool = pool;
    ps->reserve = reserve_bytes;
    ps->slots = pool_workers(pool) < SLOTS_MAX ? pool_workers(pool) : SLOTS_MAX;
    pthread_mutex_init(&ps->lock, NULL);
    pthread_cond_init(&ps->changed, NULL);
    pack_fds_init(ps);
    *ret = ps;
    return 0;
}

/* Called after each append while it counts as in flight: start write-back of what has gathered, and wait for what was started before. */
static void start_writeback(struct pack *p)
{
    struct packs *ps = p->ps;
    uint64_t from, to, before;

    pthread_mutex_lock(&ps->lock);
    if (p->flushing || p->end < p->flushed + FLUSH_BYTES) {
        pthread_mutex_unlock(&ps->lock);
        return;
    }
    p->flushing = true;
    before = p->flushed_before;
    from = p->flushed;
    to = p->end;
    pthread_mutex_unlock(&ps->lock);
    /* Hints: whatever fails here fails again in the sync, and is told there. */
    (void)disk()->writeback(p->fd, from, to - from, 0);
    if (from > before)
        (void)disk()->writeback(p->fd, before, from - before, 1);
    pthread_mutex_lock(&ps->lock);
    p->flushed_before = from;
    p->flushed = to;
    p->flushing = false;
    pthread_mutex_unlock(&ps->lock);
}

/*
 * The next pack that this run has to sync, marked clean: what is written from now on counts for the next run. Each only once, or writers would keep the run
 * busy for ever.
 */
static struct pack *next_dirty(struct packs *ps, uint64_t number, bool *ret_dir)
{
    for (struct pack *p = ps->list; p; p = p->next) {
        if (!p->dirty || p->run == number)
            continue;
        p->run = number;
        *ret_dir = p->dir_dirty;
        p->dirty = p->dir_dirty = false;
        return p;
    }
    return NULL;
}

static int sync_pack(struct packs *ps, struct pack *p, bool dir)
{
    char path[PACK_PATH_MAX];
    int r = disk()->sync(p->fd), n;

    if (r == 0 && dir) {
        n = snprintf(path, sizeof path, "%s/%02x", ps->dir, (unsigned)(p->id & 0xff));
        r = n < 0 || (size_t)n >= sizeof path ? -ENAMETOOLONG : disk()->sync_dir(path);
    }
    if (r < 0)
        pc_log(PC_LOG_ERROR, "pack.sync",
               "cannot sync pack %016" PRIx64 " (%s): writing stops until the volume is opened "
               "again; check the disk",
               p->id, pc_strerror(r));
    return r;
}

/* One run: a pack stays in the list while it is dirty or being synced, since sealing it begins with a run of its own. */
static void run(struct packs *ps)
{
    uint64_t number = ++ps->run_begun;
    struct pack *p;
    bool dir;

    ps->running = true;
    while (!ps->broken && (p = next_dirty(ps, number, &dir)) != NULL) {
        int r;

        pthread_mutex_unlock(&ps->lock);
        r = sync_pack(ps, p, dir);
        pthread_mutex_lock(&ps->lock);
        if (r < 0)
            ps->broken = r;
    }
    ps->running = false;
    ps->run_done = number;
    pthread_cond_broadcast(&ps->changed);
}

int packs_barrier(struct packs *ps)
{
    uint64_t need;
    int r;

    pthread_mutex_lock(&ps->lock);
    need = ps->run_begun + 1;
    while (ps->run_done < need && !ps->broken) {
        if (ps->running)
            pthread_cond_wait(&ps->changed, &ps->lock);
        else
            run(ps);
    }
    r = ps->broken;
    pthread_mutex_unlock(&ps->lock);
    if (r < 0)
        return pc_err_set(r, "a sync of packs failed (%s): open the volume again, check the disk",
                          pc_strerror(r));
    return 0;
}

/* Hand a full pack that nobody writes any more to the engine, and forget it. If that fails, the next session adopts it. */
static void seal(struct pool_job *job)
{
    struct pack *p = (struct pack *)(void *)((char *)job - offsetof(struct pack, job));
    struct packs *ps = p->ps;
    struct pack **at;
    int r = packs_barrier(ps);

    if (r == 0) {
        r = ps->meta->content->pack_seal(ps->meta, p->id, p->end);
        if (r < 0)
            pc_log(PC_LOG_WARN, "pack.seal", "pack %016" PRIx64 " stays unsealed: %s", p->id,
                   pc_err_text(r));
    }
    pthread_mutex_lock(&ps->lock);
    for (at = &ps->list; *at != p; at = &(*at)->next)
        ;
    *at = p->next;
    ps->unsealed--;
    if (r < 0 && ps->error == 0)
        ps->error = r;
    pthread_mutex_unlock(&ps->lock);
    disk()->close(p->fd);
    mem_free(p);
}

static bool is_idle(const struct pack *p)
{
    return p->full && p->inflight == 0 && !p->sealing;
}

/* Have full packs sealed, by a worker or, if those lag behind, here. */
static void reap(struct packs *ps)
{
    for (;;) {
        struct pack *p;
        bool here;

        pthread_mutex_lock(&ps->lock);
        for (p = ps->list; p && !is_idle(p); p = p->next)
            ;
        if (p) {
            p->sealing = true;
            ps->unsealed++;
        }
        here = ps->unsealed > UNSEALED_MAX;
        pthread_mutex_unlock(&ps->lock);
        if (!p)
            return;
        if (here)
            seal(&p->job);
        else {
            p->job.run = seal;
            pool_submit(ps->pool, POOL_URGENT, &p->job);
        }
    }
}

int packs_finish(struct packs *ps)
{
    int r;

    pthread_mutex_lock(&ps->lock);
    for (struct pack *p = ps->list; p; p = p->next)
        p->full = true;
    ps->unsealed = UNSEALED_MAX;
    pthread_mutex_unlock(&ps->lock);
    reap(ps);
    pthread_mutex_lock(&ps->lock);
    r = ps->error;
    pthread_mutex_unlock(&ps->lock);
    return r;
}

void packs_close(struct packs *ps)
{
    pack_fds_fini(ps);
    pthread_cond_destroy(&ps->changed);
    pthread_mutex_destroy(&ps->lock);
    mem_free(ps->dir);
    mem_free(ps);
}

bool packs_is_open(struct packs *ps, uint64_t id)
{
    struct pack *p;
    bool open;

    pthread_mutex_lock(&ps->lock);
    for (p = ps->list; p && p->id != id; p = p->next)
        ;
    open = p && !p->sealing && !ps->broken;
    pthread_mutex_unlock(&ps->lock);
    return open;
}

/* Is there room for ${len} bytes and the reserve? Asks the system only now and then. */
static int take_space(struct packs *ps, enum packs_space space, size_t len)
{
    uint64_t keep = space == PACKS_KEEP_RESERVE ? ps->reserve : 0;
    uint64_t free;
    bool enough;
    int r;

    pthread_mutex_lock(&ps->lock);
    enough = ps->credit >= len;
    if (enough)
        ps->credit -= len;
    pthread_mutex_unlock(&ps->lock);
    if (enough)
        return 0;
    r = disk()->space(ps->dir, &free);
    if (r < 0)
        return pc_err_set(r, "cannot see the free space of %s: %s", ps->dir, pc_strerror(r));
    if (free < keep || free - keep < len)
        return pc_err_set(-ENOSPC,
                          "no space for data: %" PRIu64 " MiB free in %s, %" PRIu64
                          " MiB are kept in reserve; free some, or lower the reserve",
                          free >> 20, ps->dir, keep >> 20);
    if (space == PACKS_USE_RESERVE)
        return 0;
    pthread_mutex_lock(&ps->lock);
    ps->credit = free - ps->reserve - len < CREDIT_BYTES ? free - ps->reserve - len : CREDIT_BYTES;
    pthread_mutex_unlock(&ps->lock);
    return 0;
}

/* The open pack with the fewest writers, if it will do: NULL asks for a new one. Those too full for ${len} are done with. */
static struct pack *choose(struct packs *ps, size_t len)
{
    struct pack *best = NULL;
    unsigned open = ps->opening;

    for (struct pack *p = ps->list; p; p = p->next) {
        if (p->full)
            continue;
        if (p->size + len > DATA_PACK_MAX) {
            p->full = true;
            continue;
        }
        open++;
        if (!best || p->inflight < best->inflight)
            best = p;
    }
    if (best && best->inflight > 0 && open < ps->slots && ps->opening == 0)
        return NULL;
    return best;
}

/* A pack and a range in it; the pack then counts one more writer. */
static int reserve(struct packs *ps, size_t len, struct pack **ret, uint64_t *ret_off)
{
    struct pack *p;
    int r;

    pthread_mutex_lock(&ps->lock);
    for (;;) {
        r = ps->broken;
        if (r < 0)
            goto unlock;
        p = choose(ps, len);
        if (p)
            break;
        if (ps->opening > 0) {
            pthread_cond_wait(&ps->changed, &ps->lock);
            continue;
        }
        ps->opening++;
        pthread_mutex_unlock(&ps->lock);
        r = pack_create(ps, &p);
        pthread_mutex_lock(&ps->lock);
        ps->opening--;
        pthread_cond_broadcast(&ps->changed);
        if (r < 0)
            goto unlock;
        p->next = ps->list;
        ps->list = p;
        break;
    }
    p->inflight++;
    *ret = p;
    *ret_off = p->size;
    p->size += len;
    r = 0;
unlock:
    pthread_mutex_unlock(&ps->lock);
    return r;
}

int packs_append(struct packs *ps, enum packs_space space, const void *rec, size_t len,
                 uint64_t *ret_pack, uint64_t *ret_off)
{
    struct pack *p;
    uint64_t off, id;
    int r = take_space(ps, space, len);

    if (r < 0)
        return r;
    r = reserve(ps, len, &p, &off);
    if (r < 0)
        goto seal_full;
    id = p->id;
    r = disk_write(p->fd, rec, len, off);
    pthread_mutex_lock(&ps->lock);
    if (r == 0) {
        p->dirty = true;
        if (p->end < off + len)
            p->end = off + len;
    } else if (r == -ENOSPC && p->size == off + len) {
        p->size = off;
    } else if (r != -ENOSPC) {
        p->full = true;
    }
    pthread_mutex_unlock(&ps->lock);
    if (r == 0)
        start_writeback(p);
    else
        r = pc_err_set(r, "cannot write to pack %016" PRIx64 " in %s: %s", id, ps->dir,
                       pc_strerror(r));
    pthread_mutex_lock(&ps->lock);
    p->inflight--;
    pthread_mutex_unlock(&ps->lock);
    if (r == 0) {
        *ret_pack = id;
        *ret_off = off;
    }
seal_full:
    reap(ps);
    return r;
}
