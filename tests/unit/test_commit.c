/* SPDX-License-Identifier: Apache-2.0 */
/* Commits of many operations: undone ones, full disks, failing data, threads, the feed's end. */
#include "meta/meta.h"

#include "base/alloc.h"
#include "meta/content.h"
#include "meta/engine.h"
#include "meta/node.h"
#include "pcloud/err.h"
#include "test_env.h"
#include "test_vfs.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 6
#define PER_THREAD 200

static const uint8_t key[32] = {3};

struct place {
    char *dir;
    struct meta *m;
};

static atomic_int barrier_code, sync_code, syncs;

static int barrier(void *arg)
{
    (void)arg;
    return atomic_load(&barrier_code);
}

static int sync_log(int fd)
{
    (void)fd;
    atomic_fetch_add(&syncs, 1);
    errno = -atomic_load(&sync_code);
    return errno ? -1 : 0;
}

static void open_it(struct place *p)
{
    const struct meta_options o = {
        .dir = p->dir, .page_key = key, .program = "test", .data_barrier = barrier};
    int r = meta_open(&o, &p->m);

    if (r < 0)
        fail_msg("%s", pc_err_text(r));
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    engine_tuning.below = TEST_VFS_NAME;
    engine_tuning.sync_log = sync_log;
    atomic_store(&barrier_code, 0);
    atomic_store(&sync_code, 0);
    test_vfs_fail(0);
    p->dir = test_dir_new();
    if (meta_create(p->dir, key, 0, 0) < 0)
        return -1;
    open_it(p);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;

    test_vfs_fail(0);
    if (p->m)
        meta_close(p->m);
    test_dir_free(p->dir);
    free(p);
    return 0;
}

static void reopen(struct place *p)
{
    assert_int_equal(meta_close(p->m), 0);
    open_it(p);
}

/* Between two openings: the threads of an open one read the figures without a lock. */
static void retune(struct place *p, const struct engine_tuning *to)
{
    assert_int_equal(meta_close(p->m), 0);
    engine_tuning = *to;
    open_it(p);
}

static int make(struct meta *m, int64_t i)
{
    struct pc_make what = {.mode = S_IFREG | 0644};
    struct pc_attr attr;
    char name[32];

    snprintf(name, sizeof name, "f%lld", (long long)i);
    return m->node->make(m, PC_ROOT_INO, name, &what, &attr);
}

static int find(struct meta *m, int64_t i)
{
    struct pc_attr attr;
    char name[32];

    snprintf(name, sizeof name, "f%lld", (long long)i);
    return m->node->lookup(m, PC_ROOT_INO, name, &attr);
}

static int64_t ask(struct meta *m, const char *sql)
{
    struct sql_conn *c;
    sqlite3_stmt *st;
    int64_t n;

    assert_int_equal(sql_read_begin(m, &c), 0);
    assert_int_equal(sql_one(c, sql, &st, ""), 1);
    n = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    sql_read_end(m, c);
    return n;
}

static void is_sound(struct place *p, int64_t files)
{
    uint64_t problems = 9, repaired;
    struct meta_totals t;

    assert_int_equal(ask(p->m, "SELECT count(*) FROM edge"), files);
    assert_int_equal(meta_totals(p->m, &t), 0);
    assert_int_equal(t.files, files);
    assert_int_equal(meta_check(p->m, false, NULL, &problems, &repaired), 0);
    assert_int_equal(problems, 0);
}

/* An operation that changes much, takes a number, and then fails. */
static int fail_after_changes(struct meta *m, int code)
{
    struct sql_conn *c;
    int r = sql_write_begin(m, SQL_FREES, &c);

    if (r < 0)
        return r;
    assert_true(sql_run(c, "DELETE FROM edge", "") >= 0);
    assert_int_equal(sql_feed(m, c, PC_CHANGE_ENTRY, 1, 1, "x", 1), 0);
    sql_total_add(m, SQL_FILES, 1000);
    sql_next_id(m);
    sql_needs_barrier(m);
    return sql_write_end(m, c, code);
}

