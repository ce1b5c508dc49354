/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: daemons, connections and the life of an exchange. */
#include "httpd_priv.h"

#include "pcloud/err.h"
#include "pcloud/log.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROTOCOLS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" /* of GnuTLS */

struct exchange *exchange_of(struct worker_job *job)
{
    return (struct exchange *)((char *)job - offsetof(struct exchange, job));
}

/* One less of ${count}; who waits for none is woken. The server may be gone afterwards. */
static void count_down(struct httpd *h, atomic_uint *count, bool tell)
{
    if (!tell && !atomic_load(&h->draining)) {
        atomic_fetch_sub(count, 1);
        return;
    }
    pthread_mutex_lock(&h->lock);
    atomic_fetch_sub(count, 1);
    pthread_cond_broadcast(&h->idle);
    pthread_mutex_unlock(&h->lock);
}

void server_enter(struct server *s)
{
    atomic_fetch_add(&s->busy, 1);
}

void server_leave(struct server *s)
{
    count_down(s->httpd, &s->busy, atomic_load(&s->stopping));
}

void exchange_unref(struct exchange *x)
{
    struct server *s = x->server;

    if (atomic_fetch_sub(&x->refs, 1) != 1)
        return;
    if (x->started)
        s->httpd->options.app->end(&x->req, x->sent, x->replied);
    req_fini(&x->req);
    ring_free(&x->ring);
    free(x);
    count_down(s->httpd, &s->active, false);
}

void exchange_run(struct exchange *x, void (*fn)(struct worker_job *job), enum exchange_wait wait)
{
    x->job.fn = fn;
    atomic_fetch_add(&x->refs, 1);
    server_enter(x->server);
    if (wait == EXCHANGE_WAIT)
        MHD_suspend_connection(x->connection);
    atomic_store(&x->job_state, wait == EXCHANGE_WAIT ? JOB_AWAITED : JOB_RUNNING);
    workers_submit(x->server->httpd->options.pool, &x->job);
}

void exchange_done(struct exchange *x)
{
    struct server *s = x->server;

    if (atomic_exchange(&x->job_state, JOB_IDLE) == JOB_AWAITED)
        MHD_resume_connection(x->connection);
    exchange_unref(x);
    server_leave(s);
}

void exchange_await(struct exchange *x)
{
    int running = JOB_RUNNING;

    MHD_suspend_connection(x->connection);
    if (!atomic_compare_exchange_strong(&x->job_state, &running, JOB_AWAITED))
        MHD_resume_connection(x->connection);
}

void exchange_wake(struct exchange *x)
{
    int awaited = JOB_AWAITED;

    if (atomic_compare_exchange_strong(&x->job_state, &awaited, JOB_RUNNING))
        MHD_resume_connection(x->connection);
}

static struct conn *conn_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* The target as it came: libmicrohttpd changes it in place right afterwards. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *c)
{
    struct server *s = arg;
    size_t len = strlen(target);
    struct exchange *x = calloc(1, sizeof *x + len + 1);

    if (!x)
        return NULL;
    req_init(&x->req);
    memcpy(x->target, target, len + 1);
    x->req.target = x->target;
    x->connection = c;
    x->server = s;
    x->conn = conn_of(c);
    conn_phase(x->conn, CONN_HEAD);
    atomic_init(&x->refs, 1);
    atomic_fetch_add(&s->active, 1);
    return x;
}

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct req *r = arg;
    size_t len = value ? strlen(value) : 0;

    (void)kind;
    if (r->header_count == REQ_HEADERS_MAX) {
        r->header_count++; /* too many: seen by check_framing */
        return MHD_NO;
    }
    if (r->header_count > REQ_HEADERS_MAX)
        return MHD_NO;
    if (strcasecmp(name, "Transfer-Encoding") == 0) /* as it came: so the library understands it */
        len = 0;
    if (len && (value[len - 1] == ' ' || value[len - 1] == '\t')) {
        while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
            len--;
        value = req_dup(r, value, len);
    }
    r->headers[r->header_count++] = (struct header){name, value ? value : ""};
    return MHD_YES;
}

