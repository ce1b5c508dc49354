/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor: one loop over signals and deadlines; every decision is part_step's. */
#include "run/super.h"
#include "run/notify.h"
#include "run/probe.h"
#include "run/state.h"

#include "pcloud/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 10000     /* logs are looked at so often */
#define KILLED_MS 1000    /* and whether the mount was killed */
#define STOP_MS 12000     /* parts have 10 s to stop; then they are killed */
#define KILL_MS 5000      /* and so long to be gone then */
#define GC_FIRST_MS 60000 /* the first reclaim run is no sooner than this */

struct child {
    pid_t pid, probe; /* 0: none */
    off_t log_from;
    struct run_part shown; /* as in the state file */
};

struct super {
    struct pc_home *home;
    struct pc_config *config;
    struct plan plan;
    struct passphrase_way *way;
    struct part parts[PART_COUNT];
    struct child children[PART_COUNT];
    struct run_supervisor saved;
    pid_t gc;
    int64_t next_gc_ms, next_tick_ms;
    int signal_fd, ready_fd;
    bool ready, stopping;
    int status;
    char failure[CLI_LINE_MAX]; /* told when all is stopped */
};

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void step(struct super *s, int kind, enum part_event event, const char *why)
{
    struct part *p = &s->parts[kind];
    enum part_state before = p->state;

    part_step(p, event, why, now_ms());
    if (p->state != before)
        pc_log(p->state == PART_FAILED || p->state == PART_DEGRADED ? PC_LOG_WARN : PC_LOG_INFO,
               "part.state", "%s: %s: %s", part_name((enum part_kind)kind),
               part_state_name(p->state), p->reason);
}

/* Write the state file if it would say anything new. */
static void save(struct super *s)
{
    struct run_supervisor now = s->saved;

    for (int i = 0; i < PART_COUNT; i++) {
        struct run_part *r = &now.parts[i];

        r->state = s->parts[i].state;
        memset(r->reason, 0, sizeof r->reason);
        snprintf(r->reason, sizeof r->reason, "%s", s->parts[i].reason);
        if (r->pid != s->children[i].pid) {
            r->pid = s->children[i].pid;
            r->born = run_born(r->pid);
        }
        snprintf(r->where, sizeof r->where, "%s", i == PART_MOUNT ? s->plan.mount : s->plan.s3);
        snprintf(r->web, sizeof r->web, "%s", i == PART_MOUNT ? "" : s->plan.web);
    }
    if (memcmp(&now, &s->saved, sizeof now) == 0)
        return;
    s->saved = now;
    if (run_supervisor_save(s->home, &now) < 0)
        pc_log(PC_LOG_WARN, "state.write", "%s", pc_err_text(-EIO));
}

static void start_part(struct super *s, int kind)
{
    struct child *c = &s->children[kind];
    pid_t pid = 0;
    int err = 0;

    run_remove(s->home, run_part_file((enum part_kind)kind));
    if (kind == PART_MOUNT && probe_mount_kind(s->plan.mount) == PROBE_MOUNT_STALE)
        err = probe_mount_clear(s->plan.mount);
    if (err >= 0)
        pid = spawn_part(s->home, (enum part_kind)kind, &s->plan, s->way, &c->log_from);
    if (err < 0 || pid < 0) {
        step(s, kind, PART_EV_EXITED, pc_err_text(err < 0 ? err : pid));
        return;
    }
    c->pid = pid;
    step(s, kind, PART_EV_SPAWNED, NULL);
}

/* The gateway has told its addresses: keep them, so that a restart takes the same ports. */
static void keep_addresses(struct super *s, const struct run_part *told)
{
    if (*told->where)
        snprintf(s->plan.s3, sizeof s->plan.s3, "%.255s", told->where);
    if (*told->web)
        snprintf(s->plan.web, sizeof s->plan.web, "%.255s", told->web);
}

