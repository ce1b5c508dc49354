/* SPDX-License-Identifier: Apache-2.0 */
/* The files under run/: what the supervisor and the parts say about themselves. */
#include "run/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_FILE_MAX 65536

int run_write(struct pc_home *home, const char *name, json_t *value)
{
    char path[CLI_LINE_MAX], temp[CLI_LINE_MAX + 16];
    int err = value ? pc_home_path(home, name, path, sizeof path) : -ENOMEM;

    if (err < 0)
        goto drop;
    snprintf(temp, sizeof temp, "%s.%d", path, (int)getpid());
    if (json_dump_file(value, temp, JSON_INDENT(1)) != 0 || rename(temp, path) != 0) {
        err = pc_err_set(-EIO, "cannot write %s: %s", path, strerror(errno));
        unlink(temp);
    }
drop:
    json_decref(value);
    return err;
}

json_t *run_read(struct pc_home *home, const char *name)
{
    json_t *value = NULL;
    char *text;
    size_t len;

    if (pc_home_read(home, name, RUN_FILE_MAX, &text, &len) < 0)
        return NULL;
    value = json_loadb(text, len, 0, NULL);
    free(text);
    if (value && !json_is_object(value)) {
        json_decref(value);
        value = NULL;
    }
    return value;
}

void run_remove(struct pc_home *home, const char *name)
{
    char path[CLI_LINE_MAX];

    if (pc_home_path(home, name, path, sizeof path) >= 0)
        unlink(path);
}

uint64_t run_born(pid_t pid)
{
    char path[64], text[1024], state;
    unsigned long long born = 0;
    const char *rest;
    ssize_t n;
    int fd;

    if (pid <= 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    rest = strrchr(text, ')'); /* the name before it may hold anything */
    if (!rest ||
        sscanf(rest,
               ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &state, &born) != 2)
        return 0;
    return state == 'Z' || state == 'X' ? 0 : born;
}

static json_t *part_to_json(const struct run_part *p)
{
    return json_pack("{s:s, s:o, s:I, s:I, s:o, s:o}", "state", part_state_name(p->state), "reason",
                     json_string_nocheck(p->reason), "pid", (json_int_t)p->pid, "born",
                     (json_int_t)p->born, "where", json_string_nocheck(p->where), "web",
                     json_string_nocheck(p->web));
}

static void copy_text(const json_t *o, const char *key, char *buf, size_t cap)
{
    const char *text = json_string_value(json_object_get(o, key));

    snprintf(buf, cap, "%s", text ? text : "");
}

static void part_from_json(const json_t *o, struct run_part *p)
{
    const char *state = json_string_value(json_object_get(o, "state"));

    *p = (struct run_part){
        .state = part_state_parse(state ? state : ""),
        .pid = (pid_t)json_integer_value(json_object_get(o, "pid")),
        .born = (uint64_t)json_integer_value(json_object_get(o, "born")),
    };
    copy_text(o, "reason", p->reason, sizeof p->reason);
    copy_text(o, "where", p->where, sizeof p->where);
    copy_text(o, "web", p->web, sizeof p->web);
}

int run_supervisor_save(struct pc_home *home, const struct run_supervisor *s)
{
    json_t *o = json_pack("{s:I, s:I}", "pid", (json_int_t)s->pid, "born", (json_int_t)s->born);

    for (int i = 0; o && i < PART_COUNT; i++)
        if (s->wants[i] &&
            json_object_set_new(o, part_name((enum part_kind)i), part_to_json(&s->parts[i])) != 0) {
            json_decref(o);
            o = NULL;
        }
    return run_write(home, RUN_SUPERVISOR, o);
}

int run_supervisor_load(struct pc_home *home, struct run_supervisor *s)
{
    json_t *o = run_read(home, RUN_SUPERVISOR);

    *s = (struct run_supervisor){0};
    if (!o)
        return -ENOENT;
    s->pid = (pid_t)json_integer_value(json_object_get(o, "pid"));
    s->born = (uint64_t)json_integer_value(json_object_get(o, "born"));
    for (int i = 0; i < PART_COUNT; i++) {
        const json_t *part = json_object_get(o, part_name((enum part_kind)i));

        s->wants[i] = part != NULL;
        if (part)
            part_from_json(part, &s->parts[i]);
    }
    json_decref(o);
    return 0;
}

bool run_supervisor_alive(struct pc_home *home)
{
    struct run_supervisor s;

    return run_supervisor_load(home, &s) == 0 && s.born != 0 && run_born(s.pid) == s.born;
}

const char *run_part_file(enum part_kind part)
{
    return part == PART_MOUNT ? "run/mount.json" : "run/gateway.json";
}

/* "http://127.0.0.1:9800" without its scheme. */
static void strip_scheme(char *url)
{
    const char *rest = strstr(url, "://");

    if (rest)
        memmove(url, rest + 3, strlen(rest + 3) + 1);
}

int run_part_read(struct pc_home *home, enum part_kind part, struct run_part *ret)
{
    json_t *o = run_read(home, run_part_file(part));

    if (!o)
        return -ENOENT;
    *ret = (struct run_part){.pid = (pid_t)json_integer_value(json_object_get(o, "pid"))};
    copy_text(o, part == PART_MOUNT ? "path" : "s3", ret->where, sizeof ret->where);
    if (part == PART_GATEWAY)
        copy_text(o, "web", ret->web, sizeof ret->web);
    if (part == PART_GATEWAY) {
        strip_scheme(ret->where);
        strip_scheme(ret->web);
    }
    json_decref(o);
    return 0;
}

int run_note_volume(struct pc_home *home, struct pc_volume *v)
{
    struct pc_volume_stat st;
    char id[33];
    int err = pc_volume_stat(v, &st);

    if (err < 0)
        return err;
    for (int i = 0; i < 16; i++)
        snprintf(id + (size_t)i * 2, 3, "%02x", st.id[i]);
    return run_write(home, RUN_VOLUME,
                     json_pack("{s:s, s:I}", "id", id, "damaged", (json_int_t)st.damaged));
}
