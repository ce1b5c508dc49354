/* SPDX-License-Identifier: Apache-2.0 */
/* The trash of a volume: its rules, what is in it, what comes back, what is over. */
#include "pcloud/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "meta/node.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "pcloud/upkeep.h"
#include "volume/volume.h"

#define TOP "/" PC_TRASH_NAME "/"
#define PAGE 64
#define TODO_MAX (1u << 26)

int64_t trash_round_s = 60;

void pc_trash_days(struct pc_volume *v, int64_t days)
{
    int rc = v->meta->trash->enable(v->meta, days > 0);

    if (rc < 0) {
        pc_log(PC_LOG_ERROR, "trash", "what is removed is freed at once: no trash: %s",
               pc_err_text(rc));
        days = 0;
    }
    atomic_store(&v->trash_days, days);
}

int pc_trash_rule_set(struct pc_volume *v, uint64_t ino, enum pc_trash_rule rule)
{
    return v->meta->trash->rule_set(v->meta, ino, rule);
}

int pc_trash_rule_get(struct pc_volume *v, uint64_t ino, enum pc_trash_rule *ret,
                      enum pc_trash_rule *ret_effective)
{
    int rc = v->meta->trash->rule_get(v->meta, ino, ret, ret_effective);

    if (rc == 0 && ret_effective && atomic_load(&v->trash_days) == 0)
        *ret_effective = PC_TRASH_OFF;
    return rc;
}

int pc_trash_list(struct pc_volume *v, int (*fn)(void *arg, const struct pc_trash_entry *e),
                  void *arg)
{
    return v->meta->trash->list(v->meta, fn, arg);
}

struct finder {
    const char *path, *entry;
    uint64_t ino;
    struct timespec gone;
};

static int find_one(void *arg, const struct pc_trash_entry *e)
{
    struct finder *f = arg;

    if (f->entry)
        return strcmp(e->entry, f->entry) == 0 ? (f->ino = e->attr.ino, 1) : 0;
    if (strcmp(e->path, f->path) != 0)
        return 0;
    if (f->ino == 0 || e->gone.tv_sec > f->gone.tv_sec ||
        (e->gone.tv_sec == f->gone.tv_sec && e->gone.tv_nsec >= f->gone.tv_nsec)) {
        f->ino = e->attr.ino;
        f->gone = e->gone;
    }
    return 0;
}

int pc_trash_find(struct pc_volume *v, const char *what, uint64_t *ret_ino)
{
    struct finder f = {.path = what};
    int rc;

    if (strncmp(what, TOP, strlen(TOP)) == 0)
        f.entry = what + strlen(TOP);
    else if (what[0] != '/')
        f.entry = what;
    rc = pc_trash_list(v, find_one, &f);
    if (rc < 0)
        return rc;
    if (f.ino == 0)
        return pc_err_set(-ENOENT, "%s: nothing of that name is in the trash", what);
    *ret_ino = f.ino;
    return 0;
}

/* Folders that came back, whose own may follow. */
struct todo {
    uint64_t *inos;
    size_t n, cap;
};

static int todo_push(struct todo *t, uint64_t ino)
{
    if (t->n == t->cap) {
        size_t cap = t->cap > 0 ? 2 * t->cap : 16;
        uint64_t *inos = cap <= TODO_MAX ? mem_realloc(t->inos, cap * sizeof(*inos)) : NULL;

        if (!inos)
            return -ENOMEM;
        t->inos = inos;
        t->cap = cap;
    }
    t->inos[t->n++] = ino;
    return 0;
}

/* What was removed from a folder that is here again. */
static int restore_below(struct pc_volume *v, struct todo *t, uint64_t folder, uint64_t *n)
{
    uint64_t inos[PAGE];
    int64_t before = INT64_MAX;
    bool stayed = false;
    int got, rc = 0;

    do {
        if (!stayed)
            before = INT64_MAX; /* what came back is not met again */
        got = v->meta->trash->removed_from(v->meta, folder, &before, PAGE, inos);
        for (int i = 0; i < got && rc == 0; i++) {
            rc = v->meta->trash->restore(v->meta, inos[i], 0, NULL);
            if (rc == 0) {
                ++*n;
                rc = todo_push(t, inos[i]);
            } else if (rc == -EEXIST || rc == -ENOENT) {
                stayed = true; /* an older one of the same name, or somebody was faster */
                rc = 0;
            }
        }
    } while (got == PAGE && rc == 0);
    return got < 0 ? got : rc;
}

