/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots over the engine: names, and the rules by which they come and go. */
#include "pcloud/snapshot.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "meta/snap/snapshot.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "volume/volume.h"

#define SWEEP_STEP 256 /* rows in one change: nobody waits for it longer than some milliseconds */
#define SWEEP_STEPS 8  /* of them in one round of the write-back thread */
#define KEEP_MAX 100000
#define NAME_TRIES 100
#define DAY 86400

/* Periods of the rules, the shortest first. */
enum period { HOURLY, DAILY, WEEKLY, MONTHLY, YEARLY, PERIODS };
static const char *const period_names[] = {"hourly", "daily", "weekly", "monthly", "yearly"};

struct rules {
    unsigned keep[PERIODS]; /* 0: no such rule */
};

/* A number that is the same for all times of one period, and rises. */
static int64_t period_of(enum period p, int64_t t)
{
    time_t seconds = (time_t)t;
    struct tm tm = {0};

    switch (p) {
    case HOURLY:
        return t / 3600;
    case DAILY:
        return t / DAY;
    case WEEKLY:
        return (t / DAY + 3) / 7; /* 1970 began on a Thursday */
    default:
        if (!gmtime_r(&seconds, &tm))
            return 0;
        return p == YEARLY ? tm.tm_year : tm.tm_year * INT64_C(12) + tm.tm_mon;
    }
}

static int rule_parse(const char *word, size_t len, struct rules *r)
{
    const char *eq = memchr(word, '=', len);
    unsigned number = 0;

    if (!eq)
        return -EINVAL;
    for (const char *p = eq + 1; p < word + len; p++) {
        if (!isdigit((unsigned char)*p) || number > KEEP_MAX)
            return -EINVAL;
        number = 10 * number + (unsigned)(*p - '0');
    }
    for (size_t p = 0; p < PERIODS; p++) {
        if (strlen(period_names[p]) != (size_t)(eq - word) ||
            memcmp(period_names[p], word, (size_t)(eq - word)) != 0)
            continue;
        if (r->keep[p] != 0 || number < 1 || number > KEEP_MAX)
            return -EINVAL;
        r->keep[p] = number;
        return 0;
    }
    return -EINVAL;
}

static int rules_parse(const char *text, struct rules *ret)
{
    struct rules r = {0};
    int rc = strlen(text) > PC_SNAPSHOT_RULES_MAX ? -EINVAL : 0;

    for (const char *p = text + strspn(text, " "); *p && rc == 0;) {
        size_t len = strcspn(p, " ");

        rc = rule_parse(p, len, &r);
        if (rc < 0)
            return pc_err_set(rc,
                              "\"%.*s\" is no rule: hourly=N, daily=N, weekly=N, monthly=N, "
                              "yearly=N, each once, N from 1 to %d",
                              len < 80 ? (int)len : 80, p, KEEP_MAX);
        p += len;
        p += strspn(p, " ");
    }
    if (rc < 0)
        return pc_err_set(rc, "the rules are longer than %d bytes", PC_SNAPSHOT_RULES_MAX);
    *ret = r;
    return 0;
}

static bool rules_any(const struct rules *r)
{
    for (size_t p = 0; p < PERIODS; p++)
        if (r->keep[p] > 0)
            return true;
    return false;
}

static int name_check(const char *name)
{
    size_t len = strlen(name);
    bool good = len > 0 && len <= PC_SNAPSHOT_NAME_MAX && name[0] != '.';

    for (size_t i = 0; i < len && good; i++)
        good = isalnum((unsigned char)name[i]) || strchr("._-+:@", name[i]);
    return good ? 0
                : pc_err_set(-EINVAL,
                             "\"%.*s\" cannot name a snapshot: at most %d letters, digits and "
                             ". _ - + : @, not with a dot at the start",
                             len < 80 ? (int)len : 80, name, PC_SNAPSHOT_NAME_MAX);
}

/* The time as a name; the second and later ones of a second get a number. */
static int name_of(time_t now, unsigned again, char name[PC_SNAPSHOT_NAME_MAX + 1])
{
    struct tm tm;
    size_t n;

    if (!gmtime_r(&now, &tm))
        return -EINVAL;
    n = strftime(name, PC_SNAPSHOT_NAME_MAX, "%Y-%m-%dT%H-%M-%SZ", &tm);
    if (again > 0)
        (void)snprintf(name + n, PC_SNAPSHOT_NAME_MAX - n, "-%u", again + 1);
    return n > 0 ? 0 : -EINVAL;
}

/* ${after}: at or after which an automatic one must not have been taken yet; < 0: a person's. */
static int take(struct pc_volume *v, const char *name, struct timespec now, int64_t after,
                struct pc_snapshot *ret)
{
    int64_t ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    char made[PC_SNAPSHOT_NAME_MAX + 1];
    int rc = pc_volume_flush(v);

    if (name)
        return rc < 0 ? rc : meta_snapshot_take(v->meta, name, false, ns, 0, ret);
    for (unsigned again = 0; rc == 0 && again < NAME_TRIES; again++) {
        rc = name_of(now.tv_sec, again, made);
        if (rc == 0)
            rc = meta_snapshot_take(v->meta, made, after >= 0, ns, after * 1000000000, ret);
        if (rc != -EEXIST || after >= 0)
            return rc;
        rc = 0;
    }
    return rc < 0 ? rc : -EEXIST;
}

int pc_snapshot_take(struct pc_volume *v, const char *name, struct pc_snapshot *ret)
{
    struct timespec now;
    int rc = name ? name_check(name) : 0;

    clock_gettime(CLOCK_REALTIME, &now);
    return rc < 0 ? rc : take(v, name, now, -1, ret);
}