static size_t count_header(const struct req *r, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < r->header_count; i++)
        n += strcasecmp(r->headers[i].name, name) == 0;
    return n;
}

static bool is_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (*p <= ' ' || *p >= 127 || strchr("\"(),/:;<=>?@[\\]{}", *p))
            return false;
    return *name != '\0';
}

/* What two parsers could read in two ways is refused; NULL if the framing is plain. */
static const char *check_framing(struct req *r, unsigned *status, const char *version)
{
    const char *te = req_header(r, "Transfer-Encoding"), *length = req_header(r, "Content-Length");
    bool old = strcmp(version, "HTTP/1.1") != 0;

    *status = 400;
    for (size_t i = 0; i < r->header_count; i++)
        if (!is_name(r->headers[i].name) || strchr(r->headers[i].value, '\r'))
            return "A header holds an illegal character.";
    if (count_header(r, "Content-Length") > 1 || count_header(r, "Transfer-Encoding") > 1 ||
        count_header(r, "Host") > 1)
        return "A header that frames the request is there twice.";
    if (te && length)
        return "Transfer-Encoding and Content-Length exclude each other.";
    if (te && old)
        return "HTTP/1.0 has no Transfer-Encoding.";
    if (!old && !req_header(r, "Host"))
        return "The Host header is missing.";
    if (te && strcasecmp(te, "chunked") != 0) {
        *status = 501;
        return "This Transfer-Encoding is not supported.";
    }
    r->chunked = te != NULL;
    if (length)
        r->length = strtoull(length, NULL, 10);
    te = req_header(r, "Expect");
    r->expect = te && strcasecmp(te, "100-continue") == 0 && !old;
    return NULL;
}

#if MHD_VERSION < 0x00097701 /* from there on MHD_OPTION_CLIENT_DISCIPLINE_LVL does it */
struct layout {
    const char *end; /* of what came before */
    bool odd;
};

static enum MHD_Result on_place(void *arg, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    struct layout *l = arg;

    (void)kind;
    l->odd = l->odd || name != l->end + 2;
    l->end = (value ? value : name) + strlen(value ? value : name);
    return l->odd ? MHD_NO : MHD_YES;
}

/*
 * The library takes lines that end in LF or CR alone, folded ones, and NUL. It leaves a head where it lay and ends each piece by NUL in place of CR LF: so
 * from the end of one to the beginning of the next it is two bytes, or something else was there.
 */
static bool is_plain(struct MHD_Connection *c, const char *version)
{
    struct layout l = {.end = version + strlen(version)};

    MHD_get_connection_values(c, MHD_HEADER_KIND, on_place, &l);
    for (unsigned i = 1; i < 4 && !l.odd; i++) /* the empty line as well */
        l.odd = l.end[i] != '\0';
    return !l.odd;
}
#else
static bool is_plain(struct MHD_Connection *c, const char *version)
{
    (void)c;
    (void)version;
    return true;
}
#endif

static const char *tls_version(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_PROTOCOL);

    switch (info ? info->protocol : 0) { /* of GnuTLS, which is not linked for this */
    case 0:
        return NULL;
    case 4:
        return "TLSv1.2";
    case 5:
        return "TLSv1.3";
    default:
        return "other";
    }
}

