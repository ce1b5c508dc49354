/* SPDX-License-Identifier: Apache-2.0 */
/* Changing one line of the configuration file and leaving the rest as it was. */
#include "base/config_file.h"

#include "base/home.h"

#include "base/alloc.h"
#include "pcloud/err.h"

#include <string.h>
#include <unistd.h>

/* A text that grows up to the room it was made with. */
struct out {
    char *p;
    size_t len;
};

static void put(struct out *o, const char *p, size_t len)
{
    memcpy(o->p + o->len, p, len);
    o->len += len;
}

static void put_entry(struct out *o, const char *key, const char *value)
{
    put(o, key, strlen(key));
    put(o, " = ", 3);
    put(o, value, strlen(value));
    put(o, "\n", 1);
}

int config_edit(struct config_span text, const char *key, const char *value, char **ret,
                size_t *ret_len)
{
    size_t entry = value ? strlen(key) + 3 + strlen(value) + 2 : 0;
    struct out o = {mem_alloc(text.len + entry + 2), 0};
    struct config_line line;
    bool placed = !value;

    if (!o.p)
        return -ENOMEM;
    while (config_line_next(&text, &line)) {
        if (line.kind != CONFIG_LINE_ENTRY || line.key.len != strlen(key) ||
            memcmp(line.key.p, key, line.key.len) != 0) {
            put(&o, line.whole.p, line.whole.len);
        } else if (!placed) {
            put_entry(&o, key, value);
            placed = true;
        }
    }
    if (!placed) {
        if (o.len && o.p[o.len - 1] != '\n')
            put(&o, "\n", 1);
        put_entry(&o, key, value);
    }
    *ret = o.p;
    *ret_len = o.len;
    return 0;
}

static int change(struct pc_home *home, const char *key, const char *value)
{
    char *old = NULL, *new = NULL;
    size_t old_len = 0, new_len = 0;
    int r = pc_home_read(home, PC_HOME_CONFIG, CONFIG_FILE_MAX, &old, &old_len);

    if (r < 0 && r != -ENOENT)
        return r;
    r = config_edit((struct config_span){old ? old : "", old_len}, key, value, &new, &new_len);
    if (r == 0 && new_len > CONFIG_FILE_MAX)
        r = pc_err_set(PC_ELIMIT, "%s/" PC_HOME_CONFIG ": the file would get too large", home->dir);
    if (r == 0 && (new_len != old_len || (new_len && memcmp(new, old, new_len) != 0)))
        r = pc_home_write(home, PC_HOME_CONFIG, new, new_len);
    mem_free(new);
    mem_free(old);
    return r;
}

int pc_config_set(struct pc_home *home, const char *key, const char *value)
{
    int id = pc_config_find(key), r, lock_fd = -1;
    int64_t num;

    if (id < 0)
        return id;
    if (value && config_value_check((enum pc_config_id)id,
                                    (struct config_span){value, strlen(value)}, &num) < 0) {
        char want[CONFIG_WANT_MAX];

        config_value_want((enum pc_config_id)id, want);
        return pc_err_set(PC_EFORMAT, "%s must be %s, not \"%.80s\"", key, want, value);
    }
    r = home_lock_wait(home, "config", &lock_fd);
    if (r < 0)
        return r;
    r = change(home, key, value);
    close(lock_fd);
    return r;
}
