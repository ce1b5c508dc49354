/* SPDX-License-Identifier: Apache-2.0 */
/* `pcloud status` and `pcloud env`. */
#include "run/status.h"
#include "out.h"
#include "pcloud/user.h"
#include "pcloud/version.h"
#include "run/plan.h"
#include "run/probe.h"
#include "verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The volume as last seen, for when it is not opened now. */
static void recall_volume(struct cli *c, struct status *s)
{
    json_t *o = run_read(c->home, RUN_VOLUME);
    const char *id = json_string_value(json_object_get(o, "id"));
    long long damaged = json_integer_value(json_object_get(o, "damaged"));

    snprintf(s->volume_id, sizeof s->volume_id, "%s", id ? id : "");
    json_decref(o);
    if (damaged > 0) {
        s->volume_state = "degraded";
        snprintf(s->volume_reason, sizeof s->volume_reason,
                 "%lld reads met damaged data when last looked; `pcloud scrub` names the files",
                 damaged);
    } else {
        s->volume_state = "ok";
        snprintf(s->volume_reason, sizeof s->volume_reason, "no damage was known when last looked");
    }
}

static void failed_volume(struct status *s, int err)
{
    s->volume_state = err == PC_EPASSPHRASE || err == PC_EUSAGE ? "waiting" : "failed";
    snprintf(s->volume_reason, sizeof s->volume_reason, "%s", pc_err_text(err));
}

/* Open it with the passphrase that is at hand, if one is. */
static int open_quietly(struct cli *c)
{
    char *passphrase;
    size_t len;
    int err = pc_passphrase_get(c->home, cli_value(c, "passphrase-file"), NULL, &passphrase, &len);

    if (err < 0)
        return cli_has(c, "passphrase-file") ? err : 1; /* none at hand */
    err = pc_keys_open(c->home, passphrase, len, &c->keys);
    pc_passphrase_free(passphrase);
    return err < 0 ? err : cli_open_volume(c);
}

static bool is_stopped(uint32_t pid)
{
    char file[32], state = '?';
    FILE *f;

    snprintf(file, sizeof file, "/proc/%u/stat", pid);
    f = fopen(file, "re");
    if (!f)
        return false;
    if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    fclose(f);
    return state == 'T' || state == 't';
}

/* Does somebody who does not come to an end keep everybody from the volume? It is not opened then: that would wait as well. */
static bool is_held_up(struct cli *c, struct status *s)
{
    struct pc_volume_writer w;
    bool stopped;

    if (pc_volume_writer(c->home, &w) <= 0)
        return false;
    stopped = is_stopped(w.pid);
    if (w.held_ms < CLI_PATIENCE_MS && !stopped)
        return false;
    s->volume_state = "waiting";
    snprintf(s->volume_reason, sizeof s->volume_reason,
             stopped ? "process %u (%s) was stopped inside a change that began %lld s ago, and all "
                       "others wait: continue it with `kill -CONT %u`"
                     : "process %u (%s) has been inside a change for %lld s, and all others wait; "
                       "see its log, or end it with `kill %u`",
             w.pid, w.program, (long long)(w.held_ms / 1000), w.pid);
    return true;
}

static void look_at_volume(struct cli *c, struct status *s)
{
    struct pc_volume_stat st;
    int err;

    recall_volume(c, s);
    if (is_held_up(c, s))
        return;
    err = open_quietly(c);
    if (err == 1)
        return;
    if (err >= 0)
        err = run_note_volume(c->home, c->volume);
    if (err >= 0)
        err = pc_volume_stat(c->volume, &st);
    if (err < 0) {
        failed_volume(s, err);
        return;
    }
    recall_volume(c, s);
    if (st.damaged > 0)
        snprintf(s->volume_reason, sizeof s->volume_reason,
                 "%llu reads met damaged data; `pcloud scrub` names the files",
                 (unsigned long long)st.damaged);
    else
        snprintf(s->volume_reason, sizeof s->volume_reason, "opens, and no read has met damage");
}

/* One part as the supervisor says, corrected by what can be seen. */
static void look_at_part(struct cli *c, struct status *s, const struct run_supervisor *su,
                         enum part_kind kind)
{
    struct run_part *p = &s->parts[kind];
    bool alive;

    *p = su->parts[kind];
    if (!su->wants[kind]) {
        p->pid = 0;
        p->state = PART_OFF;
        if (kind == PART_MOUNT)
            plan_default_mount(c, p->where, sizeof p->where);
        snprintf(p->reason, sizeof p->reason,
                 s->supervised ? "not asked for at `pcloud up`" : "not started; run `pcloud up`");
        return;
    }
    alive = p->born != 0 && run_born(p->pid) == p->born;
    if (s->supervised && (alive || p->state == PART_WAITING))
        return;
    if (s->supervised) {
        p->state = PART_WAITING;
        snprintf(p->reason, sizeof p->reason, "ended; starts again at once");
    } else {
        p->state = alive ? PART_DEGRADED : PART_OFF;
        snprintf(p->reason, sizeof p->reason,
                 alive ? "runs, but its supervisor was killed; run `pcloud up`"
                       : "was killed; run `pcloud up`");
    }
    if (!alive)
        p->pid = 0;
}