static void read_peer(struct req *r, struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char host[48] = "?", port[8] = "0";

    if (info && info->client_addr)
        getnameinfo(info->client_addr,
                    info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                             : sizeof(struct sockaddr_in),
                    host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(r->peer, sizeof r->peer, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    r->tls = tls_version(c);
}

static enum MHD_Result on_head(struct exchange *x, const char *method, const char *version)
{
    struct req *r = &x->req;
    const char *wrong;
    unsigned status;

    snprintf(x->method, sizeof x->method, "%s", method); /* the library forgets it before the end */
    r->method = x->method;
    r->head = strcmp(method, "HEAD") == 0;
    r->scheme = x->server->scheme;
    read_peer(r, x->connection);
    r->address = conn_address(x->conn);
    conn_phase(x->conn, CONN_WORK);
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, on_header, r);
    if (r->header_count > REQ_HEADERS_MAX) {
        r->header_count = REQ_HEADERS_MAX;
        return reply_refuse(x, 431, "There are too many headers.");
    }
    wrong = check_framing(r, &status, version);
    if (!wrong && !is_plain(x->connection, version))
        wrong = "A line of the request's head does not end as it must.";
    if (wrong)
        return reply_refuse(x, status, wrong);
    if (!guard_host(x->server->httpd->options.guard, req_header(r, "Host")))
        return reply_refuse(x, 421, "This server does not answer for that host.");
    if (uri_split(x->target, &r->uri) < 0)
        return reply_refuse(x, 400, "The request target is not usable.");
    return body_begin(x);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **context)
{
    struct server *s = arg;
    struct exchange *x = *context;
    enum MHD_Result rc;

    (void)c;
    (void)url;
    server_enter(s);
    if (!x || atomic_load(&s->stopping))
        rc = MHD_NO;
    else if (x->phase == PHASE_HEAD)
        rc = on_head(x, method, version);
    else if (*size > 0)
        rc = body_data(x, data, size);
    else
        rc = body_end(x);
    server_leave(s);
    return rc;
}

static void on_completed(void *arg, struct MHD_Connection *c, void **context,
                         enum MHD_RequestTerminationCode why)
{
    struct server *s = arg;
    struct exchange *x = *context;

    (void)c;
    if (!x)
        return;
    *context = NULL;
    conn_phase(x->conn, CONN_IDLE);
    x->sent = why == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    atomic_fetch_add(&s->httpd->requests, 1);
    exchange_unref(x);
}

static enum MHD_Result on_accept(void *arg, const struct sockaddr *sa, socklen_t len)
{
    const struct server *s = arg;
    struct conns *conns = guard_conns(s->httpd->options.guard);

    (void)len;
    return !conns || s->httpd->options.admit_all || conns_admit(conns, conns_address(conns, sa))
               ? MHD_YES
               : MHD_NO;
}

static void on_connection(void *arg, struct MHD_Connection *c, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    const struct server *s = arg;
    struct conns *conns = guard_conns(s->httpd->options.guard);
    const union MHD_ConnectionInfo *fd, *sa;
    struct conn *conn;

    if (!conns)
        return;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context)
            conns_end(conns, *context);
        *context = NULL;
        return;
    }
    fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    sa = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (fd && sa && sa->client_addr &&
        conns_begin(conns, fd->connect_fd, conns_address(conns, sa->client_addr), &conn) == 0)
        *context = conn;
}

static size_t keep_escaped(void *arg, struct MHD_Connection *c, char *text)
{
    (void)arg;
    (void)c;
    return strlen(text);
}

static void on_log(void *arg, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static void on_log(void *arg, const char *fmt, va_list ap)
{
    char line[512];

    (void)arg;
    if (!pc_log_on(PC_LOG_DEBUG))
        return;
    vsnprintf(line, sizeof line, fmt, ap);
    line[strcspn(line, "\n")] = '\0';
    pc_log(PC_LOG_DEBUG, "http.library", "%s", line);
}

static struct MHD_Daemon *start_daemon(struct server *s, int fd, const char *cert, const char *key)
{
    const struct httpd_options *o = &s->httpd->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     MHD_USE_TURBO | (cert ? (unsigned)MHD_USE_TLS : 0);
    struct MHD_OptionItem strict[] = {
#if MHD_VERSION >= 0x00097701
        {MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, NULL},
#else
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
#endif
        {MHD_OPTION_END, 0, NULL}
    };
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)cert},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
                                   {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PROTOCOLS},
                                   {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

    return MHD_start_daemon(
        flags, 0, on_accept, s, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, on_target, s,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        s, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_THREAD_POOL_SIZE, o->threads,
        MHD_OPTION_CONNECTION_LIMIT, o->connections, MHD_OPTION_CONNECTION_TIMEOUT, o->timeout,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)16384, MHD_OPTION_ARRAY, cert ? tls : none,
        MHD_OPTION_ARRAY, strict, MHD_OPTION_END);
}

