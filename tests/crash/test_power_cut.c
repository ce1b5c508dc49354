/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts the power at the writes, names and syncs of a mixed workload: what was acknowledged is there, nothing half-done is seen. */
#include "recorder.h"

#include "model.h"
#include "pcloud/err.h"
#include "pcloud/object.h"
#include "pcloud/upkeep.h"
#include "test_env.h"
#include "test_volume.h"
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIVES 3
#define OPS 50 /* in each life of the volume */
#define CUTS                                                                                       \
    40 /* of all in `make check`; PCLOUD_CUTS says how many, PCLOUD_EXHAUSTIVE=1 takes each, and more dice for it */

static struct test_volume *t;
static struct model model;
static unsigned images;

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

/* It is not only there, it works: write, reclaim, and it is still what it was. */
static bool works_on(struct pc_volume *v, unsigned sure, unsigned last)
{
    struct pc_gc_result gc;
    struct pc_put *p;
    bool existed;

    if (pc_gc(v, true, NULL, &gc) < 0 || !model_check(&model, v, sure, last))
        return false;
    if (pc_bucket_create(v, "after-the-cut", "") < 0 || pc_put_begin(v, &p) < 0 ||
        pc_put_write(p, "abc", 3) < 0 ||
        pc_put_commit(p, "after-the-cut", "k", 1, "e", NULL, NULL, NULL) < 0 ||
        pc_object_delete(v, "after-the-cut", "k", 1, NULL, &existed) < 0 || !existed)
        return false;
    return clean(v);
}

static bool check_image(const char *dir, unsigned sure, unsigned last, bool more)
{
    struct pc_home *home;
    struct pc_volume *v;
    bool ok;
    int r = pc_home_open(dir, &home);

    if (r == 0) {
        r = pc_volume_open(home, t->keys, t->config, "test", &v);
        if (r < 0)
            pc_home_close(home);
    }
    if (r < 0) {
        fprintf(stderr, "it does not open: %s\n", pc_err_text(r));
        return false;
    }
    ok = model_check(&model, v, sure, last) && clean(v) && (!more || works_on(v, sure, last));
    r = pc_volume_close(v);
    if (r < 0)
        fprintf(stderr, "it does not close: %s\n", pc_err_text(r));
    pc_home_close(home);
    return ok && r == 0;
}

/* Which operations must be there, and which may, when event ${cut} did not happen any more. */
static void bounds(size_t cut, unsigned *ret_sure, unsigned *ret_last)
{
    *ret_sure = *ret_last = 0;
    for (size_t i = 0; i < cut; i++) {
        unsigned n;
        int kind;

        if (rec_mark_at(i, &kind, &n))
            *(kind == MARK_SURE ? ret_sure : ret_last) = n;
    }
}

static bool cut_at(size_t cut, enum rec_mode mode, uint64_t seed)
{
    char *dir = test_dir_new(), *home = test_path(dir, "home");
    unsigned sure, last;
    bool ok;

    bounds(cut, &sure, &last);
    rec_image(cut, mode, seed, home);
    images++;
    ok = check_image(home, sure, last, seed % 4 == 0);
    if (!ok)
        fprintf(stderr, "cut before event %zu of %zu, mode %d, dice %llu; operations %u to %u\n",
                cut, rec_count(), (int)mode, (unsigned long long)seed, sure, last);
    free(home);
    test_dir_free(dir);
    return ok;
}

static bool all_cuts(uint64_t seed, bool exhaustive)
{
    const char *env = getenv("PCLOUD_CUTS");
    size_t changes = 0, step = 1, cuts = env ? strtoul(env, NULL, 10) : CUTS;
    unsigned bad = 0;

    for (size_t i = 0; i < rec_count(); i++)
        changes += rec_changes(i);
    if (!exhaustive && changes > cuts)
        step = changes / (cuts ? cuts : 1);
    for (size_t i = 0, n = 0; i <= rec_count() && bad < 5; i++) {
        if (i < rec_count() && (!rec_changes(i) || (n++ + seed) % step != 0))
            continue;
        bad += !cut_at(i, REC_SYNCED, i + seed);
        bad += !cut_at(i, REC_SOME, i * 3 + seed);
        if (exhaustive) {
            bad += !cut_at(i, REC_ALL, i + seed);
            bad += !cut_at(i, REC_SOME, i * 3 + 1 + seed);
            bad += !cut_at(i, REC_SOME, i * 3 + 2 + seed);
        }
    }
    return bad == 0;
}

/* Is the test able to fail? With the syncs of one kind of file or of folders left out, some cut must show it. */
static bool notices_what_is_left_out(void)
{
    static const char *const deaf[] = {".pack", ".db", "-wal", REC_FOLDERS};

    for (size_t i = 0; i < sizeof deaf / sizeof *deaf; i++) {
        size_t cut;

        rec_deaf(deaf[i]);
        fprintf(stderr, "without syncs of %s a cut must do harm:\n", deaf[i]);
        for (cut = 0; cut <= rec_count(); cut += 7)
            if (!cut_at(cut, REC_SYNCED, cut | 1) || !cut_at(cut, REC_SOME, cut | 1))
                break;
        rec_deaf(NULL);
        if (cut > rec_count()) {
            fprintf(stderr, "it does none: the test is blind\n");
            return false;
        }
        fprintf(stderr, "it does\n");
    }
    return true;
}

/* test_power_cut [SEED]: the seed of workload and dice. */
int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    bool exhaustive = getenv("PCLOUD_EXHAUSTIVE") != NULL;
    char *home;
    bool ok;

    t = test_volume_new();
    test_volume_reopen(t);
    home = strdup(pc_home_dir(t->home));
    if (!home || pc_volume_close(t->v) < 0)
        abort();
    rec_start(home);
    for (unsigned life = 1; life <= LIVES; life++) {
        if (pc_volume_open(t->home, t->keys, t->config, "test", &t->v) < 0)
            abort();
        workload_run(t->v, &model, seed, life * OPS);
        if (pc_volume_close(t->v) < 0)
            abort();
    }
    rec_stop();
    ok = notices_what_is_left_out() && all_cuts(seed, exhaustive);
    printf("%u operations, %zu events, %.1f MB written, %u images: %s\n", model.ops, rec_count(),
           (double)rec_bytes() / 1e6, images, ok ? "passed" : "FAILED");
    if (pc_volume_open(t->home, t->keys, t->config, "test", &t->v) < 0)
        abort();
    test_volume_free(t);
    model_free(&model);
    free(home);
    return ok ? 0 : 1;
}