int status_get(struct cli *c, bool look_inside, struct status *s)
{
    struct run_supervisor su;

    *s = (struct status){.volume_state = "ok"};
    s->supervised = run_supervisor_alive(c->home);
    s->tls = *pc_config_str(c->config, PC_CONFIG_S3_TLS_CERT) != '\0';
    run_supervisor_load(c->home, &su);
    for (int i = 0; i < PART_COUNT; i++)
        look_at_part(c, s, &su, (enum part_kind)i);
    if (look_inside)
        look_at_volume(c, s);
    else
        recall_volume(c, s);
    return 0;
}

const char *status_url(const struct status *s, const char *address, char *buf, size_t cap)
{
    char reachable[300];

    *buf = '\0';
    if (*address && probe_connect_address(address, reachable, sizeof reachable) >= 0)
        snprintf(buf, cap, "%s://%s", s->tls ? "https" : "http", reachable);
    return buf;
}

static json_t *part_pid(const struct run_part *p)
{
    return p->pid > 0 ? json_integer(p->pid) : json_null();
}

json_t *status_json(struct cli *c, const struct status *s)
{
    const struct run_part *m = &s->parts[PART_MOUNT], *g = &s->parts[PART_GATEWAY];
    char s3[320], web[320];

    return json_pack(
        "{s:s, s:o, s:{s:s, s:s, s:o}, s:{s:o, s:s, s:o, s:o}, s:{s:s, s:s, s:s, s:o, s:o}, "
        "s:{s:s, s:[], s:i, s:s, s:s, s:n}}",
        "version", pc_version(), "home", out_json_text(pc_home_dir(c->home)), /**/
        "volume", "id", s->volume_id, "state", s->volume_state, "reason",
        out_json_text(s->volume_reason),
        /**/ "mount", "path", out_json_text(m->where), "state", part_state_name(m->state), "reason",
        out_json_text(m->reason), "pid", part_pid(m), /**/
        "gateway", "s3", status_url(s, g->where, s3, sizeof s3), "web",
        status_url(s, g->web, web, sizeof web), "state", part_state_name(g->state), "reason",
        out_json_text(g->reason), "pid", part_pid(g), /**/
        "node", "peer_id", "", "addrs", "peers", 0, "state", "off", "reason", STATUS_NO_NODE,
        "pid");
}

static void print_line(const char *what, const char *where, const char *state, const char *reason)
{
    bool color = out_color(stdout);

    printf("%-9s%s%-9s%s%s%s%s\n", what, color ? out_state_color(state) : "", state,
           color ? "\033[0m" : "", where, *where ? "  " : "", reason);
}

int verb_status(struct cli *c)
{
    struct status s;
    char s3[320];
    int err = cli_open_home(c);

    if (err >= 0)
        err = status_get(c, true, &s);
    if (err < 0)
        return err;
    if (cli_has(c, "json"))
        return out_json(status_json(c, &s));
    printf("%-9s%s\n", "home", pc_home_dir(c->home));
    print_line("volume", s.volume_id, s.volume_state, s.volume_reason);
    print_line("mount", s.parts[PART_MOUNT].where, part_state_name(s.parts[PART_MOUNT].state),
               s.parts[PART_MOUNT].reason);
    print_line("gateway", status_url(&s, s.parts[PART_GATEWAY].where, s3, sizeof s3),
               part_state_name(s.parts[PART_GATEWAY].state), s.parts[PART_GATEWAY].reason);
    print_line("node", "", "off", STATUS_NO_NODE);
    return 0;
}

int status_print_up(struct cli *c, const char *note)
{
    struct status s;
    char url[320];
    int err = status_get(c, false, &s);

    if (err < 0)
        return err;
    if (cli_has(c, "json"))
        return out_json(status_json(c, &s));
    if (note)
        printf("%s\n", note);
    if (s.parts[PART_MOUNT].state != PART_OFF)
        printf("Mount    %s\n", s.parts[PART_MOUNT].where);
    if (s.parts[PART_GATEWAY].state != PART_OFF) {
        printf("S3       %s\n", status_url(&s, s.parts[PART_GATEWAY].where, url, sizeof url));
        printf("Web      %s\n", status_url(&s, s.parts[PART_GATEWAY].web, url, sizeof url));
    }
    printf("Node     off: %s\n", STATUS_NO_NODE);
    return 0;
}