static void a_failed_operation_leaves_the_others(void **state)
{
    struct place *p = *state;

    for (int i = 0; i < 50; i++) {
        assert_int_equal(make(p->m, i), 0);
        assert_int_equal(fail_after_changes(p->m, -ENOTDIR), -ENOTDIR);
        if (i % 7 == 0)
            assert_int_equal(meta_flush(p->m), 0);
    }
    is_sound(p, 50);
    reopen(p);
    is_sound(p, 50);
    assert_int_equal(ask(p->m, "SELECT count(*) FROM feed"), 50);
    assert_int_equal(meta_feed_end(p->m), 50);
}

/* The same without a savepoint, after as many changes. */
static int fail_surely(struct meta *m, bool changes)
{
    struct sql_conn *c;
    int r = sql_write_begin_sure(m, SQL_FREES, &c);

    if (r < 0)
        return r;
    sql_next_id(m);
    if (changes) {
        assert_true(sql_run(c, "DELETE FROM edge", "") >= 0);
        assert_int_equal(sql_feed(m, c, PC_CHANGE_ENTRY, 1, 1, "x", 1), 0);
        sql_total_add(m, SQL_FILES, 1000);
    }
    return sql_write_end(m, c, -ENOTDIR);
}

static void one_that_was_sure_is_undone_too(void **state)
{
    struct place *p = *state;

    for (int i = 0; i < 30; i++) {
        assert_int_equal(make(p->m, i), 0);
        assert_int_equal(make(p->m, i), -EEXIST);
        assert_int_equal(fail_surely(p->m, i % 2 == 0), -ENOTDIR);
        if (i % 7 == 0)
            assert_int_equal(meta_flush(p->m), 0);
        if (i % 11 == 0)
            assert_int_equal(fail_surely(p->m, true), -ENOTDIR); /* alone in its transaction */
    }
    is_sound(p, 30);
    reopen(p);
    is_sound(p, 30);
    assert_int_equal(ask(p->m, "SELECT count(*) FROM feed"), 30);
}

static void a_commit_is_written_in_few_pieces(void **state)
{
    const struct meta_content_ops *ops = ((struct place *)*state)->m->content;
    struct place *p = *state;
    struct pc_make what = {.mode = S_IFREG | 0644};
    struct pc_attr attr[100];
    uint8_t bytes[4000] = {1};
    size_t pages = 0, writes = 0;
    char name[32];

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "f%d", i);
        assert_int_equal(p->m->node->make(p->m, PC_ROOT_INO, name, &what, &attr[i]), 0);
    }
    assert_int_equal(meta_flush(p->m), 0);
    test_vfs_start();
    for (int i = 0; i < 100; i++)
        assert_int_equal(ops->write_inline(p->m, attr[i].ino, bytes, sizeof bytes, 0), 0);
    assert_int_equal(meta_flush(p->m), 0);
    for (size_t i = 0; i < test_vfs_count(); i++) {
        const struct test_event *e = test_vfs_event(i);

        if (e->kind == TEST_WRITE) {
            pages += e->len / 4096;
            writes++;
        }
    }
    test_vfs_stop();
    assert_true(pages >= 100);
    assert_true(writes * 4 < pages);
    is_sound(p, 100);
}

static void on_a_full_disk_nothing_acknowledged_is_lost(void **state)
{
    static const int codes[] = {SQLITE_FULL, SQLITE_IOERR_WRITE};
    struct place *p = *state;
    int64_t made = 0;

    for (size_t k = 0; k < sizeof codes / sizeof codes[0]; k++) {
        for (int i = 0; i < 20; i++)
            assert_int_equal(make(p->m, made++), 0);
        test_vfs_fail(codes[k]);
        assert_true(make(p->m, made++) == 0); /* there is room in memory */
        assert_int_equal(meta_flush(p->m), codes[k] == SQLITE_FULL ? -ENOSPC : -EIO);
        assert_int_equal(meta_sync(p->m), codes[k] == SQLITE_FULL ? -ENOSPC : -EIO);
        for (int64_t i = 0; i < made; i++)
            assert_int_equal(find(p->m, i), 0);
        assert_int_equal(fail_after_changes(p->m, -EPERM), -EPERM);
        assert_int_equal(make(p->m, made++), 0);
        test_vfs_fail(0);
        assert_int_equal(meta_sync(p->m), 0);
        is_sound(p, made);
    }
    reopen(p);
    is_sound(p, made);
}

