/* SPDX-License-Identifier: Apache-2.0 */
/* `pcloud fsck`, `scrub`, `gc`, `df`: keeping a volume well. */
#include "pcloud/tree.h"
#include "pcloud/upkeep.h"
#include "out.h"
#include "run/state.h"
#include "tree/quota.h"
#include "verbs.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define FINDINGS_MAX 10000 /* lines kept for --json; more are counted only */

struct work {
    struct cli *c;
    struct out_progress bar;
    json_t *findings; /* NULL: printed as they come */
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static int progress(void *arg, uint64_t done, uint64_t total)
{
    struct work *w = arg;

    out_progress_step(&w->bar, done, total);
    return interrupted;
}

static void found(void *arg, const char *text)
{
    struct work *w = arg;

    if (w->findings) {
        if (json_array_size(w->findings) < FINDINGS_MAX)
            json_array_append_new(w->findings, out_json_text(text));
        return;
    }
    out_progress_end(&w->bar);
    printf("%s\n", text);
}

/* Start: a bar, findings, and SIGINT or SIGTERM as a request to stop at a good point. */
static struct pc_upkeep start(struct cli *c, struct work *w, const char *what)
{
    struct sigaction sa = {.sa_handler = on_interrupt};

    *w = (struct work){.c = c, .findings = cli_has(c, "json") ? json_array() : NULL};
    out_progress_start(&w->bar, what);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    return (struct pc_upkeep){progress, found, w};
}

static int end(struct work *w, int err)
{
    out_progress_end(&w->bar);
    if (err < 0) {
        json_decref(w->findings);
        w->findings = NULL;
    }
    if (err == PC_ECANCELED)
        return pc_err_set(err, "interrupted; what was done so far stays done");
    return err;
}

static int fsck_report(struct cli *c, struct work *w, const struct pc_fsck_result *r, bool salvaged)
{
    bool left = r->problems > r->repaired;

    if (cli_has(c, "json")) {
        int err = out_json(
            json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "nodes", (json_int_t)r->nodes,
                      "edges", (json_int_t)r->edges, "blocks", (json_int_t)r->blocks, "packs",
                      (json_int_t)r->packs, "problems", (json_int_t)r->problems, "repaired",
                      (json_int_t)r->repaired, "salvaged", salvaged, "findings", w->findings));

        return err < 0 ? err : left;
    }
    printf("%llu nodes, %llu names, %llu blocks, %llu packs: ", (unsigned long long)r->nodes,
           (unsigned long long)r->edges, (unsigned long long)r->blocks,
           (unsigned long long)r->packs);
    if (r->problems == 0)
        puts("no problem");
    else
        printf("%llu problems, %llu repaired%s\n", (unsigned long long)r->problems,
               (unsigned long long)r->repaired,
               left && !cli_has(c, "repair") ? "; mend them with `pcloud fsck --repair`" : "");
    return left;
}

/* Can the database not be opened because it is damaged? */
static bool is_damage(int err)
{
    return err == PC_ECORRUPT;
}

int verb_fsck(struct cli *c)
{
    bool repair = cli_has(c, "repair"), salvaged = false;
    struct pc_fsck_result r = {0};
    struct pc_upkeep up;
    struct work w;
    int err = cli_open_keys(c);

    if (err < 0)
        return err;
    up = start(c, &w, "fsck");
    err = cli_open_volume(c);
    if (err >= 0)
        err = pc_fsck(c->volume, repair, &up, &r);
    if (is_damage(err) && repair) {
        if (c->volume)
            pc_volume_close(c->volume);
        c->volume = NULL;
        err = pc_volume_salvage(c->home, c->keys, &up, &r);
        salvaged = err >= 0;
        if (err == PC_ERUNNING)
            pc_err_set(
                err,
                "the database must be built anew, but parts have it open; run `pcloud down` first");
    } else if (is_damage(err)) {
        err = pc_err_wrap(
            err, "the database is damaged; save what can be read with `pcloud fsck --repair`");
    }
    err = end(&w, err);
    return err < 0 ? err : fsck_report(c, &w, &r, salvaged);
}

