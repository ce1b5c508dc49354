/* SPDX-License-Identifier: Apache-2.0 */
/* Quotas of folders: set and asked. */
#include "pcloud/quota.h"

#include <errno.h>

#include "pcloud/err.h"
#include "volume/volume.h"

int pc_quota_settle(struct pc_volume *v)
{
    int rc;

    do
        rc = v->meta->node->quota_step(v->meta);
    while (rc > 0);
    return rc;
}

int pc_quota_set(struct pc_volume *v, uint64_t ino, uint64_t bytes_max, uint64_t nodes_max)
{
    int rc = v->meta->node->quota_set(v->meta, ino, bytes_max, nodes_max);

    return rc < 0 ? rc : pc_quota_settle(v);
}

int pc_quota_get(struct pc_volume *v, uint64_t ino, struct pc_quota *ret)
{
    struct pc_quota q;
    int rc = v->meta->node->quota_list(v->meta, ino - 1, 1, &q);

    if (rc < 0)
        return rc;
    if (rc == 0 || q.ino != ino)
        return -ENODATA;
    *ret = q;
    return 0;
}

int pc_quota_rm(struct pc_volume *v, uint64_t ino)
{
    return v->meta->node->quota_rm(v->meta, ino);
}

int pc_quota_list(struct pc_volume *v, uint64_t after, unsigned max, struct pc_quota *quotas)
{
    return v->meta->node->quota_list(v->meta, after, max, quotas);
}

int pc_quota_room(struct pc_volume *v, uint64_t ino, struct pc_quota_room *ret)
{
    return v->meta->node->quota_room(v->meta, ino, ret);
}

/*
 * Writes into memory are admitted by what the quotas above leave, less what unwritten data of this process may cost already; each time somewhat more is taken than
 * asked for, so that not every write has to ask. Where that is not enough, all unwritten data goes to the metadata, which knows exactly; then a write goes through.
 */
#define AHEAD_MAX (8u << 20)   /* taken beyond what was asked for */
#define FREE_AHEAD (64u << 20) /* where there is no quota above: ask again after so much */

static void take(struct pc_volume *v, struct open_node *n, uint64_t len, uint64_t left)
{
    uint64_t ahead = left / 8 < AHEAD_MAX ? left / 8 : AHEAD_MAX;

    atomic_fetch_add(&v->quota_pending, len + ahead);
    n->quota_taken += len + ahead;
    n->quota_left += ahead;
}

/* 0: taken; 1: there is no room beside what is pending, in *room what there is without. */
static int admit(struct pc_volume *v, struct open_node *n, size_t len, struct pc_quota_room *room)
{
    uint64_t pending = atomic_load(&v->quota_pending);
    int rc = v->meta->node->quota_room(v->meta, n->ino, room);

    if (rc < 0)
        return rc == -ENOENT ? 0 : rc;
    if (rc == 0 || room->bytes_free == PC_QUOTA_NONE) {
        n->quota_left = len < FREE_AHEAD ? FREE_AHEAD - len : 0;
        return 0;
    }
    if (room->bytes_free < pending || room->bytes_free - pending < len)
        return 1;
    take(v, n, len, room->bytes_free - pending - len);
    return 0;
}

/* Does a file without holes grow by more than there is? (Of one with holes only the metadata knows.) */
static bool is_over(const struct pc_quota_room *room, uint64_t off, size_t len)
{
    uint64_t end;

    if (room->used != room->size)
        return false;
    if (off == UINT64_MAX || off > room->size)
        return len > room->bytes_free;
    end = off + len;
    return end > room->size && end - room->size > room->bytes_free;
}

int quota_enter(struct pc_volume *v, struct open_node *n, uint64_t off, size_t len)
{
    struct pc_quota_room room;
    int rc;

    if (!meta_has_quotas(v->meta))
        return 0;
    if (n->quota_left >= len) {
        n->quota_left -= len;
        return 0;
    }
    rc = admit(v, n, len, &room);
    if (rc <= 0)
        return rc;
    pthread_mutex_unlock(&n->lock);
    (void)open_flush_older(v,
                           INT64_MAX); /* (whose data cannot be stored is told by its own calls) */
    pthread_mutex_lock(&n->lock);
    rc = admit(v, n, len, &room);
    if (rc > 0 && is_over(&room, off, len))
        return pc_err_set(-EDQUOT, "a quota leaves %llu bytes, and %zu were to be written",
                          (unsigned long long)room.bytes_free, len);
    return rc;
}

int quota_write(struct pc_volume *v, struct open_node *n, const void *buf, size_t len, uint64_t off,
                bool through)
{
    unsigned seq;
    int rc = through ? open_node_flush_locked(v, n) : 0;

    if (rc == 0)
        rc = open_node_write_locked(v, n, buf, len, off);
    if (rc < 0 || !through)
        return rc;
    seq = n->error_seq;
    rc = open_node_flush_locked(v, n);
    if (rc < 0) {
        open_node_discard_locked(v, n);
        __atomic_store_n(&n->error_seq, seq, __ATOMIC_RELEASE); /* it is told now */
    }
    return rc;
}
