/* SPDX-License-Identifier: Apache-2.0 */
/* The write-back thread: unwritten data gets old, nodes lose their last holder. */
#include <errno.h>
#include <time.h>

#include "pcloud/err.h"
#include "pcloud/log.h"
#include "volume/volume.h"

#define FLUSH_AFTER_MS 2000
#define ROUND_MS 1000
#define ORPHANS_A_ROUND 256

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void expire_orphans(struct pc_volume *v)
{
    if (!atomic_exchange(&v->orphans, false))
        return;
    int n = v->meta->content->gc_orphans(v->meta, ORPHANS_A_ROUND);
    if (n < 0)
        pc_log(PC_LOG_WARN, "orphans", "removed files could not be expired yet: %s",
               pc_err_text(n));
    if (n != 0)
        atomic_store(&v->orphans, true);
}

/* Wait for the next round or the end; false at the end. */
static bool next_round(struct pc_volume *v)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ROUND_MS / 1000;
    pthread_mutex_lock(&v->flusher_lock);
    int rc = 0;
    while (!v->stopping && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&v->flusher_cond, &v->flusher_lock, &until);
    bool go_on = !v->stopping;
    pthread_mutex_unlock(&v->flusher_lock);
    return go_on;
}

static void *flusher(void *arg)
{
    struct pc_volume *v = arg;
    while (next_round(v)) {
        int rc = open_flush_older(v, now_ms() - FLUSH_AFTER_MS);
        if (rc < 0)
            pc_log(PC_LOG_WARN, "write-back", "data waits to be stored: %s", pc_err_text(rc));
        expire_orphans(v);
        trash_tend(v, now_ms() / 1000);
        snapshots_tend(v, now_ms() / 1000);
    }
    return NULL;
}

int volume_flusher_start(struct pc_volume *v)
{
    pthread_condattr_t attr;
    int rc = pthread_mutex_init(&v->flusher_lock, NULL);
    if (rc != 0)
        return -rc;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    rc = pthread_cond_init(&v->flusher_cond, &attr);
    pthread_condattr_destroy(&attr);
    if (rc != 0)
        goto destroy_lock;
    rc = pthread_create(&v->flusher, NULL, flusher, v);
    if (rc != 0)
        goto destroy_cond;
    v->flusher_runs = true;
    return 0;

destroy_cond:
    pthread_cond_destroy(&v->flusher_cond);
destroy_lock:
    pthread_mutex_destroy(&v->flusher_lock);
    return -rc;
}

void volume_flusher_stop(struct pc_volume *v)
{
    if (!v->flusher_runs)
        return;
    pthread_mutex_lock(&v->flusher_lock);
    v->stopping = true;
    pthread_cond_signal(&v->flusher_cond);
    pthread_mutex_unlock(&v->flusher_lock);
    pthread_join(v->flusher, NULL);
    expire_orphans(v);
    pthread_cond_destroy(&v->flusher_cond);
    pthread_mutex_destroy(&v->flusher_lock);
    v->flusher_runs = false;
}