/* Another daemon on the socket, the newest of the list. */
static int add_server(struct httpd *h, int fd, const char *cert, const char *key)
{
    struct server *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->httpd = h;
    s->fd = fd;
    s->scheme = cert ? REQ_HTTPS : REQ_HTTP;
    s->daemon = start_daemon(s, fd, cert, key);
    if (!s->daemon) {
        free(s);
        return cert ? pc_err_set(PC_EFORMAT, "the certificate and key do not make a TLS server; "
                                             "check that both are PEM and belong together")
                    : pc_err_set(-EIO, "the HTTP server does not start");
    }
    s->next = h->servers;
    h->servers = s;
    return 0;
}

int httpd_start(const struct httpd_options *o, struct httpd **ret)
{
    struct httpd *h = calloc(1, sizeof *h);
    pthread_condattr_t attr;
    int rc;

    if (!h)
        return -ENOMEM;
    h->options = *o;
    h->options.cert = h->options.key = NULL; /* borrowed for the start only */
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->idle, &attr);
    pthread_condattr_destroy(&attr);
    rc = add_server(h, o->listen_fd, o->cert, o->key);
    if (rc < 0) {
        pthread_cond_destroy(&h->idle);
        pthread_mutex_destroy(&h->lock);
        free(h);
        return rc;
    }
    *ret = h;
    return 0;
}

static struct timespec in_ms(unsigned ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/*
 * Wait until *count is 0; false if the deadline came first (NULL: none). Who counts down without knowing yet that
 * somebody waits does not signal, so the wait looks again by itself as well.
 */
static bool wait_none(struct httpd *h, const atomic_uint *count, const struct timespec *until)
{
    bool late = false;

    pthread_mutex_lock(&h->lock);
    while (atomic_load(count) > 0 && !late) {
        struct timespec look = in_ms(50);

        late = until && (look.tv_sec > until->tv_sec ||
                         (look.tv_sec == until->tv_sec && look.tv_nsec > until->tv_nsec));
        pthread_cond_timedwait(&h->idle, &h->lock, &look);
    }
    pthread_mutex_unlock(&h->lock);
    return atomic_load(count) == 0;
}

static void stop_server(struct server *s)
{
    atomic_store(&s->stopping, true);
    /* when no callback and no job runs, none of its connections is suspended */
    wait_none(s->httpd, &s->busy, NULL);
    MHD_stop_daemon(s->daemon);
    free(s);
}

int httpd_reload(struct httpd *h, const char *cert, const char *key)
{
    struct server *old = h->servers;
    int fd = dup(old->fd), rc;

    if (fd < 0)
        return -errno;
    rc = add_server(h, fd, cert, key);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    MHD_quiesce_daemon(old->daemon);
    close(old->fd);
    old->fd = -1;
    /* servers that were replaced earlier and have nothing left to do */
    for (struct server **at = &h->servers->next->next; *at;) {
        struct server *s = *at;

        if (atomic_load(&s->active) > 0) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        stop_server(s);
    }
    return 0;
}

void httpd_stop(struct httpd *h, unsigned wait_ms)
{
    struct timespec until;

    if (!h)
        return;
    until = in_ms(wait_ms);
    atomic_store(&h->draining, true);
    MHD_quiesce_daemon(h->servers->daemon);
    close(h->servers->fd);
    for (struct server *s = h->servers; s; s = s->next)
        if (!wait_none(h, &s->active, &until))
            pc_log(PC_LOG_WARN, "http.stop", "%u requests are cut", atomic_load(&s->active));
    while (h->servers) {
        struct server *s = h->servers;

        h->servers = s->next;
        stop_server(s);
    }
    pthread_cond_destroy(&h->idle);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

unsigned long httpd_requests(const struct httpd *h)
{
    return atomic_load(&h->requests);
}
