/* SPDX-License-Identifier: Apache-2.0 */
/* A list of open connections, looked through once a second. */
#include "guard/conn.h"

#include "pcloud/digest.h"
#include "watch/metrics.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#define TICK_MS 500
#define TCP_CLOSE_WAIT 8 /* of <netinet/tcp.h>, which does not go with <linux/tcp.h> */
#define STACK_BYTES (128u << 10)

struct conn {
    struct conn *next, **at;
    uint64_t address;
    int fd;
    bool cut;
    atomic_uint phase; /* enum conn_phase, and above it a number that is new each time */
    /* the thread's */
    unsigned seen;  /* phase, when it was last looked at */
    int64_t since;  /* ms: when that began */
    int64_t slow;   /* ms: waited for the client since then */
    uint64_t moved; /* bytes on the wire at the beginning */
};

struct conns {
    struct metrics *metrics;
    pthread_mutex_t lock; /* of list, limits, stopping */
    pthread_cond_t wake;
    struct conn *list;
    struct conns_limits limits;
    bool stopping;
    atomic_uint count;
    uint64_t seed;
    pthread_t thread;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Bytes that crossed the wire: received of a body, taken of a reply. False: not to be had. */
static bool moved(int fd, enum conn_phase phase, uint64_t *ret)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
        len < offsetof(struct tcp_info, tcpi_segs_out))
        return false;
    *ret = phase == CONN_BODY ? info.tcpi_bytes_received : info.tcpi_bytes_acked;
    return true;
}

/* Is it the client who must move? Not while we leave bytes unread, nor when all that was sent has been taken. */
static bool waits_for_client(int fd, enum conn_phase phase)
{
    int n = 0;

    if (ioctl(fd, phase == CONN_BODY ? SIOCINQ : SIOCOUTQ, &n) < 0)
        return false;
    return phase == CONN_BODY ? n == 0 : n > 0;
}

/* Has the client closed its side, and all it sent been read? Then a request that is not whole never will be. */
static bool is_half_closed(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    int n = 0;

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && len > 0 &&
           info.tcpi_state == TCP_CLOSE_WAIT && ioctl(fd, SIOCINQ, &n) == 0 && n == 0;
}

/* So many bytes in so much time of waiting are too few. */
static bool is_slow(struct conns *s, struct conn *c, enum conn_phase phase, int64_t passed)
{
    uint64_t n;

    if (s->limits.rate == 0 || s->limits.head_s == 0 || !waits_for_client(c->fd, phase))
        return false;
    c->slow += passed;
    if (c->slow < (int64_t)s->limits.head_s * 1000 || !moved(c->fd, phase, &n))
        return false;
    if (n - c->moved < s->limits.rate * (uint64_t)c->slow / 1000)
        return true;
    c->slow = 0;
    c->moved = n;
    return false;
}

static void look(struct conns *s, struct conn *c, int64_t now, int64_t passed)
{
    unsigned phase = atomic_load(&c->phase);
    const enum conn_phase kind = (enum conn_phase)(phase & 7);
    int64_t allowed = (int64_t)s->limits.head_s * 1000;
    bool slow = false;

    if (phase != c->seen) {
        c->seen = phase;
        c->since = now;
        c->slow = 0;
        if ((kind == CONN_BODY || kind == CONN_REPLY) && !moved(c->fd, kind, &c->moved))
            c->moved = 0;
        return;
    }
    if (kind == CONN_IDLE &&
        phase >> 3 != 0) /* not its first request: that may be long in coming */
        allowed += (int64_t)s->limits.idle_s * 1000;
    if (kind == CONN_IDLE || kind == CONN_HEAD)
        slow = s->limits.head_s > 0 && now - c->since > allowed;
    else if (kind != CONN_WORK)
        slow = is_slow(s, c, kind, passed);
    if ((kind == CONN_HEAD || kind == CONN_BODY) && is_half_closed(c->fd))
        slow = true;
    if (!slow)
        return;
    c->cut = true;
    metrics_count(s->metrics, kind == CONN_BODY    ? METRICS_CUT_BODY
                              : kind == CONN_REPLY ? METRICS_CUT_REPLY
                                                   : METRICS_CUT_HEAD);
    shutdown(c->fd, SHUT_RDWR); /* whoever polls it sees the end */
}