/* Is a part that starts far enough to be asked? A mount is seen in the mount table; its file may be another mount's of this home. */
static bool says_ready(struct super *s, int kind)
{
    struct run_part told;

    if (s->parts[kind].state != PART_STARTING)
        return true;
    if (kind == PART_MOUNT)
        return probe_mount_there(s->plan.mount);
    if (run_part_read(s->home, PART_GATEWAY, &told) < 0 || told.pid != s->children[kind].pid)
        return false;
    keep_addresses(s, &told);
    return true;
}

static void probe_part(struct super *s, int kind)
{
    struct child *c = &s->children[kind];
    pid_t pid;

    if (!says_ready(s, kind)) {
        step(s, kind, PART_EV_SILENT, "it has not said yet that it is ready");
        return;
    }
    if (kind == PART_MOUNT) {
        pid = probe_mount_start(s->plan.mount);
    } else {
        char address[300];

        if (probe_connect_address(s->plan.s3, address, sizeof address) < 0)
            address[0] = '\0';
        pid = probe_port_start(address);
    }
    if (pid < 0)
        step(s, kind, PART_EV_SILENT, "cannot start a process to look at it");
    else
        c->probe = pid;
}

static void on_probe(struct super *s, int kind, int status)
{
    int err = probe_result(status);

    s->children[kind].probe = 0;
    if (s->children[kind].pid == 0 || s->stopping)
        return;
    if (err == 0)
        step(s, kind, PART_EV_ANSWERED, NULL);
    else
        step(s, kind, PART_EV_SILENT, strerror(-err));
}

static void on_part_end(struct super *s, int kind, int status)
{
    struct child *c = &s->children[kind];
    char why[CLI_LINE_MAX / 2], said[CLI_LINE_MAX / 4];

    spawn_log_reason(s->home, part_name((enum part_kind)kind), c->log_from, said, sizeof said);
    if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else if (*said)
        snprintf(why, sizeof why, "%s", said);
    else
        snprintf(why, sizeof why, "ended with exit status %d and said nothing",
                 WEXITSTATUS(status));
    c->pid = 0;
    if (s->stopping)
        step(s, kind, PART_EV_STOPPED, NULL);
    else
        step(s, kind, PART_EV_EXITED, why);
}

static void reap(struct super *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s->gc) {
            s->gc = 0;
            if (status != 0)
                pc_log(PC_LOG_WARN, "gc.end", "gc ended with status %d; see log/gc.log",
                       WEXITSTATUS(status));
        }
        for (int i = 0; i < PART_COUNT; i++) {
            if (pid == s->children[i].pid)
                on_part_end(s, i, status);
            else if (pid == s->children[i].probe)
                on_probe(s, i, status);
        }
    }
}

/* When the next reclaim run is due: gc.interval after the last one, of whichever supervisor. */
static int64_t first_gc_ms(struct super *s, int64_t now)
{
    int64_t interval = pc_config_num(s->config, PC_CONFIG_GC_INTERVAL) * 1000;
    int64_t soonest = interval < GC_FIRST_MS ? interval : GC_FIRST_MS;
    json_t *o = run_read(s->home, RUN_GC);
    int64_t ago = interval;

    if (o)
        ago = ((int64_t)time(NULL) - json_integer_value(json_object_get(o, "started"))) * 1000;
    json_decref(o);
    return now + (ago < 0 || interval - ago < soonest ? soonest : interval - ago);
}

static void reload(struct super *s)
{
    struct pc_config *fresh;
    int err = pc_config_load(s->home, &fresh);

    if (err < 0) {
        pc_log(PC_LOG_WARN, "config.load", "%s; the earlier configuration stays", pc_err_text(err));
    } else {
        pc_config_free(s->config);
        s->config = fresh;
        s->next_gc_ms = first_gc_ms(s, now_ms());
    }
    for (int i = 0; i < PART_COUNT; i++)
        if (s->children[i].pid > 0)
            kill(s->children[i].pid, SIGHUP);
}

