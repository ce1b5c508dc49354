/* SPDX-License-Identifier: Apache-2.0 */
/* Lifecycle rules applied: a thread that walks the buckets that have some, a page at a time, resting as long as it worked. */
#include "settings/lifecycle.h"

#include "crypt/crypt.h"
#include "pcloud/err.h"
#include "pcloud/history.h"
#include "pcloud/home.h"
#include "pcloud/log.h"
#include "pcloud/upload.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 500
#define DAY 86400
#define REST_MAX_MS 5000
#define PASSES_A_DAY 4

struct lifecycle_worker {
    struct pc_volume *volume;
    struct pc_home *home;
    long day; /* seconds */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool stopping;
};

/* One object, version or upload that a rule is for. */
struct item {
    char *key, *etag; /* etag: of a version or an upload its id */
    size_t len;
    const char *class; /* NULL: it goes */
};

/* What the walk over versions knows of the key that it is at. */
struct past {
    char key[PC_KEY_MAX + 1],
        marker
            [PC_VERSION_MAX]; /* marker: the first version, if it is one that hides nothing so far and is due */
    size_t len;
    time_t followed; /* when the version seen last came */
    long newer;      /* versions seen that are not current */
    bool any;
};

struct page {
    struct lifecycle_worker *w;
    const struct lifecycle *rules;
    const struct lifecycle_rule *rule;
    time_t now;
    struct item items[PAGE + 1]; /* a version and the marker before it may come together */
    size_t count;
    struct past past;
    char last[PC_KEY_MAX + 1], last_id[PC_UPLOAD_ID_MAX];
    char last_version[PC_VERSION_MAX];
    size_t last_len;
    bool more;
    int rc;
};

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Sleep, or until it is to stop: then true. */
static bool rest(struct lifecycle_worker *w, int64_t ms)
{
    struct timespec ts;
    bool stopping;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_sec += ms / 1000;
    ts.tv_nsec += ms % 1000 * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&w->lock);
    while (!w->stopping && pthread_cond_timedwait(&w->stop, &w->lock, &ts) == 0)
        ;
    stopping = w->stopping;
    pthread_mutex_unlock(&w->lock);
    return stopping;
}

static void items_drop(struct page *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->items[i].key);
        free(p->items[i].etag);
    }
    p->count = 0;
}

static int item_add(struct page *p, const char *key, size_t len, const char *etag,
                    const char *class)
{
    struct item *i = &p->items[p->count];

    *i = (struct item){.key = malloc(len + 1), .etag = strdup(etag), .len = len, .class = class};
    if (!i->key || !i->etag) {
        free(i->key);
        free(i->etag);
        return -ENOMEM;
    }
    memcpy(i->key, key, len);
    i->key[len] = '\0';
    p->count++;
    return 0;
}

/* The class that what is from ${since} should have by now, or NULL. */
static const char *class_due(const struct page *p, const struct lifecycle_move *moves,
                             unsigned count, const struct pc_headers *headers, time_t since)
{
    const char *best = NULL, *has = pc_headers_get(headers, "x-amz-storage-class");
    int64_t latest = INT64_MIN;

    for (unsigned i = 0; i < count; i++) {
        const struct lifecycle_move *m = &moves[i];
        int64_t due = lifecycle_due(&m->when, since, p->w->day);

        if (due <= p->now && due > latest) {
            latest = due;
            best = m->class;
        }
    }
    return best && (!has || strcmp(has, best) != 0) ? best : NULL;
}

static int see_object(void *arg, const struct pc_list_entry *e)
{
    struct page *p = arg;
    const char *class;

    memcpy(p->last, e->key, e->len);
    p->last_len = e->len;
    if (!lifecycle_covers(p->rule, e->key, e->len, crypt_size(e->headers, e->size), e->headers))
        return 0;
    if (lifecycle_due(&p->rule->expire, e->mtime.tv_sec, p->w->day) <= p->now)
        return item_add(p, e->key, e->len, e->etag, NULL);
    class = class_due(p, p->rule->moves, p->rule->move_count, e->headers, e->mtime.tv_sec);
    return class ? item_add(p, e->key, e->len, e->etag, class) : 0;
}

