/* SPDX-License-Identifier: Apache-2.0 */
/* `pcloud config`: the one configuration file. */
#include "out.h"
#include "run/state.h"
#include "verbs.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {"string", "int", "size", "bool", "enum"};

/* The value as its type in JSON. */
static json_t *value_json(const struct cli *c, enum pc_config_id id)
{
    switch (pc_config_entry(id)->type) {
    case PC_CONFIG_INT:
    case PC_CONFIG_SIZE:
        return json_integer(pc_config_num(c->config, id));
    case PC_CONFIG_BOOL:
        return json_boolean(pc_config_bool(c->config, id));
    default:
        return out_json_text(pc_config_str(c->config, id));
    }
}

int verb_config_get(struct cli *c)
{
    int err = cli_open_home(c);
    int id = err < 0 ? err : pc_config_find(c->args[0]);

    if (id < 0)
        return id;
    if (cli_has(c, "json"))
        return out_json(json_pack("{s:s, s:o}", "key", pc_config_entry((enum pc_config_id)id)->key,
                                  "value", value_json(c, (enum pc_config_id)id)));
    printf("%s\n", pc_config_str(c->config, (enum pc_config_id)id));
    return 0;
}

/* The parts that run take some values at once. */
static void tell_parts(struct cli *c)
{
    struct run_supervisor s;

    if (strncmp(c->args[0], "trash.", 6) == 0 && run_supervisor_alive(c->home) &&
        run_supervisor_load(c->home, &s) == 0)
        kill(s.pid, SIGHUP);
}

int verb_config_set(struct cli *c)
{
    int err = cli_open_home(c);

    if (err >= 0)
        err = pc_config_set(c->home, c->args[0], c->n_args > 1 ? c->args[1] : NULL);
    if (err < 0)
        return err;
    tell_parts(c);
    if (cli_has(c, "json"))
        return out_json(json_pack("{s:s, s:s?}", "key", c->args[0], "value",
                                  c->n_args > 1 ? c->args[1] : NULL));
    return 0;
}

static int list_json(struct cli *c)
{
    json_t *array = json_array();

    for (int i = 0; array && i < PC_CONFIG_COUNT; i++) {
        enum pc_config_id id = (enum pc_config_id)i;
        const struct pc_config_entry *e = pc_config_entry(id);
        json_t *o =
            json_pack("{s:s, s:s, s:o, s:s, s:b, s:s, s:s}", "key", e->key, "type",
                      type_names[e->type], "value", value_json(c, id), "default", e->def, "set",
                      pc_config_is_set(c->config, id), "choices", e->choices, "meaning", e->prose);

        if (json_array_append_new(array, o) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return out_json(array);
}

int verb_config_list(struct cli *c)
{
    int err = cli_open_home(c);

    if (err < 0)
        return err;
    if (cli_has(c, "json"))
        return list_json(c);
    for (int i = 0; i < PC_CONFIG_COUNT; i++) {
        enum pc_config_id id = (enum pc_config_id)i;
        const struct pc_config_entry *e = pc_config_entry(id);

        printf("%s = %s%s\n    %s", e->key, pc_config_str(c->config, id),
               pc_config_is_set(c->config, id) ? "" : "  (default)", e->prose);
        printf(*e->choices ? " One of: %s.\n" : "%s\n", e->choices);
    }
    return 0;
}