static void data_that_does_not_get_to_disk_holds_the_commit(void **state)
{
    struct place *p = *state;
    struct sql_conn *c;

    atomic_store(&barrier_code, -EIO);
    assert_int_equal(sql_write_begin(p->m, SQL_FREES, &c), 0);
    sql_needs_barrier(p->m);
    assert_int_equal(sql_run(c, "UPDATE node SET atime = 5 WHERE ino = 1", ""), 1);
    assert_int_equal(sql_write_end(p->m, c, 0), 0);
    assert_int_equal(make(p->m, 1), 0);
    assert_int_equal(meta_flush(p->m), -EIO);
    assert_int_equal(meta_feed_end(p->m), 0);
    assert_int_equal(find(p->m, 1), 0);
    atomic_store(&barrier_code, 0);
    assert_int_equal(meta_flush(p->m), 0);
    assert_int_equal(meta_feed_end(p->m), 1);
    is_sound(p, 1);
}

static void a_failed_sync_is_not_tried_again(void **state)
{
    struct place *p = *state;

    assert_int_equal(make(p->m, 1), 0);
    atomic_store(&sync_code, -EIO);
    assert_int_equal(meta_sync(p->m), -EIO);
    atomic_store(&sync_code, 0);
    assert_int_equal(make(p->m, 2), 0);
    assert_int_equal(meta_sync(p->m), -EIO);
    assert_int_equal(meta_close(p->m), -EIO);
    open_it(p);
    assert_int_equal(meta_sync(p->m), 0);
    is_sound(p, 2);
}

static void a_sync_without_news_does_nothing(void **state)
{
    struct place *p = *state;
    int before;

    assert_int_equal(make(p->m, 1), 0);
    assert_int_equal(meta_sync(p->m), 0);
    before = atomic_load(&syncs);
    assert_int_equal(meta_sync(p->m), 0);
    assert_int_equal(atomic_load(&syncs), before);
}

/* Longer than the redo file takes: committed at once, with what came before. */
static void a_long_operation_is_committed_at_once(void **state)
{
    struct place *p = *state;
    size_t len = 5u << 20;
    uint8_t *big = calloc(1, len);
    struct sql_conn *c;
    int64_t commits;

    assert_non_null(big);
    assert_int_equal(make(p->m, 1), 0);
    commits = ask(p->m, "SELECT value FROM setting WHERE key = 'commit'");
    assert_int_equal(sql_write_begin(p->m, SQL_NEEDS_ROOM, &c), 0);
    assert_int_equal(sql_run(c, "INSERT INTO setting VALUES('big', ?)", "b", big, len), 1);
    assert_int_equal(sql_write_end(p->m, c, 0), 0);
    assert_true(ask(p->m, "SELECT value FROM setting WHERE key = 'commit'") > commits);
    /* and undone alone if that fails */
    assert_int_equal(make(p->m, 2), 0);
    test_vfs_fail(SQLITE_FULL);
    assert_int_equal(sql_write_begin(p->m, SQL_NEEDS_ROOM, &c), 0);
    assert_int_equal(
        sql_run(c, "UPDATE setting SET value = ? WHERE key = 'big'", "b", big, len - 1), 1);
    assert_int_equal(sql_write_end(p->m, c, 0), -ENOSPC);
    assert_int_equal(find(p->m, 2), 0);
    assert_int_equal(ask(p->m, "SELECT length(value) FROM setting WHERE key = 'big'"), len);
    test_vfs_fail(0);
    assert_int_equal(meta_sync(p->m), 0);
    is_sound(p, 2);
    free(big);
}

