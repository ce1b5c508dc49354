/* SPDX-License-Identifier: Apache-2.0 */
/* The process: home, volume, sockets, signals, and the order in which they come and go. */
#include "server.h"

#include "gateway.h"
#include "guard/guard.h"
#include "guard/pem.h"
#include "httpd.h"
#include "listen.h"
#include "pcloud/config.h"
#include "pcloud/err.h"
#include "pcloud/home.h"
#include "pcloud/keys.h"
#include "pcloud/log.h"
#include "pcloud/version.h"
#include "pcloud/tree.h"
#include "pcloud/volume.h"
#include "s3/s3.h"
#include "settings/lifecycle.h"
#include "watch/audit.h"
#include "watch/metrics.h"
#include "web/web.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DRAIN_MS 8000
#define WORKERS_MIN 16
#define WEB_WORKERS 4
#define WEB_CONNECTIONS 256
#define LOOK_S 2 /* between looks at the files of the certificate */

struct server_state {
    const struct opts *opts;
    struct pc_home *home;
    struct pc_config *config;
    struct pc_volume *volume;
    struct workers *pool, *web_pool;
    struct httpd *s3, *web;
    struct lifecycle_worker *lifecycle;
    struct gateway gateway;
    int lock, s3_fd, web_fd;
    char s3_url[LISTEN_URL_MAX], web_url[LISTEN_URL_MAX];
    struct pem pem;
    char name[48], state[64]; /* "gateway" or "gateway-NAME"; the file of its state */
};

static const char *pick(const struct server_state *s, const char *option, enum pc_config_id id)
{
    return option ? option : pc_config_str(s->config, id);
}

static void setup_log(const struct pc_config *config)
{
    int level = pc_log_parse_level(pc_config_str(config, PC_CONFIG_LOG_LEVEL));
    int format = pc_log_parse_format(pc_config_str(config, PC_CONFIG_LOG_FORMAT));

    pc_log_setup("pcloud-gateway", level < 0 ? PC_LOG_INFO : (enum pc_log_level)level,
                 format < 0 ? PC_LOG_TEXT : (enum pc_log_format)format);
}

static int read_pem(struct server_state *s)
{
    return pem_read(&s->pem, pick(s, s->opts->tls_cert, PC_CONFIG_S3_TLS_CERT),
                    pick(s, s->opts->tls_key, PC_CONFIG_S3_TLS_KEY));
}

static int open_sockets(struct server_state *s)
{
    const char *web = pick(s, s->opts->web, PC_CONFIG_WEB_LISTEN);
    int rc = listen_open(pick(s, s->opts->s3, PC_CONFIG_S3_LISTEN), &s->s3_fd);

    if (rc == 0)
        rc = listen_url(s->s3_fd, s->pem.cert ? "https" : "http", s->s3_url);
    if (rc < 0 || !*web || strcmp(web, "off") == 0)
        return rc;
    rc = listen_open(web, &s->web_fd);
    if (rc == 0)
        rc = listen_url(s->web_fd, "http", s->web_url);
    return rc;
}

static int open_volume(struct server_state *s)
{
    struct pc_keys *keys;
    char *passphrase;
    size_t len;
    int rc =
        pc_passphrase_get(s->home, s->opts->passphrase_file, "Passphrase: ", &passphrase, &len);

    if (rc < 0)
        return rc;
    rc = pc_keys_open(s->home, passphrase, len, &keys);
    pc_passphrase_free(passphrase);
    if (rc < 0)
        return rc;
    rc = pc_volume_open(s->home, keys, s->config, "gateway", &s->volume);
    pc_keys_close(keys);
    return rc;
}

static int start_http(struct server_state *s)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = cores < 1 ? 1 : cores > 8 ? 8 : (unsigned)cores;
    struct httpd_options o = {
        .listen_fd = s->s3_fd,
        .cert = s->pem.cert,
        .key = s->pem.key,
        .threads = n,
        .connections = (unsigned)pc_config_num(s->config, PC_CONFIG_S3_CONNECTIONS),
        .timeout = (unsigned)pc_config_num(s->config, PC_CONFIG_S3_TIMEOUT),
        .app = &s3_app,
        .ctx = &s->gateway,
        .guard = s->gateway.guard,
    };
    int rc = workers_start(4 * n > WORKERS_MIN ? 4 * n : WORKERS_MIN, &s->pool);

    if (rc < 0)
        return rc;
    o.pool = s->gateway.pool = s->pool;
    rc = httpd_start(&o, &s->s3);
    if (rc < 0)
        return rc;
    s->s3_fd = -1;
    if (s->web_fd < 0)
        return 0;
    rc = workers_start(WEB_WORKERS, &s->web_pool);
    if (rc < 0)
        return rc;
    o.pool = s->web_pool; /* its own: it answers while the others wait for the volume */
    o.listen_fd = s->web_fd;
    o.admit_all = true; /* whoever watches must get in just then */
    o.cert = o.key = NULL;
    o.threads = 1;
    o.connections = WEB_CONNECTIONS;
    o.app = &web_app;
    rc = httpd_start(&o, &s->web);
    if (rc == 0)
        s->web_fd = -1;
    return rc;
}

