/* SPDX-License-Identifier: Apache-2.0 */
/* Load on an S3 endpoint: signed PUTs, GETs, HEADs, DELETEs or listings over kept-alive connections, and how many a second were answered. */
#include "pcloud/digest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 8192
#define STAMP_STEP 65536 /* longer bodies differ from request to request: a number that often */

static const char *access_key, *secret_key, *method, *target;
static int port;
static size_t size;
static long count, spread;
static char (*payload_hashes)[65]; /* of each request; one for all short ones */
static unsigned char *content;
static atomic_long next, failed;

struct signer {
    char day[9], stamp[17];
    unsigned char key[32];
};

static void hmac(const unsigned char *key, size_t len, const char *text, unsigned char out[32])
{
    unsigned char copy[128];

    memcpy(copy, key, len);
    pc_hmac_sha256(copy, len, text, strlen(text), out);
}

static void signer_init(struct signer *s)
{
    time_t t = time(NULL);
    struct tm tm;
    char first[128];
    int n = snprintf(first, sizeof first, "AWS4%s", secret_key);

    gmtime_r(&t, &tm);
    strftime(s->day, sizeof s->day, "%Y%m%d", &tm);
    strftime(s->stamp, sizeof s->stamp, "%Y%m%dT%H%M%SZ", &tm);
    hmac((unsigned char *)first, (size_t)n, s->day, s->key);
    hmac(s->key, 32, "us-east-1", s->key);
    hmac(s->key, 32, "s3", s->key);
    hmac(s->key, 32, "aws4_request", s->key);
}

/* A store that keeps equal content once would otherwise take only the first long one. */
static void stamp(unsigned char *p, long i)
{
    for (size_t at = 0; at + sizeof i <= size; at += STAMP_STEP)
        memcpy(p + at, &i, sizeof i);
}

static bool stamped(void)
{
    return size > STAMP_STEP;
}

static bool hash_all(void)
{
    long n = stamped() ? count : 1;
    unsigned char raw[32];

    payload_hashes = calloc((size_t)n, sizeof *payload_hashes);
    if (!payload_hashes)
        return false;
    for (long i = 0; i < n; i++) {
        if (stamped())
            stamp(content, i);
        pc_digest_once(PC_SHA256, content, size, raw);
        pc_hex(raw, 32, payload_hashes[i]);
    }
    return true;
}

/* The head of request ${i}; its length. */
static int make_head(const struct signer *s, const char *verb, const char *path, size_t body,
                     long i, char out[HEAD_MAX])
{
    char canonical[2048], text[512], hash[65];
    const char *query = strchr(path, '?');
    int path_len = (int)(query ? query - path : (ptrdiff_t)strlen(path));
    const char *hashed = body ? payload_hashes[stamped() ? i : 0]
                              : "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    unsigned char raw[32];

    snprintf(canonical, sizeof canonical,
             "%s\n%.*s\n%s\nhost:127.0.0.1:%d\nx-amz-content-sha256:%s\nx-amz-date:%s\n\n"
             "host;x-amz-content-sha256;x-amz-date\n%s",
             verb, path_len, path, query ? query + 1 : "", port, hashed, s->stamp, hashed);
    pc_digest_once(PC_SHA256, canonical, strlen(canonical), raw);
    pc_hex(raw, 32, hash);
    snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%s\n%s/us-east-1/s3/aws4_request\n%s", s->stamp,
             s->day, hash);
    pc_hmac_sha256(s->key, 32, text, strlen(text), raw);
    pc_hex(raw, 32, hash);
    return snprintf(
        out, HEAD_MAX,
        "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nx-amz-content-sha256: %s\r\nx-amz-date: %s\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=%s\r\nContent-Length: "
        "%zu\r\n\r\n",
        verb, path, port, hashed, s->stamp, access_key, s->day, hash, body);
}