static void on_signals(struct super *s)
{
    struct signalfd_siginfo info;

    while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            reap(s);
        else if (info.ssi_signo == SIGHUP)
            reload(s);
        else
            s->stopping = true;
    }
}

/* Tell `pcloud up` how it went; from then on it is on its own. */
static void tell(struct super *s, const char *text)
{
    if (s->ready_fd < 0)
        return;
    dprintf(s->ready_fd, "%s\n", text);
    close(s->ready_fd);
    s->ready_fd = -1;
}

static void check_ready(struct super *s)
{
    bool all = true;

    if (s->ready || s->stopping)
        return;
    for (int i = 0; i < PART_COUNT; i++) {
        if (s->parts[i].state == PART_FAILED) {
            snprintf(s->failure, sizeof s->failure, "the %s cannot start: %s",
                     part_name((enum part_kind)i), s->parts[i].reason);
            pc_log(PC_LOG_ERROR, "up.failed", "%s", s->failure);
            s->status = 1;
            s->stopping = true;
            return;
        }
        all = all && (!s->plan.wants[i] || s->parts[i].state == PART_OK);
    }
    if (!all)
        return;
    s->ready = true;
    save(s);
    notify_systemd("READY=1");
    tell(s, "ok");
}

static void check_gc(struct super *s, int64_t now)
{
    int64_t interval = pc_config_num(s->config, PC_CONFIG_GC_INTERVAL) * 1000;

    if (interval == 0 || !s->ready || s->gc > 0 || now < s->next_gc_ms)
        return;
    s->next_gc_ms = now + interval;
    s->gc = spawn_gc(s->home, s->way);
    if (s->gc < 0) {
        pc_log(PC_LOG_WARN, "gc.start", "%s", pc_err_text(s->gc));
        s->gc = 0;
        return;
    }
    run_write(s->home, RUN_GC, json_pack("{s:I}", "started", (json_int_t)time(NULL)));
}

/* A killed mount may not come to its end by itself, and nobody is told; so it is looked at. */
static void check_killed(struct super *s)
{
    const struct child *c = &s->children[PART_MOUNT];

    if (c->pid <= 0 || !probe_process_ends(c->pid))
        return;
    pc_log(PC_LOG_INFO, "mount.abort", "%s was killed and is not gone: its connection is ended",
           s->plan.mount);
    probe_mount_abort(s->plan.mount);
}

/* Do all that is due; the milliseconds until something else is. */
static int64_t run_due(struct super *s)
{
    int64_t now = now_ms(), wait = TICK_MS, in_ms;

    if (now >= s->next_tick_ms) {
        s->next_tick_ms = now + TICK_MS;
        spawn_log_trim(s->home, "mount");
        spawn_log_trim(s->home, "gateway");
        spawn_log_trim(s->home, "supervisor");
    }
    check_killed(s);
    if (s->children[PART_MOUNT].pid > 0)
        wait = KILLED_MS;
    check_gc(s, now);
    if (s->ready && s->gc == 0 && s->next_gc_ms > now && s->next_gc_ms - now < wait)
        wait = s->next_gc_ms - now;
    for (int i = 0; i < PART_COUNT; i++) {
        enum part_due due;

        if (s->children[i].probe > 0)
            continue;
        due = part_due(&s->parts[i], now, &in_ms);
        if (due == PART_DUE_SPAWN)
            start_part(s, i);
        else if (due == PART_DUE_PROBE)
            probe_part(s, i);
        if (due != PART_DUE_NOTHING && s->children[i].probe == 0)
            part_due(&s->parts[i], now_ms(), &in_ms);
        if (in_ms >= 0 && in_ms < wait)
            wait = in_ms;
    }
    return wait;
}