int verb_scrub(struct cli *c)
{
    struct pc_scrub_result r = {0};
    struct pc_upkeep up;
    struct work w;
    char size[OUT_SIZE_MAX];
    int err = cli_open_volume(c);

    if (err < 0)
        return err;
    up = start(c, &w, "scrub");
    err = end(&w, pc_scrub(c->volume, &up, &r));
    if (err < 0)
        return err;
    run_note_volume(c->home, c->volume);
    if (cli_has(c, "json"))
        err = out_json(json_pack("{s:I, s:I, s:I, s:I, s:o}", "blocks", (json_int_t)r.blocks,
                                 "bytes", (json_int_t)r.bytes, "damaged_blocks",
                                 (json_int_t)r.damaged_blocks, "damaged_files",
                                 (json_int_t)r.damaged_files, "findings", w.findings));
    else
        printf("%llu blocks, %s read: %llu blocks damaged, in %llu files\n",
               (unsigned long long)r.blocks, out_size(r.bytes, size),
               (unsigned long long)r.damaged_blocks, (unsigned long long)r.damaged_files);
    return err < 0 ? err : r.damaged_blocks > 0;
}

int verb_gc(struct cli *c)
{
    struct pc_gc_result r = {0};
    struct pc_upkeep up;
    struct work w;
    char freed[OUT_SIZE_MAX];
    int err = cli_open_volume(c);

    if (err < 0)
        return err;
    up = start(c, &w, "gc");
    if (cli_has(c, "quiet"))
        w.bar.shown = false;
    err = end(&w, pc_gc(c->volume, cli_has(c, "full"), &up, &r));
    if (err < 0)
        return err;
    run_note_volume(c->home, c->volume);
    json_decref(w.findings);
    if (cli_has(c, "json"))
        return out_json(json_pack(
            "{s:I, s:I, s:I, s:I, s:I, s:I}", "freed_blocks", (json_int_t)r.freed_blocks,
            "freed_bytes", (json_int_t)r.freed_bytes, "removed_packs", (json_int_t)r.removed_packs,
            "compacted_packs", (json_int_t)r.compacted_packs, "moved_bytes",
            (json_int_t)r.moved_bytes, "disk_bytes_freed", (json_int_t)r.disk_bytes_freed));
    if (!cli_has(c, "quiet"))
        printf("%s given back to the disk; %llu blocks freed, %llu packs removed, %llu compacted\n",
               out_size(r.disk_bytes_freed, freed), (unsigned long long)r.freed_blocks,
               (unsigned long long)r.removed_packs, (unsigned long long)r.compacted_packs);
    return 0;
}

static int df_json(const struct pc_volume_stat *st, const struct pc_trash_result *trash)
{
    return out_json(
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "files",
                  (json_int_t)st->files, "folders", (json_int_t)st->folders, "objects",
                  (json_int_t)st->objects, "bytes", (json_int_t)st->bytes, "block_bytes",
                  (json_int_t)st->block_bytes, "pack_bytes", (json_int_t)st->pack_bytes, "packs",
                  (json_int_t)st->packs, "meta_bytes", (json_int_t)st->meta_bytes, "disk_total",
                  (json_int_t)st->disk_total, "disk_free", (json_int_t)st->disk_free, "disk_avail",
                  (json_int_t)st->disk_avail, "damaged", (json_int_t)st->damaged, "trash_entries",
                  (json_int_t)trash->entries, "trash_bytes", (json_int_t)trash->bytes));
}

int verb_df(struct cli *c)
{
    struct pc_volume_stat st;
    struct pc_trash_result trash;
    char size[OUT_SIZE_MAX];
    int err = cli_open_volume(c);

    if (err >= 0)
        err = pc_volume_stat(c->volume, &st);
    if (err >= 0)
        err = pc_trash_stat(c->volume, &trash);
    if (err < 0)
        return err;
    if (cli_has(c, "json"))
        return df_json(&st, &trash);
    printf("Files      %llu (%llu by S3), in %llu folders\n", (unsigned long long)st.files,
           (unsigned long long)st.objects, (unsigned long long)st.folders);
    printf("Content    %s as its files say\n", out_size(st.bytes, size));
    if (trash.entries > 0)
        printf("Trash      %s of it, in %llu entries\n", out_size(trash.bytes, size),
               (unsigned long long)trash.entries);
    printf("Blocks     %s after deduplication and compression\n", out_size(st.block_bytes, size));
    printf("Packs      %s in %llu on disk", out_size(st.pack_bytes, size),
           (unsigned long long)st.packs);
    if (st.pack_bytes > st.block_bytes)
        printf(", %s of them for `pcloud gc` to look at",
               out_size(st.pack_bytes - st.block_bytes, size));
    printf("\nMetadata   %s\n", out_size(st.meta_bytes, size));
    printf("Disk       %s free for you", out_size(st.disk_avail, size));
    printf(" of %s\n", out_size(st.disk_total, size));
    return quota_print_all(c, "Quota      ");
}