static void a_write_bound_past_us_is_refused(void **state)
{
    struct place *p = *state;
    struct sql_conn *c;
    sqlite3_stmt *st;

    assert_int_equal(sql_write_begin(p->m, SQL_FREES, &c), 0);
    assert_int_equal(sql_stmt(c, "UPDATE node SET atime = ? WHERE ino = 1", &st), 0);
    sqlite3_bind_int64(st, 1, 9);
    assert_int_equal(sql_step(st), -EINVAL);
    sqlite3_reset(st);
    assert_int_equal(sql_write_end(p->m, c, -EINVAL), -EINVAL);
}

static int too_little_room(struct place *p)
{
    const struct meta_options o = {
        .dir = p->dir, .page_key = key, .program = "test", .reserve_bytes = UINT64_MAX};

    assert_int_equal(meta_close(p->m), 0);
    return meta_open(&o, &p->m);
}

static void below_the_reserve_only_what_frees_is_done(void **state)
{
    struct place *p = *state;

    assert_int_equal(make(p->m, 1), 0);
    assert_int_equal(too_little_room(p), 0);
    assert_int_equal(make(p->m, 2), -ENOSPC);
    assert_int_equal(p->m->node->unlink(p->m, PC_ROOT_INO, "f1"), 0);
    is_sound(p, 0);
}

struct counted {
    uint64_t last;
    int n;
};

static void count(void *arg, const struct meta_change *c)
{
    struct counted *k = arg;

    assert_true(c->seq > k->last);
    assert_true(c->own);
    k->last = c->seq;
    k->n++;
}

static void nobody_is_told_of_what_nobody_saw(void **state)
{
    struct place *p = *state;
    struct pc_make what = {.mode = S_IFREG | 0644};
    struct pc_attr attr;

    assert_int_equal(p->m->node->make(p->m, PC_ROOT_INO, "f", &what, &attr), 0);
    assert_int_equal(p->m->content->write_inline(p->m, attr.ino, "x", 1, 0), 0);
    assert_int_equal(meta_flush(p->m), 0);
    assert_int_equal(meta_feed_end(p->m), 1); /* its name says all */
    assert_int_equal(p->m->content->write_inline(p->m, attr.ino, "y", 1, 0), 0);
    assert_int_equal(meta_flush(p->m), 0);
    assert_int_equal(meta_feed_end(p->m), 2);
}

static void own_lines_can_be_skipped_and_others_cannot(void **state)
{
    struct place *p = *state, other = {.dir = p->dir};
    int made = 0;

    open_it(&other);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(make(p->m, made++), 0);
        assert_int_equal(meta_flush(p->m), 0);
    }
    assert_int_equal(meta_feed_skip_own(p->m, 0), 3);
    assert_int_equal(meta_feed_skip_own(p->m, 2), 3);
    assert_int_equal(meta_feed_skip_own(other.m, 0), 0);
    assert_int_equal(make(other.m, made++), 0);
    assert_int_equal(meta_flush(other.m), 0);
    assert_int_equal(meta_feed_skip_own(p->m, 0), 3);
    assert_int_equal(meta_feed_skip_own(p->m, 3), 3);
    assert_int_equal(meta_feed_skip_own(other.m, 3), 4);
    assert_int_equal(make(p->m, made++), 0);
    assert_int_equal(meta_flush(p->m), 0);
    assert_int_equal(meta_feed_skip_own(p->m, 3), 3);
    assert_int_equal(meta_feed_skip_own(p->m, 4), 5);
    assert_int_equal(meta_close(other.m), 0);
}

