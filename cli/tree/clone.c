/* SPDX-License-Identifier: Apache-2.0 */
/* `pcloud clone`: a copy that shares its content. */
#include "pcloud/tree.h"
#include "out.h"
#include "tree/place.h"
#include "verbs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static int progress(void *arg, uint64_t done, uint64_t total)
{
    out_progress_step(arg, done, total);
    return interrupted;
}

static int report(struct cli *c, const struct pc_clone_result *r)
{
    char bytes[OUT_SIZE_MAX], shared[OUT_SIZE_MAX];

    if (cli_has(c, "json"))
        return out_json(json_pack("{s:I, s:I, s:I}", "entries", (json_int_t)r->entries, "bytes",
                                  (json_int_t)r->bytes, "shared", (json_int_t)r->shared));
    printf("%llu entries, %s, of them %s shared\n", (unsigned long long)r->entries,
           out_size(r->bytes, bytes), out_size(r->shared, shared));
    return 0;
}

static int clone(struct cli *c, uint64_t src, uint64_t parent, const char *name,
                 struct pc_clone_result *r)
{
    struct sigaction sa = {.sa_handler = on_interrupt};
    struct out_progress bar;
    struct pc_upkeep up = {.progress = progress, .arg = &bar};
    int err;

    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    out_progress_start(&bar, "clone");
    err = pc_clone(c->volume, src, parent, name, &up, r, NULL);
    out_progress_end(&bar);
    if (err == -EEXIST)
        return pc_err_set(err, "%s is there already", c->args[1]);
    if (err == -EINVAL)
        return pc_err_set(err, "%s cannot be cloned into itself as %s", c->args[0], c->args[1]);
    if (err == PC_ECANCELED)
        return pc_err_set(err, "interrupted; nothing was made");
    return err < 0 ? err : pc_volume_sync(c->volume);
}

int verb_clone(struct cli *c)
{
    struct pc_clone_result r;
    struct pc_attr src, parent;
    char name[PC_NAME_MAX + 1];
    int err = cli_open_volume(c);

    if (err >= 0)
        err = place_node(c, c->args[0], &src);
    if (err >= 0)
        err = place_new(c, c->args[1], &parent, name);
    if (err >= 0)
        err = clone(c, src.ino, parent.ino, name, &r);
    return err < 0 ? err : report(c, &r);
}
