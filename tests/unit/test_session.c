/* SPDX-License-Identifier: Apache-2.0 */
/* Several processes on one home: what one says is done, all see, and no death of any of them takes it back. */
#include "meta/meta.h"

#include "meta/engine.h"
#include "meta/share/holder.h"
#include "meta/node.h"
#include "pcloud/err.h"
#include "test_env.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t key[32] = {6};

/* A process that opens the home and does what it is told. This program itself never opens it: SQLite does not outlive a fork. */
struct worker {
    pid_t pid;
    int to, from;
};

enum order {
    MAKE,         /* a file by number; the code */
    FIND,         /* 1 if it is there */
    COUNT,        /* files in the root */
    FILES,        /* by the totals */
    FLUSH,        /* the code */
    MAKE_ALL,     /* files from a number on until a byte comes; how many */
    MAKE_FAILING, /* a file whose commit fails until HEAL */
    HEAL,
    MAKE_STUCK, /* a file that cannot be committed */
    HOLD_OPEN,  /* begin an operation, make a file in it, never end it */
    FEED_END,   /* the number */
    FEED_WAIT,  /* until a line above the number; that line's number, negative if it is our own */
    FEED_SUM,   /* how many lines there are, -1 if the numbers have holes */
    PIN,
    OLDEST_PIN,
    HOLD,
    IS_HELD,
    SESSION,
    IS_ALIVE,
    NEXT_ID,
    CHECK, /* problems */
    CLOSE
};

struct request {
    enum order order;
    int64_t arg;
};

static void name_of(int64_t i, char name[32])
{
    snprintf(name, 32, "f%lld", (long long)i);
}

static int make(struct meta *m, int64_t i)
{
    struct pc_make what = {.mode = S_IFREG | 0644};
    struct pc_attr attr;
    char name[32];

    name_of(i, name);
    return m->node->make(m, PC_ROOT_INO, name, &what, &attr);
}

static int find(struct meta *m, int64_t i)
{
    struct pc_attr attr;
    char name[32];
    int r;

    name_of(i, name);
    r = m->node->lookup(m, PC_ROOT_INO, name, &attr);
    return r == 0 ? 1 : r == -ENOENT ? 0 : r;
}

static int64_t ask(struct meta *m, const char *sql)
{
    struct sql_conn *c;
    sqlite3_stmt *st;
    int64_t n;

    if (sql_read_begin(m, &c) < 0 || sql_one(c, sql, &st, "") != 1)
        return -1;
    n = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    sql_read_end(m, c);
    return n;
}

static int64_t make_until_told(struct meta *m, int from, int64_t first)
{
    int64_t n = 0;
    char byte;

    fcntl(from, F_SETFL, O_NONBLOCK);
    while (read(from, &byte, 1) != 1) {
        int r = make(m, first + n);

        if (r < 0)
            return r;
        n++;
    }
    fcntl(from, F_SETFL, 0);
    return n;
}

static volatile bool is_stuck, is_failing;

/* Every commit of what follows waits for data that never gets to disk, or fails. */
static int barrier(void *arg)
{
    (void)arg;
    while (is_stuck)
        pause();
    return is_failing ? -EIO : 0;
}

static int make_held(struct meta *m, int64_t i, volatile bool *how)
{
    struct sql_conn *c;
    int r = sql_write_begin(m, SQL_FREES, &c);

    if (r < 0)
        return r;
    *how = true;
    sql_needs_barrier(m);
    r = sql_write_end(m, c, 0);
    return r < 0 ? r : make(m, i);
}

static int heal(struct meta *m)
{
    is_failing = false;
    return meta_flush(m);
}

static int64_t hold_open(struct meta *m, int to, int64_t i)
{
    struct sql_conn *c;
    int64_t done = 0;

    if (sql_write_begin(m, SQL_FREES, &c) < 0 ||
        sql_run(c, "INSERT INTO edge VALUES(1, ?, ?)", "bi", "half", (size_t)4, i) < 0)
        return -1;
    if (write(to, &done, sizeof done) != (ssize_t)sizeof done)
        _exit(1);
    for (;;)
        pause();
}