/* A marker was the only version of its key. */
static int marker_alone(struct page *p)
{
    struct past *k = &p->past;
    int rc = *k->marker ? item_add(p, k->key, k->len, k->marker, NULL) : 0;

    k->marker[0] = '\0';
    return rc;
}

/* The first version of a key: the current one, or a marker in its place. */
static int first_version(struct page *p, const struct pc_version_entry *e)
{
    struct past *k = &p->past;
    int rc = marker_alone(p);

    memcpy(k->key, e->key, e->len);
    k->len = e->len;
    k->any = true;
    k->newer = 0;
    if (e->latest && e->marker && lifecycle_covers(p->rule, e->key, e->len, 0, NULL) &&
        (p->rule->marker || lifecycle_due(&p->rule->expire, e->mtime.tv_sec, p->w->day) <= p->now))
        memcpy(k->marker, e->version, strlen(e->version) + 1);
    return rc;
}

static int past_version(struct page *p, const struct pc_version_entry *e)
{
    const struct lifecycle_rule *r = p->rule;
    const struct lifecycle_when when = {.days = r->noncurrent_days >= 0 ? r->noncurrent_days : 0};
    bool rule_for_it = r->noncurrent_days >= 0 || r->keep_newer >= 0;
    long newer = p->past.newer++;
    const char *class;

    if (!lifecycle_covers(r, e->key, e->len, e->marker ? 0 : crypt_size(e->headers, e->size),
                          e->marker ? NULL : e->headers))
        return 0;
    if (rule_for_it && newer >= r->keep_newer &&
        lifecycle_due(&when, p->past.followed, p->w->day) <= p->now)
        return item_add(p, e->key, e->len, e->version, NULL);
    class = e->marker ? NULL
                      : class_due(p, r->noncurrent_moves, r->noncurrent_move_count, e->headers,
                                  p->past.followed);
    return class ? item_add(p, e->key, e->len, e->version, class) : 0;
}

static int see_version(void *arg, const struct pc_version_entry *e)
{
    struct page *p = arg;
    struct past *k = &p->past;
    bool same = k->any && k->len == e->len && memcmp(k->key, e->key, e->len) == 0;
    int rc = 0;

    memcpy(p->last, e->key, e->len);
    p->last_len = e->len;
    memcpy(p->last_version, e->version, strlen(e->version) + 1);
    if (same)
        k->marker[0] = '\0';
    else
        rc = first_version(p, e);
    if (rc == 0 && !e->latest)
        rc = past_version(p, e);
    k->followed = e->mtime.tv_sec;
    return rc;
}

static int see_upload(void *arg, const struct pc_upload *u, const char *key, size_t len)
{
    const struct lifecycle_when when = {.days = ((struct page *)arg)->rule->abort_days};
    struct page *p = arg;

    if (len > PC_KEY_MAX)
        return 0;
    memcpy(p->last, key, len);
    p->last[len] = '\0';
    p->last_len = len;
    if (!u)
        return 0;
    memcpy(p->last_id, u->id, sizeof p->last_id);
    return lifecycle_due(&when, u->created.tv_sec, p->w->day) <= p->now
               ? item_add(p, key, len, u->id, NULL)
               : 0;
}

static void move(struct page *p, const char *bucket, const struct item *it, const char *id)
{
    char change[64];
    struct pc_headers h = {change, 0};

    memcpy(change, "x-amz-storage-class", 20);
    memcpy(change + 20, it->class, strlen(it->class) + 1);
    h.len = 21 + strlen(it->class);
    pc_version_annotate(p->w->volume, bucket, it->key, it->len, id, &h);
}

