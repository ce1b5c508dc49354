/* SPDX-License-Identifier: Apache-2.0 */
/* `pcloud snapshot`: the past taken, listed, removed, restored, and kept by rules. */
#include "pcloud/snapshot.h"
#include "out.h"
#include "tree/place.h"
#include "verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TIME_MAX 32

static const char *time_text(const struct timespec *t, char buf[TIME_MAX])
{
    struct tm tm;

    if (!gmtime_r(&t->tv_sec, &tm) || strftime(buf, TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return "?";
    return buf;
}

static json_t *json_of(const struct pc_snapshot *s)
{
    char text[TIME_MAX];

    return json_pack("{s:s, s:s, s:b}", "name", s->name, "taken", time_text(&s->taken, text),
                     "automatic", s->automatic);
}

int verb_snapshot_take(struct cli *c)
{
    struct pc_snapshot s;
    int err = cli_open_volume(c);

    if (err >= 0)
        err = pc_snapshot_take(c->volume, c->n_args > 0 ? c->args[0] : NULL, &s);
    if (err < 0)
        return err;
    if (cli_has(c, "json"))
        return out_json(json_of(&s));
    printf("%s\n", s.name);
    return 0;
}

static int list_json(void *arg, const struct pc_snapshot *s)
{
    return json_array_append_new(arg, json_of(s));
}

static int list_text(void *arg, const struct pc_snapshot *s)
{
    char text[TIME_MAX];

    (void)arg;
    printf("%s  %s%s\n", time_text(&s->taken, text), s->name, s->automatic ? "  (by rules)" : "");
    return 0;
}

int verb_snapshot_list(struct cli *c)
{
    json_t *all;
    int err = cli_open_volume(c);

    if (err < 0)
        return err;
    if (!cli_has(c, "json"))
        return pc_snapshot_list(c->volume, list_text, NULL);
    all = json_array();
    err = all ? pc_snapshot_list(c->volume, list_json, all) : -ENOMEM;
    if (err == 0)
        return out_json(all);
    json_decref(all);
    return err < 0 ? err : -ENOMEM;
}

int verb_snapshot_rm(struct cli *c)
{
    int err = cli_open_volume(c);

    return err < 0 ? err : pc_snapshot_remove(c->volume, c->args[0]);
}

int verb_snapshot_restore(struct cli *c)
{
    char path[PLACE_MAX], to[PLACE_MAX], size[OUT_SIZE_MAX];
    struct pc_restore_result r;
    int err = cli_open_volume(c);

    if (err >= 0)
        err = place_path(c, c->args[1], path);
    if (err >= 0)
        err = place_path(c, c->args[c->n_args > 2 ? 2 : 1], to);
    if (err >= 0)
        err = pc_snapshot_restore(c->volume, c->args[0], path, to, &r);
    if (err < 0)
        return err;
    if (cli_has(c, "json"))
        return out_json(json_pack("{s:I, s:I, s:I}", "files", (json_int_t)r.files, "folders",
                                  (json_int_t)r.folders, "bytes", (json_int_t)r.bytes));
    printf("%llu files and %llu folders are back at %s: %s, of which nothing was copied\n",
           (unsigned long long)r.files, (unsigned long long)r.folders, to, out_size(r.bytes, size));
    return 0;
}

static int rules_join(const struct cli *c, char buf[PC_SNAPSHOT_RULES_MAX + 1])
{
    size_t len = 0;

    buf[0] = '\0';
    if (c->n_args == 1 && strcmp(c->args[0], "off") == 0)
        return 0;
    for (size_t i = 0; i < c->n_args; i++) {
        int n =
            snprintf(buf + len, PC_SNAPSHOT_RULES_MAX + 1 - len, "%s%s", i ? " " : "", c->args[i]);

        if (n < 0 || (size_t)n > PC_SNAPSHOT_RULES_MAX - len)
            return pc_err_set(-EINVAL, "the rules are longer than %d bytes", PC_SNAPSHOT_RULES_MAX);
        len += (size_t)n;
    }
    return 0;
}

int verb_snapshot_keep(struct cli *c)
{
    char rules[PC_SNAPSHOT_RULES_MAX + 1];
    int err = rules_join(c, rules);

    if (err >= 0)
        err = cli_open_volume(c);
    if (err >= 0 && c->n_args > 0)
        err = pc_snapshot_rules_set(c->volume, rules);
    if (err >= 0)
        err = pc_snapshot_rules(c->volume, rules);
    if (err < 0)
        return err;
    if (cli_has(c, "json"))
        return out_json(json_pack("{s:s}", "keep", rules));
    printf("%s\n", rules[0] ? rules : "off");
    return 0;
}