int pc_trash_restore(struct pc_volume *v, uint64_t ino, uint64_t parent, const char *name,
                     uint64_t *ret_n)
{
    struct todo t = {0};
    uint64_t n = 1;
    int rc = v->meta->trash->restore(v->meta, ino, parent, name);

    if (rc < 0)
        return rc;
    rc = todo_push(&t, ino);
    while (rc == 0 && t.n > 0)
        rc = restore_below(v, &t, t.inos[--t.n], &n);
    mem_free(t.inos);
    if (rc == 0)
        rc = meta_sync(v->meta);
    if (rc == 0 && ret_n)
        *ret_n = n;
    return rc;
}

int pc_trash_stat(struct pc_volume *v, struct pc_trash_result *ret)
{
    return v->meta->trash->stat(v->meta, ret);
}

int pc_trash_empty(struct pc_volume *v, int64_t older_s, const struct pc_upkeep *up,
                   struct pc_trash_result *ret)
{
    int64_t before = older_s > 0 ? (int64_t)time(NULL) - older_s : INT64_MAX;
    struct pc_trash_result r = {0};
    int rc;

    do {
        rc = v->meta->trash->drop(v->meta, before, &r);
        if (rc >= 0 && up && up->progress && up->progress(up->arg, r.entries, 0) != 0)
            rc = PC_ECANCELED;
    } while (rc > 0);
    atomic_store(&v->orphans, true);
    if (rc == 0)
        rc = meta_sync(v->meta);
    if (rc == 0 && ret)
        *ret = r;
    return rc;
}

/* Less disk is free than is to be kept back. */
static bool is_short(struct pc_volume *v)
{
    uint64_t reserve = (uint64_t)pc_config_num(v->config, PC_CONFIG_RESERVE);
    struct statvfs fs;

    return reserve > 0 && statvfs(pc_home_dir(v->home), &fs) == 0 &&
           (uint64_t)fs.f_bavail * fs.f_frsize < reserve;
}

/* The oldest hour, then what only it needed: 1 if there was one. */
static int make_room(struct pc_volume *v)
{
    struct pc_trash_result r = {0};
    struct pc_gc_result gc;
    int rc;

    do
        rc = v->meta->trash->drop(v->meta, INT64_MAX, &r);
    while (rc == 1);
    if (rc <= 0)
        return rc;
    pc_log(PC_LOG_WARN, "trash.room", "the disk is full: %llu entries of the trash were freed",
           (unsigned long long)r.entries);
    while (v->meta->content->gc_orphans(v->meta, 1000) > 0)
        ;
    rc = pc_gc(v, false, NULL, &gc);
    return rc < 0 ? rc : 1;
}

static int expire(struct pc_volume *v, int64_t days)
{
    int64_t before = (int64_t)time(NULL) - days * 86400;
    struct pc_trash_result r = {0};
    int rc = 0;

    for (unsigned i = 0; i < PAGE; i++) {
        rc = v->meta->trash->drop(v->meta, before, &r);
        if (rc <= 0)
            break;
    }
    if (r.entries > 0) {
        atomic_store(&v->orphans, true);
        pc_log(PC_LOG_INFO, "trash", "%llu entries, older than %lld days, were freed",
               (unsigned long long)r.entries, (long long)days);
    }
    return rc;
}

void trash_tend(struct pc_volume *v, int64_t now_s)
{
    int64_t days = atomic_load(&v->trash_days);
    bool full;
    int lock, rc;

    if (days == 0 || now_s < v->trash_due)
        return;
    full = is_short(v);
    if (pc_home_lock(v->home, "trash", &lock) < 0) { /* another process is at it */
        v->trash_due = now_s + trash_round_s;
        return;
    }
    rc = expire(v, days);
    if (rc == 0 && full)
        rc = make_room(v);
    close(lock);
    if (rc < 0)
        pc_log(PC_LOG_WARN, "trash", "what is over cannot be freed yet: %s", pc_err_text(rc));
    v->trash_due = now_s + (rc > 0 ? 0 : trash_round_s);
}