static void the_feed_has_an_end(void **state)
{
    struct place *p = *state;
    struct engine_tuning before = engine_tuning, small = before;
    struct counted k = {0};
    bool cancel = true;

    small.feed_rows = 1000;
    retune(p, &small);
    for (int i = 0; i < 4000; i++) {
        assert_int_equal(make(p->m, i), 0);
        if (i % 100 == 0)
            assert_int_equal(meta_flush(p->m), 0);
    }
    assert_int_equal(meta_flush(p->m), 0);
    assert_int_equal(meta_feed_end(p->m), 4000);
    assert_true(ask(p->m, "SELECT count(*) FROM feed") < 3000);
    assert_int_equal(meta_feed_read(p->m, 0, 10, count, &k), -EOVERFLOW);
    assert_int_equal(meta_feed_read(p->m, 5000, 10, count, &k), -EOVERFLOW);
    assert_int_equal(meta_feed_read(p->m, 4000, 10, count, &k), 0);
    assert_int_equal(meta_feed_read(p->m, 3990, 5, count, &k), 5);
    assert_int_equal(k.last, 3995);
    assert_int_equal(meta_feed_read(p->m, 3995, 50, count, &k), 5);
    assert_int_equal(meta_feed_wait(p->m, 3999, -1, NULL), 1);
    assert_int_equal(meta_feed_wait(p->m, 4000, 0, NULL), 0);
    assert_int_equal(meta_feed_wait(p->m, 4000, -1, &cancel), 0);
    retune(p, &before);
}

static atomic_bool woken;

static void *waits(void *arg)
{
    struct place *p = arg;
    int r = meta_feed_wait(p->m, 1000000, -1, (const volatile bool *)&woken);

    return (void *)(intptr_t)r;
}

static void a_wait_for_the_feed_can_be_ended(void **state)
{
    struct place *p = *state;
    pthread_t t;
    void *r;

    atomic_store(&woken, false);
    assert_int_equal(pthread_create(&t, NULL, waits, p), 0);
    atomic_store(&woken, true);
    meta_feed_wake(p->m);
    assert_int_equal(pthread_join(t, &r), 0);
    assert_null(r);
}

struct job {
    struct meta *m;
    int64_t first;
    int bad;
};

static void *busy(void *arg)
{
    struct job *j = arg;

    for (int64_t i = 0; i < PER_THREAD; i++) {
        uint64_t pin = meta_pin(j->m);

        if (make(j->m, j->first + i) < 0 || find(j->m, j->first + i) < 0 ||
            find(j->m, -1) != -ENOENT || (i % 40 == 0 && meta_sync(j->m) < 0))
            j->bad++;
        meta_unpin(j->m, pin);
    }
    return NULL;
}

static void threads_get_along(void **state)
{
    struct place *p = *state;
    struct job jobs[THREADS];
    pthread_t t[THREADS];

    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){p->m, i * PER_THREAD, 0};
        assert_int_equal(pthread_create(&t[i], NULL, busy, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(t[i], NULL), 0);
        assert_int_equal(jobs[i].bad, 0);
    }
    is_sound(p, THREADS * PER_THREAD);
    assert_int_equal(sql_oldest_pin(p->m), UINT64_MAX);
    assert_int_equal(meta_feed_end(p->m), THREADS * PER_THREAD);
}

static void pins_nest(void **state)
{
    struct place *p = *state;
    uint64_t a = meta_pin(p->m), b, c;

    assert_int_equal(make(p->m, 1), 0);
    b = meta_pin(p->m);
    c = meta_pin(p->m);
    assert_true(b > a);
    assert_int_equal(b, c);
    assert_int_equal(sql_oldest_pin(p->m), a);
    meta_unpin(p->m, a);
    assert_int_equal(sql_oldest_pin(p->m), b);
    meta_unpin(p->m, b);
    assert_int_equal(sql_oldest_pin(p->m), b);
    meta_unpin(p->m, c);
    assert_int_equal(sql_oldest_pin(p->m), UINT64_MAX);
}

