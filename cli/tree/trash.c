/* SPDX-License-Identifier: Apache-2.0 */
/* `pcloud trash`: what was removed, and back. */
#include "pcloud/tree.h"
#include "out.h"
#include "tree/place.h"
#include "verbs.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char *const rule_names[] = {"inherit", "on", "off"};

static int set_rule(struct cli *c, enum pc_trash_rule rule)
{
    enum pc_trash_rule own, counts;
    struct pc_attr a;
    int err = cli_open_volume(c);

    if (err >= 0)
        err = place_node(c, c->args[0], &a);
    if (err >= 0 && !S_ISDIR(a.mode))
        err = pc_err_set(-ENOTDIR, "%s is no folder", c->args[0]);
    if (err >= 0)
        err = pc_trash_rule_set(c->volume, a.ino, rule);
    if (err >= 0)
        err = pc_trash_rule_get(c->volume, a.ino, &own, &counts);
    if (err < 0)
        return err;
    if (cli_has(c, "json"))
        return out_json(json_pack("{s:o, s:s, s:s}", "folder", out_json_text(c->args[0]), "trash",
                                  rule_names[own], "counts", rule_names[counts]));
    if (rule == PC_TRASH_ON && counts == PC_TRASH_OFF)
        puts("noted; but trash.days is 0: see `pcloud config set trash.days N`");
    return 0;
}

int verb_trash_on(struct cli *c)
{
    return set_rule(c, PC_TRASH_ON);
}

int verb_trash_off(struct cli *c)
{
    return set_rule(c, PC_TRASH_OFF);
}

int verb_trash_inherit(struct cli *c)
{
    return set_rule(c, PC_TRASH_INHERIT);
}

struct list {
    json_t *array; /* NULL: printed */
    uint64_t n;
};

static void time_text(const struct timespec *t, char text[32])
{
    struct tm tm;

    gmtime_r(&t->tv_sec, &tm);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Names may hold anything: what a terminal would obey is shown as "?". */
static void print_name(const char *name)
{
    for (; *name; name++)
        putchar((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
}

static int list_one(void *arg, const struct pc_trash_entry *e)
{
    struct list *l = arg;
    char gone[32], size[OUT_SIZE_MAX];

    l->n++;
    time_text(&e->gone, gone);
    if (l->array)
        return json_array_append_new(
                   l->array,
                   json_pack("{s:o, s:o, s:s, s:b, s:I}", "entry", out_json_text(e->entry), "path",
                             out_json_text(e->path), "removed", gone, "folder",
                             S_ISDIR(e->attr.mode), "size", (json_int_t)e->attr.size)) < 0
                   ? -ENOMEM
                   : 0;
    printf("%s  %10s  ", gone, S_ISDIR(e->attr.mode) ? "folder" : out_size(e->attr.size, size));
    print_name(e->path);
    printf("  ");
    print_name(e->entry);
    putchar('\n');
    return 0;
}

int verb_trash_list(struct cli *c)
{
    struct list l = {NULL, 0};
    int err = cli_open_volume(c);

    if (err < 0)
        return err;
    if (cli_has(c, "json")) {
        l.array = json_array();
        if (!l.array)
            return -ENOMEM;
    }
    err = pc_trash_list(c->volume, list_one, &l);
    if (err < 0) {
        json_decref(l.array);
        return err;
    }
    if (l.array)
        return out_json(l.array);
    if (l.n == 0)
        puts("the trash is empty");
    return 0;
}

/* What was typed: an entry, one below the mount's .trash, or a path at which something was. */
static int find(struct cli *c, const char *text, uint64_t *ret_ino)
{
    char path[PLACE_MAX];
    int err = pc_trash_find(c->volume, text, ret_ino);

    if (err != -ENOENT || place_path(c, text, path) < 0 || strcmp(path, text) == 0)
        return err == -ENOENT ? pc_trash_find(c->volume, text, ret_ino) : err;
    return pc_trash_find(c->volume, path, ret_ino);
}

static int restore(struct cli *c, uint64_t *ret_ino, uint64_t *ret_n)
{
    struct pc_attr parent = {.ino = 0};
    char name[PC_NAME_MAX + 1] = "";
    int err = find(c, c->args[0], ret_ino);

    if (err >= 0 && c->n_args > 1)
        err = place_new(c, c->args[1], &parent, name);
    if (err >= 0)
        err = pc_trash_restore(c->volume, *ret_ino, parent.ino, name, ret_n);
    if (err == -EEXIST)
        return pc_err_set(err, "there is something of that name already; say where to: "
                               "pcloud trash restore ENTRY TO");
    return err;
}

int verb_trash_restore(struct cli *c)
{
    char at[PLACE_MAX];
    uint64_t ino, n;
    int err = cli_open_volume(c);

    if (err >= 0)
        err = restore(c, &ino, &n);
    if (err >= 0)
        err = pc_path(c->volume, ino, at, sizeof at);
    if (err < 0)
        return err;
    if (cli_has(c, "json"))
        return out_json(
            json_pack("{s:o, s:I}", "path", out_json_text(at), "entries", (json_int_t)n));
    print_name(at);
    if (n > 1)
        printf("  and %llu more below", (unsigned long long)(n - 1));
    putchar('\n');
    return 0;
}

/* "10d", "36h", or hours without a letter; -1 if it is none. */
static int64_t age_of(const char *text)
{
    char *end;
    long long n = isdigit((unsigned char)text[0]) ? strtoll(text, &end, 10) : -1;

    if (n < 0 || n > 1000000)
        return -1;
    if (strcmp(end, "d") == 0)
        return n * 86400;
    return *end == '\0' || strcmp(end, "h") == 0 ? n * 3600 : -1;
}

int verb_trash_empty(struct cli *c)
{
    const char *older = cli_value(c, "older");
    int64_t age = older ? age_of(older) : 0;
    struct pc_trash_result r;
    char size[OUT_SIZE_MAX];
    int err;

    if (age < 0)
        return pc_err_set(PC_EUSAGE, "--older %s: an age is like 36h or 10d", older);
    err = cli_open_volume(c);
    if (err >= 0)
        err = pc_trash_empty(c->volume, age, NULL, &r);
    if (err < 0)
        return err;
    if (cli_has(c, "json"))
        return out_json(json_pack("{s:I, s:I}", "entries", (json_int_t)r.entries, "bytes",
                                  (json_int_t)r.bytes));
    printf("%llu entries freed, %s\n", (unsigned long long)r.entries, out_size(r.bytes, size));
    return 0;
}