/* Objects: only what is still the one that was judged. Versions: but those that are locked. */
static int expire(struct page *p, const char *bucket, bool versions)
{
    struct pc_delete gone[PAGE + 1];
    size_t n = 0;

    for (size_t i = 0; i < p->count; i++) {
        const struct item *it = &p->items[i];

        if (it->class)
            move(p, bucket, it, versions ? it->etag : NULL);
        else
            gone[n++] = (struct pc_delete){.key = it->key,
                                           .len = it->len,
                                           .etag = versions ? NULL : it->etag,
                                           .version = versions ? it->etag : NULL};
    }
    return n ? pc_objects_delete(p->w->volume, bucket, gone, n) : 0;
}

static int abort_uploads(struct page *p, const char *bucket)
{
    int rc = 0;

    for (size_t i = 0; i < p->count && rc == 0; i++) {
        rc = pc_upload_abort(p->w->volume, bucket, p->items[i].key, p->items[i].len,
                             p->items[i].etag);
        if (rc == PC_ENOUPLOAD)
            rc = 0;
    }
    return rc;
}

static int object_page(struct page *p, const char *bucket)
{
    struct pc_list list = {.prefix = p->rule->prefix,
                           .prefix_len = strlen(p->rule->prefix),
                           .delimiter = "",
                           .after = p->last,
                           .after_len = p->last_len,
                           .max = PAGE};
    char after[PC_KEY_MAX + 1];
    int rc;

    memcpy(after, p->last, sizeof after);
    list.after = after;
    rc = pc_list(p->w->volume, bucket, &list, see_object, p, &p->more);
    return rc < 0 ? rc : expire(p, bucket, false);
}

static int version_page(struct page *p, const char *bucket)
{
    char after[PC_KEY_MAX + 1], after_id[PC_VERSION_MAX];
    struct pc_version_list list = {.prefix = p->rule->prefix,
                                   .prefix_len = strlen(p->rule->prefix),
                                   .delimiter = "",
                                   .after = after,
                                   .after_len = p->last_len,
                                   .after_id = after_id,
                                   .max = PAGE};
    int rc;

    memcpy(after, p->last, sizeof after);
    memcpy(after_id, p->last_version, sizeof after_id);
    rc = pc_version_list(p->w->volume, bucket, &list, see_version, p, &p->more);
    if (rc == 0 && !p->more)
        rc = marker_alone(p);
    return rc < 0 ? rc : expire(p, bucket, true);
}

static int upload_page(struct page *p, const char *bucket)
{
    char after[PC_KEY_MAX + 1], after_id[PC_UPLOAD_ID_MAX];
    struct pc_upload_list list = {.prefix = p->rule->prefix,
                                  .delimiter = "",
                                  .after_key = after,
                                  .after_id = after_id,
                                  .max = PAGE};
    int rc;

    memcpy(after, p->last, sizeof after);
    memcpy(after_id, p->last_id, sizeof after_id);
    rc = pc_upload_list(p->w->volume, bucket, &list, see_upload, p, &p->more);
    return rc < 0 ? rc : abort_uploads(p, bucket);
}

/* All pages of one kind for one rule; true: stop. */
static bool walk(struct page *p, const char *bucket,
                 int (*page)(struct page *p, const char *bucket))
{
    p->last_len = 0;
    p->last[0] = p->last_id[0] = p->last_version[0] = '\0';
    p->past = (struct past){.any = false};
    do {
        int64_t begun = now_ms(), took;
        int rc;

        p->more = false;
        rc = page(p, bucket);
        if (p->count)
            pc_log(PC_LOG_INFO, "lifecycle", "%s: rule %s was for %zu", bucket, p->rule->id,
                   p->count);
        items_drop(p);
        if (rc < 0) {
            pc_log(PC_LOG_WARN, "lifecycle", "%s: %s", bucket, pc_err_text(rc));
            return false;
        }
        took = now_ms() - begun;
        if (rest(p->w, took > REST_MAX_MS ? REST_MAX_MS : took))
            return true;
    } while (p->more);
    return false;
}

