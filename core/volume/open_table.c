/* SPDX-License-Identifier: Apache-2.0 */
/* The table of nodes in use by this process. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "volume/volume.h"

static struct open_shard *shard_of(struct open_table *t, uint64_t ino)
{
    return &t->shard[ino % OPEN_SHARDS];
}

static struct open_node **bucket_of(struct open_shard *s, uint64_t ino)
{
    return &s->head[(ino / OPEN_SHARDS) % (sizeof(s->head) / sizeof(s->head[0]))];
}

int open_table_init(struct open_table *t)
{
    memset(t, 0, sizeof(*t));
    for (unsigned i = 0; i < OPEN_SHARDS; i++) {
        int rc = pthread_mutex_init(&t->shard[i].lock, NULL);
        if (rc != 0)
            return -rc;
    }
    return 0;
}

void open_table_fini(struct open_table *t)
{
    for (unsigned i = 0; i < OPEN_SHARDS; i++)
        pthread_mutex_destroy(&t->shard[i].lock);
}

static struct open_node *find_locked(struct open_shard *s, uint64_t ino)
{
    struct open_node *n = *bucket_of(s, ino);
    while (n != NULL && n->ino != ino)
        n = n->next;
    return n;
}

struct open_node *open_node_find(struct pc_volume *v, uint64_t ino)
{
    struct open_shard *s = shard_of(&v->nodes, ino);
    pthread_mutex_lock(&s->lock);
    struct open_node *n = find_locked(s, ino);
    if (n != NULL)
        n->refs++;
    pthread_mutex_unlock(&s->lock);
    return n;
}

static int add_locked(struct pc_volume *v, struct open_shard *s, uint64_t ino,
                      struct open_node **ret)
{
    struct open_node *n = mem_calloc(1, sizeof(*n));
    if (n == NULL)
        return -ENOMEM;
    n->ino = ino;
    n->refs = 1;
    int rc = -pthread_mutex_init(&n->lock, NULL);
    if (rc < 0)
        goto free_node;
    rc = meta_hold(v->meta, ino);
    if (rc < 0)
        goto destroy_lock;
    struct open_node **head = bucket_of(s, ino);
    n->next = *head;
    *head = n;
    *ret = n;
    return 0;

destroy_lock:
    pthread_mutex_destroy(&n->lock);
free_node:
    mem_free(n);
    return rc;
}

int open_node_get(struct pc_volume *v, uint64_t ino, struct open_node **ret)
{
    struct open_shard *s = shard_of(&v->nodes, ino);
    int rc = 0;
    pthread_mutex_lock(&s->lock);
    struct open_node *n = find_locked(s, ino);
    if (n != NULL) {
        n->refs++;
        *ret = n;
    } else {
        rc = add_locked(v, s, ino, ret);
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

void open_node_ref(struct pc_volume *v, struct open_node *n)
{
    struct open_shard *s = shard_of(&v->nodes, n->ino);
    pthread_mutex_lock(&s->lock);
    n->refs++;
    pthread_mutex_unlock(&s->lock);
}

static void unlink_locked(struct open_shard *s, struct open_node *n)
{
    struct open_node **p = bucket_of(s, n->ino);
    while (*p != n)
        p = &(*p)->next;
    *p = n->next;
}

void open_node_put(struct pc_volume *v, struct open_node *n)
{
    struct open_shard *s = shard_of(&v->nodes, n->ino);
    for (;;) {
        pthread_mutex_lock(&s->lock);
        if (n->refs > 1) {
            n->refs--;
            pthread_mutex_unlock(&s->lock);
            return;
        }
        if (__atomic_load_n(&n->dirty_since_ms, __ATOMIC_ACQUIRE) == 0)
            break;
        pthread_mutex_unlock(&s->lock);
        int rc = open_node_flush(v, n);
        if (rc < 0) {
            pc_log(PC_LOG_ERROR, "file.lost", "inode %llu: unwritten data could not be stored: %s",
                   (unsigned long long)n->ino, pc_err_text(rc));
            open_node_discard(v, n);
        }
    }
    unlink_locked(s, n);
    meta_drop(v->meta, n->ino);
    pthread_mutex_unlock(&s->lock);
    dirty_clear(&n->dirty);
    pthread_mutex_destroy(&n->lock);
    mem_free(n);
}

static void overlay(struct pc_volume *v, struct pc_attr *attr)
{
    struct open_node *n = open_node_find(v, attr->ino);

    if (n == NULL)
        return;
    pthread_mutex_lock(&n->lock);
    if (n->dirty_since_ms != 0) {
        if (n->end > attr->size)
            attr->size = n->end;
        attr->mtime = attr->ctime = n->written;
    }
    pthread_mutex_unlock(&n->lock);
    open_node_put(v, n);
}

int open_node_attr(struct pc_volume *v, uint64_t flushes, struct pc_attr *attr)
{
    int rc = 0;

    while (rc == 0) {
        uint64_t now;

        overlay(v, attr);
        now = atomic_load(&v->flushes);
        if (now == flushes || !S_ISREG(attr->mode))
            break;
        flushes = now;
        rc = v->meta->node->getattr(v->meta, attr->ino, attr);
    }
    return rc;
}

/* Take up to ${max} references on nodes of a shard that are dirty since before ${before_ms}. */
static unsigned collect(struct open_shard *s, int64_t before_ms, struct open_node **out,
                        unsigned max)
{
    unsigned n = 0;
    pthread_mutex_lock(&s->lock);
    for (unsigned b = 0; b < sizeof(s->head) / sizeof(s->head[0]); b++) {
        for (struct open_node *p = s->head[b]; p != NULL && n < max; p = p->next) {
            int64_t since = __atomic_load_n(&p->dirty_since_ms, __ATOMIC_ACQUIRE);
            if (since == 0 || since > before_ms)
                continue;
            p->refs++;
            out[n++] = p;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return n;
}

int open_flush_older(struct pc_volume *v, int64_t before_ms)
{
    struct open_node *batch[32];
    int first = 0;
    for (unsigned i = 0; i < OPEN_SHARDS; i++) {
        unsigned n;
        do {
            n = collect(&v->nodes.shard[i], before_ms, batch, 32);
            int failed = 0;
            for (unsigned k = 0; k < n; k++) {
                int rc = open_node_flush(v, batch[k]);
                if (rc < 0) {
                    failed = 1;
                    if (first == 0)
                        first = rc;
                }
                open_node_put(v, batch[k]);
            }
            if (failed)
                break;
        } while (n == 32);
    }
    return first;
}
