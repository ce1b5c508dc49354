/* SPDX-License-Identifier: Apache-2.0 */
/* A bare libmicrohttpd server with the gateway's settings: reads what is PUT, answers a GET of /bench/SIZE/… with that many bytes. The ceiling. */
#include <microhttpd.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char block[262144];

static ssize_t give(void *arg, uint64_t pos, char *out, size_t max)
{
    size_t n = max < sizeof block ? max : sizeof block;

    (void)arg;
    (void)pos;
    memcpy(out, block, n);
    return (ssize_t)n;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **context)
{
    unsigned long long size = 0;
    struct MHD_Response *r;
    enum MHD_Result rc;

    (void)arg;
    (void)version;
    (void)data;
    if (!*context) {
        *context = c;
        return MHD_YES;
    }
    if (*len) {
        *len = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") == 0 && strncmp(url, "/bench/", 7) == 0)
        size = strtoull(url + 7, NULL, 10);
    r = size <= sizeof block
            ? MHD_create_response_from_buffer((size_t)size, block, MHD_RESPMEM_PERSISTENT)
            : MHD_create_response_from_callback(size, sizeof block, give, NULL, NULL);
    if (!r)
        return MHD_NO;
    rc = MHD_queue_response(c, MHD_HTTP_OK, r);
    MHD_destroy_response(r);
    return rc;
}

/* s3bare PORT: until a signal. */
int main(int argc, char **argv)
{
    struct MHD_Daemon *d;
    sigset_t set;
    int sig;

    if (argc != 2)
        return 2;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO,
                         (uint16_t)strtoul(argv[1], NULL, 10), NULL, NULL, on_request, NULL,
                         MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_CONNECTION_LIMIT, 1024u,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)65536, MHD_OPTION_END);
    if (!d)
        return 1;
    sigwait(&set, &sig);
    MHD_stop_daemon(d);
    return 0;
}