/* Is there anything for versions that are not current, or for markers? */
static bool looks_back(const struct lifecycle_rule *r)
{
    return r->noncurrent_days >= 0 || r->keep_newer >= 0 || r->noncurrent_move_count || r->marker ||
           r->expire.days >= 0;
}

static bool apply(struct page *p, const char *bucket, bool versions)
{
    for (size_t i = 0; i < p->rules->count; i++) {
        const struct lifecycle_rule *r = p->rule = &p->rules->rules[i];

        if (!r->enabled)
            continue;
        p->now = time(NULL);
        if ((r->expire.days >= 0 || r->expire.date || r->move_count) &&
            walk(p, bucket, object_page))
            return true;
        if (versions && looks_back(r) && walk(p, bucket, version_page))
            return true;
        if (r->abort_days >= 0 && walk(p, bucket, upload_page))
            return true;
    }
    return false;
}

static bool do_bucket(struct lifecycle_worker *w, const char *bucket)
{
    struct page *p = calloc(1, sizeof *p);
    struct pc_bucket b;
    struct lifecycle l;
    char *data;
    size_t len;
    bool stop = false;

    if (p && pc_bucket_setting_get(w->volume, bucket, PC_SETTING_LIFECYCLE, &data, &len) == 0) {
        p->w = w;
        p->rules = &l;
        if (lifecycle_parse(data, len, &l) == 0)
            stop = pc_bucket_get(w->volume, bucket, &b) == 0 &&
                   apply(p, bucket, b.versioning != PC_VERSIONING_OFF);
        lifecycle_fini(&l);
        free(data);
    }
    free(p);
    return stop;
}

struct names {
    char (*list)[PC_BUCKET_MAX + 1];
    size_t count, cap;
};

static int see_bucket(void *arg, const struct pc_bucket *b)
{
    struct names *n = arg;

    if (!(b->settings & 1u << PC_SETTING_LIFECYCLE))
        return 0;
    if (n->count == n->cap) {
        size_t cap = n->cap ? 2 * n->cap : 16;
        void *list = realloc(n->list, cap * sizeof *n->list);

        if (!list)
            return -ENOMEM;
        n->list = list;
        n->cap = cap;
    }
    memcpy(n->list[n->count++], b->name, sizeof b->name);
    return 0;
}

/* One pass over everything, unless another process is at it. */
static bool pass(struct lifecycle_worker *w)
{
    struct names n = {NULL, 0, 0};
    bool stop = false;
    int lock = -1, rc = pc_bucket_list(w->volume, see_bucket, &n);

    if (rc == 0 && n.count)
        rc = pc_home_lock(w->home, "lifecycle", &lock);
    for (size_t i = 0; rc == 0 && i < n.count && !stop; i++)
        stop = do_bucket(w, n.list[i]);
    if (lock >= 0)
        close(lock);
    free(n.list);
    return stop;
}

static void *run(void *arg)
{
    struct lifecycle_worker *w = arg;

    while (!rest(w, (int64_t)w->day * 1000 / PASSES_A_DAY))
        if (pass(w))
            break;
    return NULL;
}

int lifecycle_start(struct pc_volume *v, struct pc_home *home, long day,
                    struct lifecycle_worker **ret)
{
    struct lifecycle_worker *w = calloc(1, sizeof *w);
    pthread_condattr_t attr;
    int err;

    if (!w)
        return -ENOMEM;
    w->volume = v;
    w->home = home;
    w->day = day;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->stop, &attr);
    pthread_condattr_destroy(&attr);
    err = pthread_create(&w->thread, NULL, run, w);
    if (err) {
        pthread_cond_destroy(&w->stop);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return pc_err_set(-err, "no thread for lifecycle rules: %s", strerror(err));
    }
    *ret = w;
    return 0;
}

void lifecycle_stop(struct lifecycle_worker *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->stop);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->stop);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