static void *watch(void *arg)
{
    struct conns *s = arg;
    int64_t last = now_ms();

    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        struct timespec until;
        int64_t now;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += TICK_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_nsec -= 1000000000L;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&s->wake, &s->lock, &until);
        now = now_ms();
        for (struct conn *c = s->list; c; c = c->next)
            if (!c->cut)
                look(s, c, now, now - last);
        last = now;
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static int spawn(struct conns *s)
{
    pthread_attr_t attr;
    sigset_t all, old;
    int rc;

    if (pthread_attr_init(&attr) != 0)
        return -ENOMEM;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = -pthread_create(&s->thread, &attr, watch, s);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return rc;
}

int conns_start(struct metrics *m, struct conns **ret)
{
    struct conns *s = calloc(1, sizeof *s);
    pthread_condattr_t attr;
    int rc;

    if (!s)
        return -ENOMEM;
    s->metrics = m;
    pc_random(&s->seed, sizeof s->seed);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
    rc = spawn(s);
    if (rc < 0) {
        pthread_cond_destroy(&s->wake);
        pthread_mutex_destroy(&s->lock);
        free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

void conns_set(struct conns *s, const struct conns_limits *limits)
{
    pthread_mutex_lock(&s->lock);
    s->limits = *limits;
    pthread_mutex_unlock(&s->lock);
}

void conns_stop(struct conns *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t conns_address(const struct conns *s, const struct sockaddr *sa)
{
    uint64_t x = 1;

    if (sa->sa_family == AF_INET) {
        uint32_t v4;

        memcpy(&v4, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, sizeof v4);
        x = v4;
    } else if (sa->sa_family == AF_INET6) {
        const unsigned char *v6 =
            ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr;
        static const unsigned char mapped[12] = {[10] = 0xff, 0xff};
        uint32_t v4;

        memcpy(&x, v6, sizeof x); /* who has one address has the other 2^64 too */
        if (memcmp(v6, mapped, sizeof mapped) == 0) {
            memcpy(&v4, v6 + 12, sizeof v4);
            x = v4;
        }
    }
    x = mix(x ^ s->seed);
    return x ? x : 1;
}

bool conns_admit(struct conns *s, uint64_t address)
{
    unsigned n = 0, most;

    pthread_mutex_lock(&s->lock);
    most = s->limits.per_address;
    for (const struct conn *c = s->list; most && c; c = c->next)
        n += c->address == address && !c->cut;
    pthread_mutex_unlock(&s->lock);
    if (most == 0 || n < most)
        return true;
    metrics_count(s->metrics, METRICS_CONN_REFUSED);
    return false;
}

int conns_begin(struct conns *s, int fd, uint64_t address, struct conn **ret)
{
    struct conn *c = calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    c->address = address;
    c->fd = fd;
    c->since = now_ms();
    pthread_mutex_lock(&s->lock);
    c->next = s->list;
    c->at = &s->list;
    if (c->next)
        c->next->at = &c->next;
    s->list = c;
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_add(&s->count, 1);
    *ret = c;
    return 0;
}

void conns_end(struct conns *s, struct conn *c)
{
    pthread_mutex_lock(&s->lock);
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_sub(&s->count, 1);
    free(c);
}

unsigned conns_count(const struct conns *s)
{
    return atomic_load(&s->count);
}

void conn_phase(struct conn *c, enum conn_phase phase)
{
    unsigned old;

    if (!c)
        return;
    old = atomic_load_explicit(&c->phase, memory_order_relaxed);
    atomic_store_explicit(&c->phase, ((old | 7) + 1) | (unsigned)phase, memory_order_relaxed);
}

uint64_t conn_address(const struct conn *c)
{
    return c ? c->address : 0;
}