/* Each gateway of a home has a lock and a state file of its own. */
static int take_name(struct server_state *s)
{
    const char *name = s->opts->name;

    if (name && (strlen(name) - 1 >= 32 ||
                 strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name)))
        return pc_err_set(PC_EUSAGE, "--name must be 1 to 32 of a-z, 0-9 and -");
    snprintf(s->name, sizeof s->name, name ? "gateway-%s" : "gateway%s", name ? name : "");
    snprintf(s->state, sizeof s->state, PC_HOME_RUN "/%s.json", s->name);
    return 0;
}

static int write_state(struct server_state *s)
{
    char text[512];
    int n =
        snprintf(text, sizeof text,
                 "{\"s3\":\"%s\",\"web\":\"%s\",\"pid\":%ld,\"state\":\"ok\",\"reason\":\"\"}\n",
                 s->s3_url, s->web_url, (long)getpid());

    return pc_home_write(s->home, s->state, text, (size_t)n);
}

static void remove_state(struct server_state *s)
{
    char path[4096];

    if (pc_home_path(s->home, s->state, path, sizeof path) == 0)
        unlink(path);
}

/* One line to systemd, if it asked for it. */
static void notify(const char *line)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    int fd;

    if (len < 2 || len >= sizeof sa.sun_path)
        return;
    memcpy(sa.sun_path, path, len);
    if (*path == '@')
        sa.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, line, strlen(line), MSG_NOSIGNAL, (struct sockaddr *)&sa,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
        pc_log(PC_LOG_WARN, "systemd", "cannot notify: %s", strerror(errno));
    close(fd);
}

/* What read_pem met, for new connections; the pair that was used before stays if it is no good. */
static int use_pem(struct server_state *s, int rc)
{
    if (rc == 0 && s->pem.cert)
        rc = httpd_reload(s->s3, s->pem.cert, s->pem.key);
    pem_wipe(&s->pem);
    if (rc < 0)
        pc_log(PC_LOG_ERROR, "reload", "the certificate stays as it was: %s", pc_err_text(rc));
    return rc;
}

/* The files have changed, without a signal. */
static void renew(struct server_state *s)
{
    char *cert = strdup(s->pem.cert_path), *key = strdup(s->pem.key_path);

    if (cert && key && use_pem(s, pem_read(&s->pem, cert, key)) == 0)
        pc_log(PC_LOG_INFO, "reload", "another certificate is used from now on: %s", cert);
    free(cert);
    free(key);
}

/* SIGHUP: what can change while serving: the log and the certificate. Nothing changes on failure. */
static void reload(struct server_state *s)
{
    struct pc_config *config, *old = s->config;
    int rc = pc_config_load(s->home, &config);

    if (rc < 0) {
        pc_log(PC_LOG_ERROR, "reload", "the configuration stays as it was: %s", pc_err_text(rc));
        return;
    }
    setup_log(config);
    guard_reload(s->gateway.guard, config);
    audit_reopen(s->gateway.audit);
    s->config = config;
    rc = read_pem(s);
    s->config = old; /* the volume goes on with its own */
    pc_trash_days(s->volume, pc_config_num(config, PC_CONFIG_TRASH_DAYS));
    pc_config_free(config);
    if (use_pem(s, rc) == 0)
        pc_log(PC_LOG_INFO, "reload", "configuration read again");
}

static void wait_signals(struct server_state *s, const sigset_t *set)
{
    const struct timespec look = {.tv_sec = LOOK_S};

    for (;;) {
        int sig = s->pem.cert_path ? sigtimedwait(set, NULL, &look) : sigwaitinfo(set, NULL);

        if (sig < 0 && pem_changed(&s->pem)) {
            renew(s);
        } else if (sig == SIGHUP) {
            notify("RELOADING=1\n");
            reload(s);
            notify("READY=1\n");
        } else if (sig > 0) {
            pc_log(PC_LOG_INFO, "stop", "signal %d: finishing", sig);
            return;
        }
    }
}

static void setup_process(sigset_t *set)
{
    struct rlimit files;

    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_DUMPABLE, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    mallopt(M_ARENA_MAX, 4);
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
}

