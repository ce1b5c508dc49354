/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: the table of keys, reading the file, the values in force. */
#include "pcloud/config.h"

#include "base/config_file.h"

#include "base/alloc.h"
#include "base/near.h"
#include "pcloud/err.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SHOWN 80 /* bytes of a wrong line that a message repeats */

#define ENTRY(id, key, type, def, min, max, choices, prose)                                        \
    {(key), (type), (def), (min), (max), (choices), (prose)},
static const struct pc_config_entry entries[] = {PC_CONFIG_TABLE(ENTRY)};
#undef ENTRY

struct pc_config {
    char *text[PC_CONFIG_COUNT]; /* NULL: the default */
    int64_t num[PC_CONFIG_COUNT];
};

const struct pc_config_entry *pc_config_entry(enum pc_config_id id)
{
    return &entries[id];
}

int config_key_find(struct config_span key)
{
    for (int id = 0; id < (int)PC_CONFIG_COUNT; id++) {
        if (strlen(entries[id].key) == key.len && memcmp(entries[id].key, key.p, key.len) == 0)
            return id;
    }
    return -1;
}

static bool is_near(const char *key, struct config_span text)
{
    const char *dot = strchr(key, '.');

    return near_distance(key, strlen(key), text.p, text.len) <= 2 ||
           (dot && text.len >= 3 && near_distance(dot + 1, strlen(dot + 1), text.p, text.len) <= 1);
}

/* ": did you mean a or b?", or "" if nothing is near. */
static void suggest(struct config_span text, char *buf, size_t cap)
{
    size_t used = 0;

    buf[0] = 0;
    for (size_t id = 0; id < PC_CONFIG_COUNT && used < cap / 2; id++) {
        int n;

        if (!is_near(entries[id].key, text))
            continue;
        n = snprintf(buf + used, cap - used, "%s%s", used ? " or " : "; did you mean ",
                     entries[id].key);
        used += n > 0 ? (size_t)n : 0;
    }
    if (used && used < cap - 1)
        (void)snprintf(buf + used, cap - used, "?");
}

static int shown(struct config_span s)
{
    return s.len < TEXT_SHOWN ? (int)s.len : TEXT_SHOWN;
}

int pc_config_find(const char *key)
{
    struct config_span span = {key, strlen(key)};
    char near[128];
    int id = config_key_find(span);

    if (id >= 0)
        return id;
    suggest(span, near, sizeof near);
    return pc_err_set(PC_EUSAGE, "there is no key \"%.*s\"%s", shown(span), key,
                      near[0] ? near : "; `pcloud config list` shows all");
}

static int parse_entry(struct pc_config *config, const struct config_line *line, const char *name,
                       unsigned number)
{
    int found = config_key_find(line->key), r;
    enum pc_config_id id = (enum pc_config_id)found;
    char text[CONFIG_WANT_MAX];

    if (found < 0) {
        suggest(line->key, text, sizeof text);
        return pc_err_set(PC_EFORMAT, "%s, line %u: there is no key \"%.*s\"%s", name, number,
                          shown(line->key), line->key.p, text);
    }
    if (config->text[id])
        return pc_err_set(PC_EFORMAT, "%s, line %u: %s is set a second time; remove one", name,
                          number, entries[id].key);
    r = config_value_check(id, line->value, &config->num[id]);
    if (r < 0) {
        config_value_want(id, text);
        return pc_err_set(r, "%s, line %u: %s must be %s, not \"%.*s\"", name, number,
                          entries[id].key, text, shown(line->value), line->value.p);
    }
    config->text[id] = mem_dup(line->value.p, line->value.len);
    return config->text[id] ? 0 : -ENOMEM;
}

static int parse_all(struct pc_config *config, struct config_span text, const char *name)
{
    struct config_line line;
    int r = 0;

    for (unsigned number = 1; r == 0 && config_line_next(&text, &line); number++) {
        if (line.kind == CONFIG_LINE_BAD)
            r = pc_err_set(PC_EFORMAT, "%s, line %u: expected \"key = value\", not \"%.*s\"", name,
                           number, shown(line.key), line.key.p);
        else if (line.kind == CONFIG_LINE_ENTRY)
            r = parse_entry(config, &line, name, number);
    }
    return r;
}

int config_parse(struct config_span text, const char *name, struct pc_config **ret)
{
    struct pc_config *config = mem_calloc(1, sizeof *config);
    int r = 0;

    if (!config)
        return -ENOMEM;
    for (int id = 0; r == 0 && id < (int)PC_CONFIG_COUNT; id++) {
        struct config_span def = {entries[id].def, strlen(entries[id].def)};

        r = config_value_check((enum pc_config_id)id, def, &config->num[id]);
    }
    if (r == 0)
        r = parse_all(config, text, name);
    if (r < 0) {
        pc_config_free(config);
        return r;
    }
    *ret = config;
    return 0;
}

int pc_config_load(struct pc_home *home, struct pc_config **ret_config)
{
    char name[PATH_MAX], *data = NULL;
    size_t len = 0;
    int r = pc_home_path(home, PC_HOME_CONFIG, name, sizeof name);

    if (r < 0)
        return r;
    r = pc_home_read(home, PC_HOME_CONFIG, CONFIG_FILE_MAX, &data, &len);
    if (r < 0 && r != -ENOENT)
        return r;
    r = config_parse((struct config_span){data ? data : "", len}, name, ret_config);
    mem_free(data);
    return r;
}

int pc_config_override(struct pc_config *config, enum pc_config_id id, const char *value)
{
    struct config_span span = {value, strlen(value)};
    char want[CONFIG_WANT_MAX], *text;
    int64_t num;

    if (config_value_check(id, span, &num) < 0) {
        config_value_want(id, want);
        return pc_err_set(PC_EFORMAT, "%s must be %s, not \"%.*s\"", entries[id].key, want,
                          shown(span), value);
    }
    text = mem_dup(value, span.len);
    if (!text)
        return -ENOMEM;
    mem_free(config->text[id]);
    config->text[id] = text;
    config->num[id] = num;
    return 0;
}

void pc_config_free(struct pc_config *config)
{
    if (!config)
        return;
    for (size_t id = 0; id < PC_CONFIG_COUNT; id++)
        mem_free(config->text[id]);
    mem_free(config);
}

const char *pc_config_str(const struct pc_config *config, enum pc_config_id id)
{
    return config->text[id] ? config->text[id] : entries[id].def;
}

int64_t pc_config_num(const struct pc_config *config, enum pc_config_id id)
{
    return config->num[id];
}

bool pc_config_bool(const struct pc_config *config, enum pc_config_id id)
{
    return config->num[id] != 0;
}

bool pc_config_is_set(const struct pc_config *config, enum pc_config_id id)
{
    return config->text[id] != NULL;
}