static void keep_seq(void *arg, const struct meta_change *c)
{
    *(int64_t *)arg = c->own ? -(int64_t)c->seq : (int64_t)c->seq;
}

static int64_t feed_wait(struct meta *m, uint64_t after)
{
    int64_t seq = 0;

    if (meta_feed_wait(m, after, 60000, NULL) != 1 ||
        meta_feed_read(m, after, 1, keep_seq, &seq) != 1)
        return 0;
    return seq;
}

static int64_t check(struct meta *m)
{
    uint64_t problems, repaired;
    int r = meta_check(m, false, NULL, &problems, &repaired);

    return r < 0 ? r : (int64_t)problems;
}

static int64_t totals(struct meta *m)
{
    struct meta_totals t;

    return meta_totals(m, &t) < 0 ? -1 : (int64_t)t.files;
}

static int64_t next_id(struct meta *m)
{
    struct sql_conn *c;
    int64_t id;

    if (sql_write_begin(m, SQL_FREES, &c) < 0)
        return -1;
    id = (int64_t)sql_next_id(m);
    return sql_write_end(m, c, 0) < 0 ? -1 : id;
}

static int64_t obey(struct meta *m, const struct request *q, int from, int to)
{
    uint64_t arg = (uint64_t)q->arg;

    switch (q->order) {
    case MAKE:
        return make(m, q->arg);
    case FIND:
        return find(m, q->arg);
    case COUNT:
        return ask(m, "SELECT count(*) FROM edge WHERE parent = 1");
    case FILES:
        return totals(m);
    case FLUSH:
        return meta_flush(m);
    case MAKE_ALL:
        return make_until_told(m, from, q->arg);
    case MAKE_STUCK:
        return make_held(m, q->arg, &is_stuck);
    case MAKE_FAILING:
        return make_held(m, q->arg, &is_failing);
    case HEAL:
        return heal(m);
    case HOLD_OPEN:
        return hold_open(m, to, q->arg);
    case FEED_END:
        return (int64_t)meta_feed_end(m);
    case FEED_WAIT:
        return feed_wait(m, arg);
    case FEED_SUM:
        return ask(m, "SELECT CASE WHEN coalesce(max(seq), 0) = count(*) THEN count(*) ELSE -1 END"
                      " FROM feed");
    case PIN:
        return (int64_t)meta_pin(m);
    case OLDEST_PIN:
        return (int64_t)sql_oldest_pin(m);
    case HOLD:
        return meta_hold(m, arg);
    case IS_HELD:
        return sql_is_held(m, arg);
    case SESSION:
        return (int64_t)sql_session(m);
    case IS_ALIVE:
        return sql_session_alive(m, arg);
    case NEXT_ID:
        return next_id(m);
    case CHECK:
        return check(m);
    case CLOSE:
        break;
    }
    return meta_close(m);
}

static void work(const char *dir, int from, int to)
{
    const struct meta_options o = {
        .dir = dir, .page_key = key, .program = "test", .data_barrier = barrier};
    struct request q = {.order = MAKE};
    struct meta *m;
    int64_t answer = meta_open(&o, &m);

    if (answer < 0)
        fprintf(stderr, "open: %s\n", pc_err_text((int)answer));
    if (write(to, &answer, sizeof answer) != (ssize_t)sizeof answer || answer < 0)
        _exit(1);
    while (q.order != CLOSE && read(from, &q, sizeof q) == (ssize_t)sizeof q) {
        answer = obey(m, &q, from, to);
        if (answer < 0 && (q.order <= FLUSH || q.order == CHECK))
            fprintf(stderr, "order %d: %s\n", (int)q.order, pc_err_text((int)answer));
        if (write(to, &answer, sizeof answer) != (ssize_t)sizeof answer)
            _exit(1);
    }
    _exit(0);
}