/* By the configuration: "stderr", a name in the log folder of the home, or a path. */
static int open_audit(struct server_state *s)
{
    const char *name = pc_config_str(s->config, PC_CONFIG_GATEWAY_AUDIT);
    char path[4096], in_log[4096];
    int rc = 0;

    if (!*name)
        return 0;
    if (strchr(name, '/') && *name != '/')
        return pc_err_set(PC_EUSAGE, "gateway.audit must be stderr, a name or a whole path");
    if (*name == '/' || strcmp(name, "stderr") == 0) {
        snprintf(path, sizeof path, "%s", name);
    } else {
        if (snprintf(in_log, sizeof in_log, PC_HOME_LOG "/%s", name) >= (int)sizeof in_log)
            return -ENAMETOOLONG;
        rc = pc_home_path(s->home, in_log, path, sizeof path);
    }
    s->gateway.audit_refuses = pc_config_num(s->config, PC_CONFIG_GATEWAY_AUDIT_FULL) == 1;
    return rc < 0 ? rc : audit_open(path, s->gateway.metrics, &s->gateway.audit);
}

static int open_guard(struct server_state *s)
{
    int rc = metrics_new(&s->gateway.metrics);

    if (rc == 0)
        rc = guard_start(s->config, s->gateway.domain, s->gateway.metrics, &s->gateway.guard);
    return rc < 0 ? rc : open_audit(s);
}

static int open_all(struct server_state *s)
{
    const char *sigv2;
    char *path;
    int rc = pc_home_default(s->opts->home, &path);

    if (rc < 0)
        return rc;
    rc = pc_home_open(path, &s->home);
    free(path);
    if (rc == 0)
        rc = pc_config_load(s->home, &s->config);
    if (rc < 0)
        return rc;
    setup_log(s->config);
    rc = take_name(s);
    if (rc == 0)
        rc = pc_home_lock(s->home, s->name, &s->lock);
    if (rc == 0)
        rc = read_pem(s);
    if (rc == 0)
        rc = open_sockets(s);
    if (rc == 0)
        rc = open_volume(s);
    if (rc < 0)
        return rc;
    sigv2 = pc_config_str(s->config, PC_CONFIG_S3_SIGV2);
    s->gateway = (struct gateway){
        .sigv2 = strcmp(sigv2, "on") == 0    ? SIGV2_ON
                 : strcmp(sigv2, "off") == 0 ? SIGV2_OFF
                                             : SIGV2_URL,
        .kms_keys = pc_config_str(s->config, PC_CONFIG_S3_KMS_KEYS),
        .customer_http =
            (enum gateway_customer_http)pc_config_num(s->config, PC_CONFIG_S3_SSE_C_HTTP),
        .volume = s->volume,
        .region = pick(s, s->opts->region, PC_CONFIG_S3_REGION),
        .domain = pick(s, s->opts->domain, PC_CONFIG_S3_DOMAIN),
        .started = time(NULL),
        .web_buckets = pc_config_bool(s->config, PC_CONFIG_WEB_BUCKETS),
        .metrics_for = (enum gateway_metrics)pc_config_num(s->config, PC_CONFIG_WEB_METRICS),
        .metrics_path = pc_config_str(s->config, PC_CONFIG_WEB_METRICS_PATH),
    };
    rc = open_guard(s);
    if (rc == 0)
        rc = start_http(s);
    pem_wipe(&s->pem);
    if (rc == 0)
        rc = lifecycle_start(s->volume, s->home, (long)pc_config_num(s->config, PC_CONFIG_S3_DAY),
                             &s->lifecycle);
    return rc < 0 ? rc : write_state(s);
}

static int close_all(struct server_state *s)
{
    int rc = 0;

    lifecycle_stop(s->lifecycle);
    httpd_stop(s->web, 0);
    httpd_stop(s->s3, DRAIN_MS);
    workers_stop(s->web_pool);
    workers_stop(s->pool);
    if (s->volume)
        rc = pc_volume_close(s->volume);
    if (s->s3)
        remove_state(s);
    if (s->s3_fd >= 0)
        close(s->s3_fd);
    if (s->web_fd >= 0)
        close(s->web_fd);
    pem_free(&s->pem);
    guard_stop(s->gateway.guard);
    audit_close(s->gateway.audit);
    metrics_free(s->gateway.metrics);
    pc_config_free(s->config);
    if (s->lock >= 0)
        close(s->lock);
    pc_home_close(s->home);
    return rc;
}

int server_run(const struct opts *o)
{
    struct server_state s = {.opts = o, .lock = -1, .s3_fd = -1, .web_fd = -1};
    sigset_t set;
    char message[512];
    int rc, end;

    setup_process(&set);
    rc = open_all(&s);
    if (rc == 0) {
        pc_log(PC_LOG_INFO, "start", "pcloud %s: S3 at %s, web at %s, home %s", pc_version(),
               s.s3_url, *s.web_url ? s.web_url : "(off)", pc_home_dir(s.home));
        notify("READY=1\n");
        wait_signals(&s, &set);
        notify("STOPPING=1\n");
    }
    snprintf(message, sizeof message, "%s",
             rc < 0 ? pc_err_text(rc) : ""); /* closing may set another */
    end = close_all(&s);
    return rc < 0 ? pc_err_set(rc, "%s", message) : end;
}