static void wait_for_events(struct super *s, int64_t wait)
{
    struct pollfd fds[2] = {{.fd = s->signal_fd, .events = POLLIN}, {.fd = s->ready_fd}};

    if (poll(fds, s->ready_fd >= 0 ? 2 : 1, (int)wait) < 0)
        return;
    if (fds[0].revents)
        on_signals(s);
    if (s->ready_fd >= 0 &&
        (fds[1].revents & (POLLERR | POLLHUP))) { /* `pcloud up` was interrupted */
        s->stopping = true;
        s->status = 1;
    }
}

static bool any_child(const struct super *s)
{
    bool any = s->gc > 0;

    for (int i = 0; i < PART_COUNT; i++)
        any = any || s->children[i].pid > 0;
    return any;
}

static void signal_children(struct super *s, int signal)
{
    for (int i = 0; i < PART_COUNT; i++)
        if (s->children[i].pid > 0)
            kill(s->children[i].pid, signal);
    if (s->gc > 0)
        kill(s->gc, signal);
}

static void wait_children(struct super *s, int64_t limit_ms)
{
    int64_t end = now_ms() + limit_ms;
    struct pollfd fd = {.fd = s->signal_fd, .events = POLLIN};

    while (any_child(s) && now_ms() < end)
        if (poll(&fd, 1, (int)(end - now_ms())) > 0)
            on_signals(s);
}

static void stop_all(struct super *s)
{
    notify_systemd("STOPPING=1");
    s->stopping = true;
    signal_children(s, SIGTERM);
    wait_children(s, STOP_MS);
    if (any_child(s)) {
        pc_log(PC_LOG_WARN, "down.kill", "a part did not stop within %d s and is killed",
               STOP_MS / 1000);
        signal_children(s, SIGKILL);
        wait_children(s, KILL_MS);
    }
    if (s->plan.wants[PART_MOUNT] && probe_mount_kind(s->plan.mount) == PROBE_MOUNT_STALE)
        probe_mount_clear(s->plan.mount);
    for (int i = 0; i < PART_COUNT; i++)
        run_remove(s->home, run_part_file((enum part_kind)i));
    run_remove(s->home, RUN_SUPERVISOR);
}

static int open_signals(void)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd >= 0 ? fd : pc_err_set(-errno, "cannot watch signals: %s", strerror(errno));
}

int super_run(struct pc_home *home, struct pc_config *config, const struct plan *plan,
              struct passphrase_way *way, int ready_fd)
{
    static struct super s; /* too large for a stack frame */
    int lock_fd, err = pc_home_lock(home, RUN_LOCK, &lock_fd);

    s = (struct super){
        .home = home, .config = config, .plan = *plan, .way = way, .ready_fd = ready_fd};
    if (err < 0) {
        tell(&s, pc_err_text(err));
        return 1;
    }
    passphrase_way_relock(way);
    s.saved.pid = getpid();
    s.saved.born = run_born(getpid());
    s.signal_fd = open_signals();
    if (s.signal_fd < 0) {
        snprintf(s.failure, sizeof s.failure, "%s", pc_err_text(s.signal_fd));
        s.status = 1;
        goto unlock;
    }
    s.next_gc_ms = first_gc_ms(&s, now_ms());
    for (int i = 0; i < PART_COUNT; i++) {
        s.saved.wants[i] = plan->wants[i];
        step(&s, i, plan->wants[i] ? PART_EV_WANTED : PART_EV_STOPPED,
             plan->wants[i] ? NULL : "not asked for");
    }
    while (!s.stopping) {
        int64_t wait = run_due(&s);
        bool ready = s.ready;

        save(&s);
        check_ready(&s);
        if (!s.stopping)
            wait_for_events(&s, s.ready == ready ? wait : 0); /* readiness makes more things due */
    }
    stop_all(&s);
    close(s.signal_fd);
unlock:
    pc_config_free(s.config);
    close(lock_fd);
    tell(&s, *s.failure ? s.failure : "stopped before all parts answered");
    return s.status;
}
