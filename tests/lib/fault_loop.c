/* SPDX-License-Identifier: Apache-2.0 */
/* Faults in front of the allocator and of SQLite, and a picture of what an operation could have changed. */
#include "fault_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/alloc.h"
#include "pcloud/err.h"
#include "pcloud/file.h"
#include "pcloud/history.h"
#include "pcloud/upload.h"
#include "pcloud/user.h"
#include "test_env.h"
#include "volume/volume.h"

#define CONTENT_MAX (1u << 20)
#define FAULTS_MAX 3000

/* Statements. */

static atomic_ulong steps_left, steps_failed;
static atomic_int step_code, steps_go_on;
static _Thread_local char failed_sql[120]; /* the last one, for messages */
static _Thread_local unsigned long steps_done;

int __real_sqlite3_step(sqlite3_stmt *st);
int __wrap_sqlite3_step(sqlite3_stmt *st);

int __wrap_sqlite3_step(sqlite3_stmt *st)
{
    unsigned long left = atomic_load(&steps_left);

    steps_done++;
    while (left > 0) {
        unsigned long next = left == 1 && atomic_load(&steps_go_on) ? 1 : left - 1;

        if (!atomic_compare_exchange_weak(&steps_left, &left, next))
            continue;
        if (left > 1)
            break;
        atomic_fetch_add(&steps_failed, 1);
        snprintf(failed_sql, sizeof failed_sql, "%s", sqlite3_sql(st));
        return atomic_load(&step_code);
    }
    return __real_sqlite3_step(st);
}

/* No power is cut here, and syncs take most of the time. */
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);

int __wrap_fdatasync(int fd)
{
    return fd < 0 ? -1 : 0;
}

int __wrap_fsync(int fd)
{
    return __wrap_fdatasync(fd);
}

unsigned long fault_statements(void)
{
    unsigned long n = steps_done;

    steps_done = 0;
    return n;
}

enum fault { NO_FAULT, ALLOC_ONCE, ALLOC_ON, STEP_ONCE, STEP_FULL, STEP_ON, FAULTS };
static const char *const fault_names[FAULTS] = {
    "nothing fails",     "an allocation fails",       "allocations fail",
    "a statement fails", "a statement finds no room", "statements fail",
};

static void arm(enum fault fault, unsigned long n)
{
    if (fault == ALLOC_ONCE || fault == ALLOC_ON)
        mem_fail_at(n, fault == ALLOC_ON ? MEM_FAIL_ON : MEM_FAIL_ONCE);
    atomic_store(&steps_failed, 0);
    atomic_store(&step_code, fault == STEP_FULL ? SQLITE_FULL : SQLITE_IOERR);
    atomic_store(&steps_go_on, fault == STEP_ON);
    if (fault >= STEP_ONCE)
        atomic_store(&steps_left, n);
}

static unsigned long disarm(void)
{
    unsigned long n = mem_fail_count() + atomic_load(&steps_failed);

    mem_fail_at(0, MEM_FAIL_ONCE);
    atomic_store(&steps_left, 0);
    return n;
}

/* The picture: names, kinds, owners, sizes, content, attributes, buckets, uploads, users; no numbers and times, which differ each time. */

struct names {
    char **name;
    struct pc_attr *attr;
    size_t n;
};

static int take_name(void *arg, const char *name, const struct pc_attr *attr, uint64_t next_off)
{
    struct names *all = arg;

    if (next_off <= 2)
        return 0;
    all->name = realloc(all->name, (all->n + 1) * sizeof *all->name);
    all->attr = realloc(all->attr, (all->n + 1) * sizeof *all->attr);
    assert_true(all->name && all->attr);
    all->name[all->n] = strdup(name);
    all->attr[all->n++] = *attr;
    return 0;
}

static void draw_content(FILE *out, struct fault_world *w, uint64_t ino, uint64_t size)
{
    static uint8_t buf[CONTENT_MAX];
    uint64_t hash = 1469598103934665603u;
    struct pc_file *f;

    assert_true(size <= sizeof buf);
    assert_int_equal(pc_file_open(w->v, ino, O_RDONLY, &f), 0);
    assert_int_equal(pc_file_read_all(f, buf, size, 0), size);
    assert_int_equal(pc_file_close(f), 0);
    for (size_t i = 0; i + 8 <= size; i++)
        if (buf[i] == w->tag[0] && memcmp(buf + i, w->tag, 8) == 0)
            memset(buf + i, 0xee, 8);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ buf[i]) * 1099511628211u;
    fprintf(out, " %016llx", (unsigned long long)hash);
}

static void draw_xattrs(FILE *out, struct fault_world *w, uint64_t ino)
{
    char names[4096], value[4096];
    ssize_t n = pc_xattr_list(w->v, ino, names, sizeof names);

    assert_true(n >= 0);
    for (char *name = names; name < names + n; name += strlen(name) + 1) {
        ssize_t len = pc_xattr_get(w->v, ino, name, value, sizeof value);

        assert_true(len >= 0);
        if (strcmp(name, "user.s3.etag") != 0)
            fprintf(out, " %s=%.*s", name, (int)len, value);
    }
}