static int64_t answer_of(struct worker *w)
{
    int64_t answer;

    assert_int_equal(read(w->from, &answer, sizeof answer), sizeof answer);
    return answer;
}

static void order(struct worker *w, enum order what, int64_t arg)
{
    struct request q;

    memset(&q, 0, sizeof q); /* its padding goes through the pipe too */
    q.order = what;
    q.arg = arg;
    assert_int_equal(write(w->to, &q, sizeof q), sizeof q);
}

static int64_t tell(struct worker *w, enum order what, int64_t arg)
{
    order(w, what, arg);
    return answer_of(w);
}

static void start(struct worker *w, const char *dir)
{
    int to[2], from[2];

    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    w->pid = fork();
    assert_true(w->pid >= 0);
    if (w->pid == 0) {
        close(to[1]);
        close(from[0]);
        work(dir, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    w->to = to[1];
    w->from = from[0];
    assert_int_equal(answer_of(w), 0);
}

static void bury(struct worker *w)
{
    int status;

    close(w->to);
    close(w->from);
    assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
}

static void finish(struct worker *w)
{
    assert_int_equal(tell(w, CLOSE, 0), 0);
    bury(w);
}

static void kill_it(struct worker *w)
{
    kill(w->pid, SIGKILL);
    bury(w);
}

static char *home_new(void)
{
    char *dir = test_dir_new();

    assert_int_equal(meta_create(dir, key, 0, 0), 0);
    return dir;
}

static void what_one_has_done_the_other_sees_at_once(void **state)
{
    char *dir = home_new();
    struct worker a, b;

    (void)state;
    start(&a, dir);
    start(&b, dir);
    for (int64_t i = 0; i < 300; i++) {
        struct worker *one = i % 3 ? &a : &b, *two = i % 3 ? &b : &a;

        assert_int_equal(tell(one, MAKE, i), 0);
        assert_int_equal(tell(two, FIND, i), 1);
        assert_int_equal(tell(two, FILES, 0), i + 1);
    }
    assert_int_equal(tell(&a, CHECK, 0), 0);
    finish(&a);
    assert_int_equal(tell(&b, MAKE, 1000), 0);
    finish(&b);
    test_dir_free(dir);
}

static bool has_files(void *arg)
{
    return tell(arg, COUNT, 0) > 0;
}

static void a_busy_writer_lets_others_in(void **state)
{
    char *dir = home_new();
    struct worker busy, other;
    int64_t made;

    (void)state;
    start(&busy, dir);
    start(&other, dir);
    order(&busy, MAKE_ALL, 100000);
    assert_true(test_wait(60000, has_files, &other));
    for (int64_t i = 0; i < 100; i++)
        assert_int_equal(tell(&other, MAKE, i), 0); /* while the busy one goes on */
    assert_int_equal(write(busy.to, "", 1), 1);
    made = answer_of(&busy);
    assert_true(made > 0);
    assert_int_equal(tell(&other, COUNT, 0), made + 100);
    finish(&busy);
    finish(&other);
    test_dir_free(dir);
}

static void killed_at_any_moment_it_loses_nothing(void **state)
{
    char *dir = home_new();
    uint64_t rng = 3;
    int64_t made = 0;
    struct worker keeper;

    (void)state;
    start(&keeper, dir);
    for (int round = 0; round < 40; round++) {
        int64_t n = (int64_t)(test_random(&rng) % 50);
        struct worker w;

        start(&w, dir);
        for (int64_t i = 0; i < n; i++)
            assert_int_equal(tell(&w, MAKE, made + i), 0);
        if (round % 3 == 0) /* it may be just committing, and so may the next */
            order(&w, FLUSH, 0);
        if (round % 3 == 1)
            order(&w, MAKE, 1000000 + round);
        kill_it(&w);
        made += n;
        if (n > 0)
            assert_int_equal(tell(&keeper, FIND, made - 1), 1);
    }
    for (int64_t i = 0; i < made; i++)
        assert_int_equal(tell(&keeper, FIND, i), 1);
    assert_int_equal(tell(&keeper, CHECK, 0), 0);
    assert_int_equal(tell(&keeper, FILES, 0), tell(&keeper, COUNT, 0));
    assert_true(tell(&keeper, FEED_SUM, 0) >= made);
    finish(&keeper);
    test_dir_free(dir);
}

/* Nobody is left to see it die: the next to open the home does what it had acknowledged. */
static void the_last_one_killed_loses_nothing_either(void **state)
{
    char *dir = home_new();
    struct worker w;

    (void)state;
    for (int64_t i = 0; i < 60; i++) {
        start(&w, dir);
        if (i > 0)
            assert_int_equal(tell(&w, FIND, i - 1), 1);
        assert_int_equal(tell(&w, i % 2 ? MAKE : MAKE_STUCK, i), 0);
        kill_it(&w);
    }
    start(&w, dir);
    assert_int_equal(tell(&w, COUNT, 0), 60);
    assert_int_equal(tell(&w, CHECK, 0), 0);
    finish(&w);
    test_dir_free(dir);
}

struct line {
    const char *path, *text;
};

static bool is_logged(void *arg)
{
    const struct line *l = arg;
    size_t len;
    char *log = test_file_read(l->path, &len);
    bool is = log && strstr(log, l->text);

    free(log);
    return is;
}

/* Who waits for a process that was stopped says for which; so does whoever asks from outside. */
static void a_stopped_process_is_named(void **state)
{
    char *dir = home_new(), *path = test_path(dir, "log"), who[64];
    struct line writes = {path, "a write waits"}, reads = {path, "a read waits"},
                names = {path, who};
    int log = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600), was = dup(STDERR_FILENO);
    struct meta_holder h;
    struct worker a, b;

    (void)state;
    assert_true(log >= 0 && was >= 0);
    assert_int_equal(meta_holder(dir, &h), 0);
    holder_patience_ms = 50;
    start(&a, dir);
    dup2(log, STDERR_FILENO);
    start(&b, dir);
    dup2(was, STDERR_FILENO);
    assert_int_equal(tell(&a, MAKE, 1), 0);
    assert_int_equal(tell(&a, FLUSH, 0), 0);
    assert_int_equal(meta_holder(dir, &h), 0);
    assert_int_equal(tell(&a, HOLD_OPEN, 5), 0);
    kill(a.pid, SIGSTOP);
    assert_int_equal(meta_holder(dir, &h), 1);
    assert_int_equal(h.pid, a.pid);
    assert_true(h.held_ms >= 0 && *h.program);
    snprintf(who, sizeof who, "process %u (%s)", h.pid, h.program);
    order(&b, MAKE, 2);
    assert_true(test_wait(60000, is_logged, &writes));
    assert_true(is_logged(&names));
    kill_it(&a);
    assert_int_equal(answer_of(&b), 0);
    start(&a, dir);
    assert_int_equal(tell(&a, MAKE_STUCK, 3), 0);
    kill(a.pid, SIGSTOP);
    order(&b, FIND, 3);
    assert_true(test_wait(60000, is_logged, &reads));
    kill_it(&a);
    assert_int_equal(answer_of(&b), 1);
    finish(&b);
    assert_int_equal(meta_holder(dir, &h), 0);
    holder_patience_ms = 3000;
    close(log);
    close(was);
    free(path);
    test_dir_free(dir);
}

static void killed_inside_an_operation_it_leaves_no_half(void **state)
{
    char *dir = home_new();
    struct worker a, b;

    (void)state;
    start(&b, dir);
    for (int i = 0; i < 10; i++) {
        start(&a, dir);
        assert_int_equal(tell(&a, MAKE, i), 0);
        assert_int_equal(tell(&a, HOLD_OPEN, 5), 0);
        order(&b, MAKE, 100 + i); /* waits for the lease */
        kill_it(&a);
        assert_int_equal(answer_of(&b), 0);
        assert_int_equal(tell(&b, FIND, i), 1);
    }
    assert_int_equal(tell(&b, COUNT, 0), 20);
    assert_int_equal(tell(&b, CHECK, 0), 0);
    finish(&b);
    test_dir_free(dir);
}

static void one_killed_while_it_waits_is_not_waited_for(void **state)
{
    char *dir = home_new();
    struct worker holder, waiter, third;

    (void)state;
    start(&holder, dir);
    start(&waiter, dir);
    start(&third, dir);
    assert_int_equal(tell(&holder, HOLD_OPEN, 5), 0);
    order(&waiter, MAKE, 1);
    order(&third, MAKE, 2);
    kill_it(&waiter);
    kill_it(&holder);
    assert_int_equal(answer_of(&third), 0);
    for (int64_t i = 3; i < 50; i++)
        assert_int_equal(tell(&third, MAKE, i), 0);
    assert_int_equal(tell(&third, FIND, 2), 1);
    finish(&third);
    test_dir_free(dir);
}

static void the_feed_crosses_processes(void **state)
{
    char *dir = home_new();
    struct worker a, b;
    int64_t end;

    (void)state;
    start(&a, dir);
    start(&b, dir);
    for (int64_t i = 0; i < 20; i++) {
        assert_int_equal(tell(&a, FLUSH, 0), 0);
        end = tell(&b, FEED_END, 0);
        order(&b, FEED_WAIT, end);
        assert_int_equal(tell(&a, MAKE, i), 0);
        assert_int_equal(answer_of(&b), end + 1);
        assert_int_equal(tell(&a, FEED_WAIT, end), -(end + 1));
    }
    finish(&a);
    finish(&b);
    test_dir_free(dir);
}

struct until {
    struct worker *w;
    enum order what;
    int64_t arg, value;
};

static bool is_so(void *arg)
{
    struct until *u = arg;

    return tell(u->w, u->what, u->arg) == u->value;
}

static void pins_and_holds_end_with_their_process(void **state)
{
    char *dir = home_new();
    struct worker a, b;
    struct until unpinned = {&b, OLDEST_PIN, 0, -1}, dropped = {&b, IS_HELD, 77, 0};
    int64_t session, pin;

    (void)state;
    start(&a, dir);
    start(&b, dir);
    session = tell(&a, SESSION, 0);
    assert_int_not_equal(session, tell(&b, SESSION, 0));
    pin = tell(&a, PIN, 0);
    assert_int_equal(tell(&a, HOLD, 77), 0);
    assert_int_equal(tell(&b, OLDEST_PIN, 0), pin);
    assert_int_equal(tell(&b, IS_HELD, 77), 1);
    assert_int_equal(tell(&b, IS_HELD, 78), 0);
    assert_int_equal(tell(&b, IS_ALIVE, session), 1);
    kill_it(&a);
    assert_int_equal(tell(&b, IS_ALIVE, session), 0);
    assert_true(test_wait(60000, is_so, &unpinned));
    assert_true(test_wait(60000, is_so, &dropped));
    start(&a, dir);
    assert_true(tell(&a, SESSION, 0) > session);
    finish(&a);
    finish(&b);
    test_dir_free(dir);
}

/* A commit that waits for its data for ever stands for one that fails: who cannot commit is not waited for. */
static void one_that_cannot_commit_stops_nobody(void **state)
{
    char *dir = home_new();
    struct worker a, b;

    (void)state;
    start(&a, dir);
    start(&b, dir);
    assert_int_equal(tell(&a, MAKE, 1), 0);
    assert_int_equal(tell(&a, MAKE_FAILING, 2), 0);
    assert_int_equal(tell(&a, FLUSH, 0), -EIO);
    assert_int_equal(tell(&a, FIND, 2), 1);
    assert_int_equal(tell(&b, FIND, 2), 0);
    assert_int_equal(tell(&b, MAKE, 3), -EIO);
    assert_int_equal(tell(&a, HEAL, 0), 0);
    assert_int_equal(tell(&b, FIND, 2), 1);
    assert_int_equal(tell(&b, MAKE, 3), 0);
    finish(&a);
    finish(&b);
    test_dir_free(dir);
}

static void numbers_are_given_once(void **state)
{
    char *dir = home_new();
    struct worker a, b;
    int64_t last = 0;

    (void)state;
    for (int i = 0; i < 30; i++) {
        start(&a, dir);
        start(&b, dir);
        for (int k = 0; k < 3; k++) {
            int64_t id = tell(k % 2 ? &b : &a, NEXT_ID, 0);

            assert_true(id > last);
            last = id;
        }
        kill_it(&a);
        if (i % 2)
            kill_it(&b);
        else
            finish(&b);
    }
    test_dir_free(dir);
}

static void of_another_life_of_the_machine_nothing_is_redone(void **state)
{
    char *dir = home_new(), *redo = test_path(dir, "redo");
    uint8_t *before, *data;
    struct worker w;
    size_t len;

    (void)state;
    start(&w, dir);
    assert_int_equal(tell(&w, MAKE_STUCK, 1), 0);
    kill_it(&w);
    before = test_file_read(redo, &len);
    data = test_file_read(redo, &len);
    data[8] ^= 1; /* the boot it names */
    assert_int_equal(test_file_write(redo, data, len), 0);
    free(data);
    start(&w, dir);
    assert_int_equal(tell(&w, COUNT, 0), 0);
    assert_true(tell(&w, NEXT_ID, 0) > 0);
    assert_int_equal(tell(&w, FLUSH, 0), 0);
    kill_it(&w);
    /* of this life, but not after this commit; damaged, too */
    assert_int_equal(test_file_write(redo, before, len), 0);
    start(&w, dir);
    assert_int_equal(tell(&w, COUNT, 0), 0);
    assert_int_equal(tell(&w, MAKE_STUCK, 2), 0);
    kill_it(&w);
    start(&w, dir); /* redone */
    assert_int_equal(tell(&w, FIND, 2), 1);
    assert_int_equal(tell(&w, MAKE_STUCK, 3), 0);
    kill_it(&w);
    data = test_file_read(redo, &len);
    data[4096 + 10] ^= 1; /* the first seal */
    assert_int_equal(test_file_write(redo, data, len), 0);
    start(&w, dir);
    assert_int_equal(tell(&w, FIND, 2), 1);
    assert_int_equal(tell(&w, FIND, 3), 0);
    assert_int_equal(tell(&w, CHECK, 0), 0);
    finish(&w);
    free(before);
    free(data);
    free(redo);
    test_dir_free(dir);
}

static void nothing_lies_in_clear_in_what_is_shared(void **state)
{
    char *dir = home_new();
    struct worker w;

    (void)state;
    start(&w, dir);
    assert_int_equal(tell(&w, MAKE_STUCK, 123456789), 0);
    kill_it(&w);
    assert_false(test_tree_contains(dir, "f123456789", 10));
    assert_false(test_tree_contains(dir, "INSERT", 6));
    test_dir_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_has_done_the_other_sees_at_once),
        cmocka_unit_test(a_busy_writer_lets_others_in),
        cmocka_unit_test(killed_at_any_moment_it_loses_nothing),
        cmocka_unit_test(the_last_one_killed_loses_nothing_either),
        cmocka_unit_test(a_stopped_process_is_named),
        cmocka_unit_test(killed_inside_an_operation_it_leaves_no_half),
        cmocka_unit_test(one_killed_while_it_waits_is_not_waited_for),
        cmocka_unit_test(the_feed_crosses_processes),
        cmocka_unit_test(pins_and_holds_end_with_their_process),
        cmocka_unit_test(one_that_cannot_commit_stops_nobody),
        cmocka_unit_test(numbers_are_given_once),
        cmocka_unit_test(of_another_life_of_the_machine_nothing_is_redone),
        cmocka_unit_test(nothing_lies_in_clear_in_what_is_shared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
