/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets by "ADDR:PORT". */
#include "listen.h"

#include "pcloud/err.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

static int split(const char *spec, char host[256], char port[8])
{
    const char *colon = strrchr(spec, ':');
    size_t len = colon ? (size_t)(colon - spec) : 0;
    bool bracket = len >= 2 && spec[0] == '[' && spec[len - 1] == ']';

    if (!colon || len >= 256 || strlen(colon + 1) > 5 || strlen(colon + 1) == 0 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strtol(colon + 1, NULL, 10) > 65535 || (!bracket && memchr(spec, ':', len)))
        return pc_err_set(
            PC_EUSAGE, "'%s' is no address; it must look like 127.0.0.1:9800, [::1]:9800 or :9800",
            spec);
    snprintf(host, 256, "%.*s", (int)(bracket ? len - 2 : len), bracket ? spec + 1 : spec);
    snprintf(port, 8, "%s", colon + 1);
    return 0;
}

static int open_one(const struct addrinfo *a, int *ret_fd)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol),
        one = 1, rc;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* accepted sockets inherit it */
    if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        rc = -errno;
        close(fd);
        return rc;
    }
    *ret_fd = fd;
    return 0;
}

int listen_open(const char *spec, int *ret_fd)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM},
                    *list;
    char host[256], port[8];
    int rc = split(spec, host, port), err;

    if (rc < 0)
        return rc;
    err = getaddrinfo(*host ? host : NULL, port, &hints, &list);
    if (err)
        return pc_err_set(PC_EUSAGE, "address '%s': %s", spec, gai_strerror(err));
    rc = -EADDRNOTAVAIL;
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        rc = open_one(a, ret_fd);
        if (rc == 0)
            break;
    }
    freeaddrinfo(list);
    if (rc == -EADDRINUSE)
        return pc_err_set(
            rc, "%s is taken by another program; choose another port, or 0 for a free one", spec);
    if (rc < 0)
        return pc_err_set(rc, "cannot listen on %s: %s", spec, strerror(-rc));
    return 0;
}

int listen_url(int fd, const char *scheme, char out[LISTEN_URL_MAX])
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    char host[INET6_ADDRSTRLEN + 1], port[8];

    if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
        return -errno;
    if (getnameinfo((struct sockaddr *)&sa, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return -EIO;
    if (strcmp(host, "0.0.0.0") == 0)
        snprintf(host, sizeof host, "127.0.0.1");
    if (strcmp(host, "::") == 0)
        snprintf(host, sizeof host, "::1");
    snprintf(out, LISTEN_URL_MAX, strchr(host, ':') ? "%s://[%s]:%s" : "%s://%s:%s", scheme, host,
             port);
    return 0;
}
