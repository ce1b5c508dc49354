/* SPDX-License-Identifier: Apache-2.0 */
/* Locks on versions: read from their headers, kept to, changed only as they allow. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "meta/ops/header.h"
#include "meta/ops/ops.h"
#include "meta/s3/past.h"
#include "pcloud/err.h"

#define MODE "lock-mode"
#define UNTIL "lock-until"
#define HOLD "legal-hold"

static const char *const names[] = {MODE, UNTIL, HOLD};

void pc_lock_read(const struct pc_headers *h, struct pc_lock *ret)
{
    const char *mode = header_find(h->data, h->len, MODE);
    const char *until = header_find(h->data, h->len, UNTIL);
    const char *hold = header_find(h->data, h->len, HOLD);

    *ret = (struct pc_lock){.hold = !hold ? -1 : strcmp(hold, "ON") == 0};
    if (!mode || !until)
        return;
    ret->mode = strcmp(mode, "COMPLIANCE") == 0 ? PC_LOCK_COMPLIANCE : PC_LOCK_GOVERNANCE;
    ret->until_ms = strtoll(until, NULL, 10);
}

bool lock_named(const struct pc_headers *h)
{
    for (size_t i = 0; h && i < sizeof(names) / sizeof(names[0]); i++) {
        if (header_find(h->data, h->len, names[i]))
            return true;
    }
    return false;
}

size_t lock_strip(char *data, size_t len)
{
    const char *n, *v;
    size_t pos = 0, used = 0, from = 0;

    while (header_next(data, len, &pos, &n, &v)) {
        if (strcmp(n, MODE) != 0 && strcmp(n, UNTIL) != 0 && strcmp(n, HOLD) != 0) {
            memmove(data + used, data + from, pos - from);
            used += pos - from;
        }
        from = pos;
    }
    return used;
}

static bool is_kept(const struct pc_lock *l)
{
    return l->mode != PC_LOCK_NONE && l->until_ms > wall_ns() / 1000000;
}

static int load(struct sql_conn *c, const struct row *r, struct pc_lock *ret)
{
    struct pc_headers h = {0};
    char *data = NULL;
    int rc = r->flags & ROW_OBJECT ? header_load(c, r->ino, &data, &h.len) : 0;

    if (rc < 0)
        return rc;
    h.data = data;
    pc_lock_read(&h, ret);
    mem_free(data);
    return 0;
}

int lock_guard(struct sql_conn *c, const struct row *r, bool bypass)
{
    struct pc_lock l;
    int rc = r->flags & ROW_LOCKED ? load(c, r, &l) : 0;

    if (rc < 0 || !(r->flags & ROW_LOCKED))
        return rc;
    if (l.hold == 1)
        return pc_err_set(PC_ELOCKED, "this version is under a legal hold");
    if (is_kept(&l) && (l.mode == PC_LOCK_COMPLIANCE || !bypass))
        return pc_err_set(PC_ELOCKED, "this version is retained until a later time");
    return 0;
}

/* May the one be put in the place of the other? */
static int may_become(const struct pc_lock *old, enum pc_lock_mode mode, int64_t until_ms,
                      bool bypass)
{
    if (!is_kept(old) || (mode == old->mode && until_ms >= old->until_ms) ||
        (old->mode == PC_LOCK_GOVERNANCE && bypass))
        return 0;
    return pc_err_set(PC_ELOCKED, "this version is retained longer, or more strictly");
}

/* The version, which is changed by ${change}. */
static int change_in(struct meta *m, struct sql_conn *c, const struct meta_key *k,
                     const struct pc_lock *want, bool bypass)
{
    char out[PC_META_MAX], until[24];
    struct pc_headers change = {.data = out};
    struct pc_lock old;
    struct object o;
    int n, rc = version_get(c, k, &o);

    if (rc == 0)
        rc = load(c, &o.row, &old);
    if (rc < 0)
        return rc;
    if (want->hold >= 0) {
        n = snprintf(out, sizeof(out), HOLD "%c%s%c", 0, want->hold ? "ON" : "OFF", 0);
    } else {
        rc = may_become(&old, want->mode, want->until_ms, bypass);
        snprintf(until, sizeof(until), "%lld", (long long)want->until_ms);
        n = snprintf(out, sizeof(out), MODE "%c%s%c" UNTIL "%c%s%c", 0,
                     want->mode == PC_LOCK_COMPLIANCE   ? "COMPLIANCE"
                     : want->mode == PC_LOCK_GOVERNANCE ? "GOVERNANCE"
                                                        : "",
                     0, 0, want->mode == PC_LOCK_NONE ? "" : until, 0);
    }
    if (rc < 0)
        return rc;
    change.len = (size_t)n;
    o.row.flags |= ROW_LOCKED;
    return object_annotate(m, c, &o.row, &change);
}

static int op_change(struct meta *m, const struct meta_key *k, const struct pc_lock *want,
                     bool bypass)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    return rc < 0 ? rc : sql_write_end(m, c, change_in(m, c, k, want, bypass));
}

int op_retain(struct meta *m, const struct meta_key *k, enum pc_lock_mode mode, int64_t until_ms,
              bool bypass)
{
    const struct pc_lock want = {.mode = mode, .until_ms = until_ms, .hold = -1};

    return op_change(m, k, &want, bypass);
}

int op_hold(struct meta *m, const struct meta_key *k, bool on)
{
    const struct pc_lock want = {.hold = on};

    return op_change(m, k, &want, false);
}