static void draw_folder(FILE *out, struct fault_world *w, uint64_t ino, unsigned depth)
{
    struct names all = {0};
    struct pc_dir *dir;
    char target[PC_SYMLINK_MAX + 1];

    assert_int_equal(pc_dir_open(w->v, ino, &dir), 0);
    assert_int_equal(pc_dir_read(dir, 0, take_name, &all), 0);
    pc_dir_close(dir);
    for (size_t i = 0; i < all.n; i++) {
        struct pc_attr *a = &all.attr[i];

        fprintf(out, "%*s%s %o %u %u:%u %llu %llu %llu", (int)depth * 2, "", all.name[i], a->mode,
                a->nlink, a->uid, a->gid, (unsigned long long)a->rdev, (unsigned long long)a->size,
                (unsigned long long)a->used);
        draw_xattrs(out, w, a->ino);
        if (S_ISREG(a->mode))
            draw_content(out, w, a->ino, a->size);
        if (S_ISLNK(a->mode)) {
            assert_true(pc_readlink(w->v, a->ino, target, sizeof target) > 0);
            fprintf(out, " -> %s", target);
        }
        fputc('\n', out);
        if (S_ISDIR(a->mode))
            draw_folder(out, w, a->ino, depth + 1);
        free(all.name[i]);
    }
    free(all.name);
    free(all.attr);
}

static int draw_part(void *out, const struct pc_part *p)
{
    fprintf(out, "  part %u %llu %s %s\n", p->number, (unsigned long long)p->size, p->etag,
            p->checksum);
    return 0;
}

struct uploads {
    FILE *out;
    char id[8][PC_UPLOAD_ID_MAX];
    unsigned n;
};

static int draw_upload(void *arg, const struct pc_upload *u, const char *key, size_t len)
{
    struct uploads *all = arg;

    assert_true(u && all->n < 8);
    fprintf(all->out, "upload %.*s of %s\n", (int)len, key, u->owner);
    memcpy(all->id[all->n++], u->id, sizeof u->id);
    return 0;
}

/* Nothing may be asked from within a listing, so the parts come after it. */
static void draw_uploads(FILE *out, struct fault_world *w)
{
    const struct pc_upload_list list = {"", "", "", "", 100};
    struct uploads all = {.out = out};
    bool more;

    assert_int_equal(pc_upload_list(w->v, w->bucket, &list, draw_upload, &all, &more), 0);
    for (unsigned i = 0; i < all.n; i++)
        assert_int_equal(pc_upload_parts(w->v, all.id[i], 0, 100, draw_part, out, &more), 0);
}

static int draw_version(void *out, const struct pc_version_entry *e)
{
    fprintf(out, "version of %.*s%s%s %llu %s\n", (int)e->len, e->key, e->latest ? ", latest" : "",
            e->marker ? ", marker" : "", (unsigned long long)e->size,
            e->version[0] == 'n' ? "null" : "named");
    return 0;
}

static int draw_key(void *out, const struct pc_access_key *k)
{
    fprintf(out, "key of %d characters, bucket '%s'%s\n", (int)strlen(k->access_key), k->bucket,
            k->read_only ? ", reading" : "");
    return 0;
}

static void draw_rest(FILE *out, struct fault_world *w)
{
    const struct pc_version_list versions = {
        .prefix = "", .delimiter = "", .after = "", .after_id = "", .max = 100};
    struct pc_volume_stat st;
    struct pc_bucket b;
    struct pc_user u;
    bool more;

    if (pc_bucket_get(w->v, w->bucket, &b) == 0) {
        fprintf(out, "bucket of %s, settings %x, versions %d%s\n",
                strcmp(b.owner, w->user) == 0 ? "the user" : b.owner, b.settings, b.versioning,
                b.locking ? ", locks" : "");
        draw_uploads(out, w);
        if (b.versioning != PC_VERSIONING_OFF)
            assert_int_equal(pc_version_list(w->v, w->bucket, &versions, draw_version, out, &more),
                             0);
    }
    if (pc_user_get(w->v, w->user, &u) == 0) {
        fprintf(out, "user %s %s %d\n", u.email, strlen(u.id) == 64 ? "with an id" : u.id, u.role);
        assert_int_equal(pc_key_list(w->v, w->user, draw_key, out), 0);
    }
    assert_int_equal(pc_volume_stat(w->v, &st), 0);
    fprintf(out, "files %+lld folders %+lld objects %+lld bytes %+lld\n",
            (long long)(st.files - w->before.files), (long long)(st.folders - w->before.folders),
            (long long)(st.objects - w->before.objects), (long long)(st.bytes - w->before.bytes));
}

