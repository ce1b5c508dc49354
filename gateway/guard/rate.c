/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets in a table of fixed size: who has not asked for longest makes room. */
#include "guard/rate.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SETS 512u
#define WAYS 8u
#define LOCKS 16u
#define SECOND 1000000
#define WAIT_MAX 3600

struct bucket {
    uint64_t who;      /* 0: free */
    int64_t at;        /* us: when it was reckoned */
    uint64_t requests; /* millionths of one */
    int64_t bytes;     /* negative: owed */
};

struct rate {
    atomic_ullong requests, bytes;
    pthread_mutex_t lock[LOCKS];
    struct bucket bucket[SETS][WAYS];
};

int rate_new(struct rate **ret)
{
    struct rate *r = calloc(1, sizeof *r);

    if (!r)
        return -ENOMEM;
    for (unsigned i = 0; i < LOCKS; i++)
        pthread_mutex_init(&r->lock[i], NULL);
    *ret = r;
    return 0;
}

void rate_free(struct rate *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&r->lock[i]);
    free(r);
}

void rate_set(struct rate *r, uint64_t requests, uint64_t bytes)
{
    const uint64_t most = UINT64_C(1) << 40;

    atomic_store(&r->requests, requests < most ? requests : most);
    atomic_store(&r->bytes, bytes < most ? bytes : most);
}

/* Under the lock: whose bucket it is, filled up to now. Somebody new begins with a full one. */
static struct bucket *find(struct rate *r, uint64_t who, int64_t now)
{
    const uint64_t requests = atomic_load(&r->requests), bytes = atomic_load(&r->bytes);
    struct bucket *set = r->bucket[who % SETS], *b = &set[0];
    int64_t passed;

    for (unsigned i = 0; i < WAYS && b->who != who; i++)
        if (set[i].who == who || set[i].who == 0 || (b->who != 0 && set[i].at < b->at))
            b = &set[i];
    if (b->who != who)
        *b = (struct bucket){who, now, requests * SECOND, (int64_t)bytes};
    passed = now - b->at;
    if (passed < 0)
        passed = 0;
    if (passed > WAIT_MAX * (int64_t)SECOND)
        passed = WAIT_MAX * (int64_t)SECOND;
    b->at = now;
    b->requests += (uint64_t)passed * requests;
    if (b->requests > requests * SECOND)
        b->requests = requests * SECOND;
    b->bytes += (int64_t)((double)passed / SECOND * (double)bytes);
    if (b->bytes > (int64_t)bytes)
        b->bytes = (int64_t)bytes;
    return b;
}

static unsigned in_seconds(double s)
{
    return s < 1 ? 1 : s > WAIT_MAX ? WAIT_MAX : (unsigned)s + 1;
}

bool rate_take(struct rate *r, uint64_t who, int64_t now_us, unsigned *ret_wait)
{
    const uint64_t requests = atomic_load(&r->requests), bytes = atomic_load(&r->bytes);
    pthread_mutex_t *lock = &r->lock[who % LOCKS];
    struct bucket *b;
    bool ok = true;

    if (requests == 0 && bytes == 0)
        return true;
    pthread_mutex_lock(lock);
    b = find(r, who, now_us);
    if (bytes && b->bytes < 0) {
        *ret_wait = in_seconds((double)-b->bytes / (double)bytes);
        ok = false;
    } else if (requests && b->requests < SECOND) {
        *ret_wait = 1;
        ok = false;
    } else if (requests) {
        b->requests -= SECOND;
    }
    pthread_mutex_unlock(lock);
    return ok;
}

void rate_charge(struct rate *r, uint64_t who, int64_t now_us, uint64_t bytes)
{
    pthread_mutex_t *lock = &r->lock[who % LOCKS];
    const int64_t most = (int64_t)1 << 60;
    struct bucket *b;

    if (atomic_load(&r->bytes) == 0 || bytes == 0)
        return;
    pthread_mutex_lock(lock);
    b = find(r, who, now_us);
    b->bytes = bytes > (uint64_t)most || b->bytes < -most ? -most : b->bytes - (int64_t)bytes;
    pthread_mutex_unlock(lock);
}