static bool send_all(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* A whole reply, without a body to a HEAD; its status, 0 if there was none. */
static int read_reply(int fd, char *buf, size_t cap, bool head)
{
    size_t have = 0, length = 0, left;
    char *end = NULL, *field;
    int status;

    while (!end && have < cap - 1) {
        ssize_t n = recv(fd, buf + have, cap - 1 - have, 0);

        if (n <= 0)
            return 0;
        have += (size_t)n;
        buf[have] = '\0';
        end = strstr(buf, "\r\n\r\n");
    }
    if (!end || sscanf(buf, "HTTP/1.1 %d", &status) != 1)
        return 0;
    field = strcasestr(buf, "\ncontent-length:");
    if (field && field < end && !head)
        length = strtoull(field + 16, NULL, 10);
    have -= (size_t)(end + 4 - buf);
    left = length > have ? length - have : 0;
    while (left > 0) {
        ssize_t n = recv(fd, buf, left < cap ? left : cap, 0);

        if (n <= 0)
            return 0;
        left -= (size_t)n;
    }
    return status;
}

static int dial(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof sa) < 0) {
        perror("connect");
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void *run(void *arg)
{
    size_t cap = 1u << 20, body = strcmp(method, "PUT") == 0 ? size : 0;
    char head[HEAD_MAX], path[64], *buf = malloc(cap);
    unsigned char *message = malloc(HEAD_MAX + 65536), *mine = malloc(size + 1);
    struct signer signer;
    int fd = dial();
    long i;

    (void)arg;
    if (!buf || !message || !mine)
        exit(1);
    memcpy(mine, content, size);
    signer_init(&signer);
    while ((i = atomic_fetch_add(&next, 1)) < count) {
        int n, status;
        bool sent;

        snprintf(path, sizeof path, "/bench/%zu/k%06ld", size, i % spread);
        n = make_head(&signer, target ? "GET" : method, target ? target : path, body, i, head);
        if (body > 65536)
            stamp(mine, i);
        if (body <= 65536) { /* head and body in one write, as clients with small bodies do */
            memcpy(message, head, (size_t)n);
            memcpy(message + n, content, body);
            sent = send_all(fd, message, (size_t)n + body);
        } else {
            sent = send_all(fd, head, (size_t)n) && send_all(fd, mine, body);
        }
        status = sent ? read_reply(fd, buf, cap, strcmp(method, "HEAD") == 0) : 0;
        if (status != 200 && status != 204) {
            if (atomic_fetch_add(&failed, 1) == 0)
                fprintf(stderr, "%s %s: %d\n", method, target ? target : path, status);
            close(fd);
            fd = dial();
        }
    }
    close(fd);
    free(buf);
    free(message);
    free(mine);
    return NULL;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_bucket(void)
{
    char head[HEAD_MAX], buf[HEAD_MAX];
    struct signer signer;
    int fd = dial(), n;

    signer_init(&signer);
    n = make_head(&signer, "PUT", "/bench", 0, 0, head);
    if (send_all(fd, head, (size_t)n))
        read_reply(fd, buf, sizeof buf, false);
    close(fd);
}

/* Prints requests a second, MB a second, failures. The query of a listing is sorted and escaped already. */
int main(int argc, char **argv)
{
    pthread_t threads[256];
    long connections;
    double begun, took;

    if (argc < 8) {
        fprintf(
            stderr,
            "usage: s3load PORT ACCESS SECRET PUT|GET|HEAD|DELETE SIZE COUNT CONNECTIONS [KEYS]\n"
            "       s3load PORT ACCESS SECRET LIST 0 COUNT CONNECTIONS /BUCKET?QUERY\n");
        return 2;
    }
    port = (int)strtol(argv[1], NULL, 10);
    access_key = argv[2];
    secret_key = argv[3];
    method = argv[4];
    size = strtoull(argv[5], NULL, 10);
    count = strtol(argv[6], NULL, 10);
    connections = strtol(argv[7], NULL, 10);
    target = argc > 8 && strcmp(method, "LIST") == 0 ? argv[8] : NULL;
    spread = argc > 8 && !target ? strtol(argv[8], NULL, 10) : count;
    if (connections < 1 || connections > 256 || !(content = malloc(size + 1)))
        return 2;
    pc_random(content, size);
    if (strcmp(method, "PUT") == 0 && !hash_all())
        return 1;
    if (!target)
        make_bucket();
    begun = now();
    for (long i = 0; i < connections; i++)
        if (pthread_create(&threads[i], NULL, run, NULL) != 0)
            return 1;
    for (long i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);
    took = now() - begun;
    printf("%.0f %.1f %ld\n", (double)count / took, (double)count * (double)size / took / 1e6,
           atomic_load(&failed));
    free(payload_hashes);
    free(content);
    return 0;
}
