/* SPDX-License-Identifier: Apache-2.0 */
/* Kills the process at its file calls: every operation that returned is there, without any sync. */
#include "recorder.h"

#include "model.h"
#include "pcloud/err.h"
#include "pcloud/upkeep.h"
#include "test_env.h"
#include "test_volume.h"
#include "workload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIVES 2
#define OPS 40
#define KILLS 8 /* in `make check`; PCLOUD_CUTS says how many */

static void live(struct test_volume *t, struct model *m, uint64_t seed)
{
    for (unsigned life = 1; life <= LIVES; life++) {
        workload_run(t->v, m, seed, life * OPS);
        if (life < LIVES)
            test_volume_reopen(t);
    }
}

static void print_finding(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "fsck: %s\n", text);
}

static bool clean(struct pc_volume *v)
{
    const struct pc_upkeep up = {.found = print_finding};
    struct pc_fsck_result r;

    return pc_fsck(v, false, &up, &r) == 0 && r.problems == 0;
}

/* What another process would find in memory that is mapped from this file is gone, too. */
static void lose(struct test_volume *t, const char *name)
{
    char *path = test_path(pc_home_dir(t->home), name);

    if (unlink(path) < 0 && errno != ENOENT)
        abort();
    free(path);
}

/* The same workload in a process that dies before its ${event}th event; then look at what it left. */
static bool kill_at(const struct model *whole, uint64_t seed, size_t event, volatile unsigned *seen,
                    bool sabotage)
{
    struct test_volume *t = test_volume_new();
    unsigned last;
    int status;
    bool ok;
    pid_t pid;

    test_volume_close(t);
    *seen = 0;
    pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0) {
        struct model m = {0};

        rec_kill_at(event, seen);
        rec_start(pc_home_dir(t->home));
        test_volume_open(t);
        live(t, &m, seed);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) != pid || (WIFEXITED(status) && WEXITSTATUS(status) != 0))
        abort();
    last = *seen;
    if (sabotage)
        lose(t, "meta/redo");
    test_volume_open(t);
    ok = model_check(whole, t->v, last ? last - 1 : 0, last) && clean(t->v);
    if (!ok)
        fprintf(stderr, "killed before event %zu, in operation %u\n", event, last);
    test_volume_free(t);
    return ok;
}

/* Is the test able to fail? Without the file that keeps what is acknowledged and not committed, some kill must do harm. */
static bool notices_a_lost_file(const struct model *whole, uint64_t seed, size_t events,
                                volatile unsigned *seen)
{
    fprintf(stderr, "without meta/redo a kill must do harm:\n");
    for (size_t i = 1; i < 20; i++) {
        if (!kill_at(whole, seed, i * events / 20, seen, true)) {
            fprintf(stderr, "it does\n");
            return true;
        }
    }
    fprintf(stderr, "it does none: the test is blind\n");
    return false;
}

/* test_kill [SEED]: the seed of the workload. */
int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const char *env = getenv("PCLOUD_CUTS");
    size_t kills = env ? strtoul(env, NULL, 10) : KILLS, events;
    volatile unsigned *seen =
        mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct test_volume *t = test_volume_new();
    struct model model = {0};
    unsigned bad = 0;

    if (seen == MAP_FAILED)
        abort();
    rec_start(pc_home_dir(t->home));
    live(t, &model, seed);
    rec_stop();
    events = rec_count();
    test_volume_free(t);
    for (size_t i = 1; i <= kills && bad < 3; i++)
        bad += !kill_at(&model, seed, i * events / kills - seed % 7, seen, false);
    bad += !notices_a_lost_file(&model, seed, events, seen);
    printf("%u operations, %zu events, %zu kills: %s\n", model.ops, events, kills,
           bad == 0 ? "passed" : "FAILED");
    model_free(&model);
    return bad == 0 ? 0 : 1;
}