int pc_snapshot_list(struct pc_volume *v, int (*fn)(void *arg, const struct pc_snapshot *s),
                     void *arg)
{
    return meta_snapshot_list(v->meta, fn, arg);
}

static int sweep(struct pc_volume *v)
{
    int n;

    do
        n = meta_snapshot_sweep(v->meta, SWEEP_STEP);
    while (n > 0);
    return n;
}

int pc_snapshot_remove(struct pc_volume *v, const char *name)
{
    struct pc_snapshot s;
    int rc = meta_snapshot_find(v->meta, name, &s);

    if (rc == 0)
        rc = meta_snapshot_remove(v->meta, s.id);
    return rc < 0 ? rc : sweep(v);
}

int pc_snapshot_rules(struct pc_volume *v, char buf[PC_SNAPSHOT_RULES_MAX + 1])
{
    return meta_snapshot_rules(v->meta, buf);
}

int pc_snapshot_rules_set(struct pc_volume *v, const char *text)
{
    struct rules r;
    int rc = rules_parse(text, &r);

    return rc < 0 ? rc : meta_snapshot_rules_set(v->meta, text);
}

/* All automatic ones, the oldest first. */
struct all {
    struct pc_snapshot *s;
    size_t n, cap;
    int error;
};

static int add(void *arg, const struct pc_snapshot *s)
{
    struct all *a = arg;

    if (!s->automatic)
        return 0;
    if (a->n == a->cap) {
        size_t cap = a->cap ? 2 * a->cap : 64;
        struct pc_snapshot *more = mem_realloc(a->s, cap * sizeof(*more));

        if (!more) {
            a->error = -ENOMEM;
            return 1;
        }
        a->s = more;
        a->cap = cap;
    }
    a->s[a->n++] = *s;
    return 0;
}

/* Those that no rule keeps: marked by an empty name kept out of the rest. */
static void keep_by(const struct rules *r, struct all *a, bool *kept)
{
    for (size_t p = 0; p < PERIODS; p++) {
        int64_t last = INT64_MIN;
        unsigned n = 0;

        for (size_t i = a->n; i > 0 && n < r->keep[p]; i--) {
            int64_t is = period_of((enum period)p, a->s[i - 1].taken.tv_sec);

            if (is == last)
                continue;
            last = is;
            kept[i - 1] = true;
            n++;
        }
    }
}

static int thin(struct pc_volume *v, const struct rules *r, struct all *a)
{
    bool *kept = mem_calloc(a->n ? a->n : 1, sizeof(*kept));
    int rc = 0;

    if (!kept)
        return -ENOMEM;
    keep_by(r, a, kept);
    for (size_t i = 0; i < a->n && rc == 0; i++) {
        if (kept[i])
            continue;
        rc = meta_snapshot_remove(v->meta, a->s[i].id);
        if (rc == 0)
            pc_log(PC_LOG_INFO, "snapshot.thin", "the rules keep %s no longer", a->s[i].name);
        if (rc == -ENOENT)
            rc = 0; /* another process was faster */
    }
    mem_free(kept);
    return rc;
}

/* When the present period of the shortest rule began: one taken since is enough. */
static int64_t period_start(const struct rules *r, int64_t now)
{
    size_t p = 0;
    int64_t start = now;

    while (r->keep[p] == 0)
        p++;
    start -= p == HOURLY ? now % 3600 : now % DAY;
    while (p > DAILY && period_of((enum period)p, start - DAY) == period_of((enum period)p, now))
        start -= DAY;
    return start;
}

static int is_due(const struct all *a, int64_t start)
{
    return a->n == 0 || a->s[a->n - 1].taken.tv_sec < start;
}

static int by_rules(struct pc_volume *v, const struct rules *r, int64_t now)
{
    struct timespec at = {.tv_sec = now};
    struct pc_snapshot taken;
    int64_t start = period_start(r, now);
    struct all a = {0};
    int rc = meta_snapshot_list(v->meta, add, &a);

    if (rc >= 0)
        rc = a.error;
    if (rc == 0 && is_due(&a, start)) {
        rc = take(v, NULL, at, start, &taken);
        if (rc == 0)
            (void)add(&a, &taken);
        if (rc == -EEXIST)
            rc = 0; /* another process was faster */
    }
    if (rc == 0)
        rc = thin(v, r, &a);
    mem_free(a.s);
    return rc;
}

static int rules_tend(struct pc_volume *v, int64_t now)
{
    char text[PC_SNAPSHOT_RULES_MAX + 1];
    struct rules r;
    int rc = meta_snapshot_rules(v->meta, text);

    if (rc == 0)
        rc = rules_parse(text, &r);
    return rc == 0 && rules_any(&r) ? by_rules(v, &r, now) : rc;
}

int pc_snapshot_tend(struct pc_volume *v, int64_t now)
{
    int rc = rules_tend(v, now);

    return rc < 0 ? rc : sweep(v);
}

int64_t snapshots_round_s = 20;

/* The thread writes back too: rows that are left go some at a time. */
void snapshots_tend(struct pc_volume *v, int64_t now_s)
{
    int rc = 0, n = 0;

    if (now_s >= v->snapshots_due) {
        v->snapshots_due = now_s + snapshots_round_s;
        rc = rules_tend(v, (int64_t)time(NULL));
        v->snapshots_sweep = true;
    }
    for (unsigned i = 0; i < SWEEP_STEPS && v->snapshots_sweep && rc == 0; i++) {
        n = meta_snapshot_sweep(v->meta, SWEEP_STEP);
        v->snapshots_sweep = n > 0;
    }
    if (rc < 0 || n < 0)
        pc_log(PC_LOG_WARN, "snapshot.tend", "what is due for snapshots is tried again: %s",
               pc_err_text(rc < 0 ? rc : n));
}
