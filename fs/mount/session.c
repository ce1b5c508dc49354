/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts, serves requests on threads of libfuse, and ends by signal or by umount(8). */
#include "mount/session.h"

#include "mount/background.h"
#include "mount/loop.h"
#include "mount/mountpoint.h"
#include "pcloud/config.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "pcloud/tree.h"
#include "mount/state.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READAHEAD_KIB 4096u

/* The thread that waits for signals, and what it shares with the one that runs the loop. */
struct control {
    struct fs *fs;
    struct pc_home *home;
    struct state *state;
    struct loop *loop;
    pthread_t thread;
    int result; /* of becoming ready */
};

static void wanted_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1); /* our own: the loop has ended */
}

void session_block_signals(void)
{
    sigset_t set;

    wanted_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void reload(struct control *c)
{
    struct pc_config *config;
    int r = pc_config_load(c->home, &config);

    if (r < 0) {
        pc_log(PC_LOG_ERROR, "config", "kept as it was: %s", pc_err_text(r));
        return;
    }
    pc_log_setup(
        "mount", (enum pc_log_level)pc_log_parse_level(pc_config_str(config, PC_CONFIG_LOG_LEVEL)),
        (enum pc_log_format)pc_log_parse_format(pc_config_str(config, PC_CONFIG_LOG_FORMAT)));
    pc_trash_days(c->fs->volume, pc_config_num(config, PC_CONFIG_TRASH_DAYS));
    pc_config_free(config);
    pc_log(PC_LOG_INFO, "config", "read again");
}

/* Pages that programs changed through mappings are still in the kernel only. */
static void write_back(const char *mountpoint)
{
    int fd = open(mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (syncfs(fd) < 0)
        pc_log(PC_LOG_ERROR, "sync", "%s: %s", mountpoint, strerror(errno));
    close(fd);
}

static void stop(struct control *c)
{
    const char *mountpoint = c->fs->opt->mountpoint;

    background_stopping();
    state_set(c->state, "stopping");
    write_back(mountpoint);
    coherence_stop(
        c->fs->coherence); /* while requests are served: a notification may wait for one */
    if (mountpoint_unmount(mountpoint, false) == 0)
        return; /* the loop ends by itself */
    pc_log(PC_LOG_WARN, "unmount", "%s is in use: detached; what is open there ends", mountpoint);
    (void)mountpoint_unmount(mountpoint, true);
    loop_stop(c->loop);
}

/* The first answer of the mount: through the kernel, as any program would get it. */
static int become_ready(struct control *c)
{
    const char *mountpoint = c->fs->opt->mountpoint;
    struct stat st;

    if (stat(mountpoint, &st) < 0)
        return pc_err_set(-errno, "the mount at %s does not answer: %s", mountpoint,
                          strerror(errno));
    mountpoint_readahead(st.st_dev, READAHEAD_KIB);
    state_set(c->state, "ok");
    background_ready(c->home);
    pc_log(PC_LOG_INFO, "mount", "%s is mounted on %s", c->fs->opt->fsname, mountpoint);
    return 0;
}

static void *control_main(void *arg)
{
    struct control *c = arg;
    sigset_t set;
    int sig;

    wanted_signals(&set);
    c->result = become_ready(c);
    if (c->result < 0) {
        fprintf(stderr, "mount.pcloud: %s\n", pc_err_text(c->result));
        stop(c);
        return NULL;
    }
    for (;;) {
        if (sigwait(&set, &sig) != 0)
            continue;
        if (sig == SIGUSR1)
            return NULL;
        if (sig == SIGHUP) {
            reload(c);
            continue;
        }
        stop(c);
        return NULL;
    }
}

static unsigned threads_of(const struct mount_options *o)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (o->threads)
        return o->threads;
    return cores > 8 ? (unsigned)cores * 2 : 16;
}

static int serve(struct control *c)
{
    int r = loop_new(c->fs->session, threads_of(c->fs->opt), &c->loop);

    if (r < 0)
        return r;
    r = -pthread_create(&c->thread, NULL, control_main, c);
    if (r == 0) {
        r = loop_run(c->loop);
        pthread_kill(c->thread, SIGUSR1);
        pthread_join(c->thread, NULL);
        r = c->result < 0 ? c->result : r;
    }
    loop_free(c->loop);
    return r;
}

static int mount_session(struct fs *fs)
{
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    int r = mountpoint_args(fs->opt, &args);

    if (r < 0)
        goto done;
    fs->session = fuse_session_new(&args, &fs_ops, sizeof(fs_ops), fs);
    if (!fs->session) {
        r = pc_err_set(-EINVAL, "the FUSE library refuses these options");
        goto done;
    }
    if (fuse_session_mount(fs->session, fs->opt->mountpoint) < 0) {
        r = pc_err_set(-EPERM, "cannot mount on %s: is /dev/fuse there, and may you use it?",
                       fs->opt->mountpoint);
        fuse_session_destroy(fs->session);
        goto done;
    }
    r = wire_attach(fs->session);
done:
    fuse_opt_free_args(&args);
    return r;
}

int session_run(struct fs *fs, struct pc_home *home)
{
    struct control c = {.fs = fs, .home = home};
    int r = fs->opt->shared_locks ? locks_open(home, &fs->locks) : 0;

    if (r >= 0)
        r = mount_session(fs);
    if (r < 0) {
        locks_free(fs->locks);
        return r;
    }
    r = coherence_start(fs, &fs->coherence);
    if (r >= 0)
        r = state_open(home, fs->opt->mountpoint, &c.state);
    if (r >= 0)
        r = serve(&c);
    locks_stop(fs->locks);
    coherence_stop(fs->coherence);
    fuse_session_unmount(fs->session);
    fuse_session_destroy(fs->session);
    coherence_free(fs->coherence);
    locks_free(fs->locks);
    state_close(c.state);
    return r;
}