/* Allocation after allocation fails: an operation is done or it is not, and the rest is as it was. */
static void without_memory_nothing_is_half(void **state)
{
    struct place *p = *state;
    int64_t made = 0;

    for (unsigned long n = 1; n < 200; n++) {
        int r;

        mem_fail_at(n, MEM_FAIL_ONCE);
        r = make(p->m, made);
        if (r == 0)
            r = meta_flush(p->m) == 0 ? 0 : 1;
        mem_fail_at(0, MEM_FAIL_ONCE);
        if (r >= 0)
            made++;
        else
            assert_int_equal(r, -ENOMEM);
    }
    is_sound(p, made);
    assert_true(made > 0);
    for (unsigned long n = 1, failed = 1; failed; n++) {
        const struct meta_options o = {.dir = p->dir, .page_key = key, .program = "test"};
        struct meta *m = NULL;
        int r;

        mem_fail_at(n, MEM_FAIL_ONCE);
        r = meta_open(&o, &m);
        failed = mem_fail_count();
        mem_fail_at(0, MEM_FAIL_ONCE);
        if (r == 0)
            assert_int_equal(meta_close(m), 0);
        else
            assert_int_equal(r, -ENOMEM);
    }
}

/* Which start of the log this is: bytes 12 to 15 of its header count them. */
static uint32_t log_start(struct place *p)
{
    char *path = test_path(p->dir, ENGINE_DB "-wal");
    uint8_t head[16] = {0};
    FILE *f = fopen(path, "re");

    assert_non_null(f);
    if (fread(head, 1, sizeof head, f) != sizeof head)
        memset(head, 0, sizeof head);
    fclose(f);
    free(path);
    return (uint32_t)head[12] << 24 | (uint32_t)head[13] << 16 | (uint32_t)head[14] << 8 | head[15];
}

struct busy {
    struct place *p;
    atomic_bool stop;
    atomic_int code;
    uint32_t first;
};

/* Operations without a pause between them. */
static void *write_on(void *arg)
{
    struct busy *b = arg;
    const struct pc_make make = {.mode = S_IFREG | 0644};
    struct pc_attr attr;
    char name[32];

    for (unsigned n = 0; !atomic_load(&b->stop) && atomic_load(&b->code) == 0; n++) {
        snprintf(name, sizeof name, "busy%u", n);
        atomic_store(&b->code, b->p->m->node->make(b->p->m, PC_ROOT_INO, name, &make, &attr));
    }
    return NULL;
}

static bool started_anew(void *arg)
{
    const struct busy *b = arg;

    return log_start(b->p) > b->first + 2 || atomic_load(&b->code) < 0;
}

/* A writer that never rests does not let the log grow for ever. */
static void the_log_starts_anew_under_a_busy_writer(void **state)
{
    struct place *p = *state;
    struct engine_tuning before = engine_tuning, small = before;
    struct busy b = {.p = p};
    pthread_t writer;
    bool anew;

    small.log_bytes = 2 << 20;
    retune(p, &small);
    b.first = log_start(p);
    assert_int_equal(pthread_create(&writer, NULL, write_on, &b), 0);
    anew = test_wait(60000, started_anew, &b);
    atomic_store(&b.stop, true);
    pthread_join(writer, NULL);
    retune(p, &before);
    assert_int_equal(atomic_load(&b.code), 0);
    assert_true(anew);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_failed_operation_leaves_the_others),
        TEST(one_that_was_sure_is_undone_too),
        TEST(a_commit_is_written_in_few_pieces),
        TEST(on_a_full_disk_nothing_acknowledged_is_lost),
        TEST(data_that_does_not_get_to_disk_holds_the_commit),
        TEST(a_failed_sync_is_not_tried_again),
        TEST(a_sync_without_news_does_nothing),
        TEST(a_long_operation_is_committed_at_once),
        TEST(a_write_bound_past_us_is_refused),
        TEST(below_the_reserve_only_what_frees_is_done),
        TEST(nobody_is_told_of_what_nobody_saw),
        TEST(own_lines_can_be_skipped_and_others_cannot),
        TEST(the_feed_has_an_end),
        TEST(a_wait_for_the_feed_can_be_ended),
        TEST(threads_get_along),
        TEST(the_log_starts_anew_under_a_busy_writer),
        TEST(pins_nest),
        TEST(without_memory_nothing_is_half),
    };

    test_vfs_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