static char *draw(struct fault_world *w)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct pc_attr attr;

    assert_non_null(out);
    if (pc_lookup(w->v, PC_ROOT_INO, w->bucket, &attr) == 0) {
        fprintf(out, "folder %o %u %u:%u", attr.mode, attr.nlink, attr.uid, attr.gid);
        draw_xattrs(out, w, attr.ino);
        fputc('\n', out);
        draw_folder(out, w, attr.ino, 1);
    }
    draw_rest(out, w);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* The loop. */

struct trial {
    const struct fault_op *op;
    struct test_volume *t;
    char *before, *after; /* pictures, from a run without a fault */
};

static void new_world(const struct trial *trial, struct fault_world *w)
{
    static unsigned number;
    struct pc_attr attr;

    *w = (struct fault_world){.t = trial->t, .v = trial->t->v};
    number++;
    snprintf(w->bucket, sizeof w->bucket, "b%08u", number);
    snprintf(w->user, sizeof w->user, "u%08u", number);
    memcpy(w->tag, "\xee\xff\xee\xff", 4);
    memcpy(w->tag + 4, &number, 4);
    assert_int_equal(pc_bucket_create(w->v, w->bucket, ""), 0);
    assert_int_equal(pc_lookup(w->v, PC_ROOT_INO, w->bucket, &attr), 0);
    w->dir = attr.ino;
    if (trial->op->prepare)
        trial->op->prepare(w);
    assert_int_equal(pc_volume_stat(w->v, &w->before), 0);
}

static void expect(const struct trial *trial, const char *got, const char *want, const char *when)
{
    if (strcmp(got, want) != 0)
        print_error("%s, %s (%s): the volume holds\n%s--- and should hold\n%s", trial->op->name,
                    when, failed_sql, got, want);
    assert_string_equal(got, want);
}

/* One run with the Nth of something failing. False: there was no Nth any more. */
static bool one(const struct trial *trial, struct fault_world *w, enum fault fault, unsigned long n)
{
    char when[64], *now;
    int rc;
    unsigned long failed;

    snprintf(when, sizeof when, "%s, number %lu", fault_names[fault], n);
    if (trial->op->flags != FAULT_READS)
        new_world(trial, w); /* else the one that is there will do */
    arm(fault, n);
    rc = trial->op->run(w);
    failed = disarm();
    if (fault == STEP_ON &&
        failed) { /* perhaps it gave itself up, and reads its records when it is opened */
        (void)pc_volume_close(trial->t->v);
        pc_config_free(trial->t->config);
        test_volume_open(trial->t);
        w->v = trial->t->v;
    }
    if (rc < 0 && failed == 0)
        print_error("%s, %s: %s\n", trial->op->name, when, pc_err_text(rc));
    assert_true(rc >= 0 || failed > 0);
    while (w->v->meta->content->gc_orphans(w->v->meta, 64) > 0) /* (the flusher's work) */
        ;
    now = draw(w);
    if (rc >= 0) {
        expect(trial, now, trial->after, when);
    } else if ((!(trial->op->flags & FAULT_LATE) && fault != STEP_ON) ||
               strcmp(now, trial->after) != 0) {
        if (!(trial->op->flags & FAULT_PARTIAL))
            expect(trial, now, trial->before, when);
        rc = trial->op->run(w);
        if (rc < 0)
            print_error("%s, %s, and done again: %s\n", trial->op->name, when, pc_err_text(rc));
        assert_true(rc >= 0);
        free(now);
        now = draw(w);
        expect(trial, now, trial->after, "done again");
    }
    free(now);
    return failed > 0;
}

static void each_fault(const struct trial *trial, struct fault_world *w)
{
    unsigned step = getenv("PC_TEST_SLOW") ? 17 : 1;

    for (enum fault fault = ALLOC_ONCE; fault < FAULTS; fault++) {
        unsigned long n = 1;

        while (one(trial, w, fault, n)) {
            n += fault == STEP_ON || fault == STEP_FULL ? 3 * step : step;
            assert_true(n < FAULTS_MAX);
        }
    }
}

void fault_ops(const struct fault_op *ops, unsigned n)
{
    struct test_volume *t;

    disarm();
    t = test_volume_new();
    for (unsigned i = 0; i < n; i++) {
        struct trial trial = {.op = &ops[i], .t = t};
        struct fault_world w;
        int rc;

        new_world(&trial, &w);
        trial.before = draw(&w);
        rc = ops[i].run(&w);
        if (rc < 0)
            print_error("%s: %s\n", ops[i].name, pc_err_text(rc));
        assert_true(rc >= 0);
        trial.after = draw(&w);
        if (ops[i].flags & FAULT_READS)
            assert_string_equal(trial.before, trial.after);
        else
            assert_string_not_equal(trial.before, trial.after);
        each_fault(&trial, &w);
        assert_int_equal(test_volume_fsck(t), 0);
        free(trial.before);
        free(trial.after);
    }
    test_volume_free(t);
}
