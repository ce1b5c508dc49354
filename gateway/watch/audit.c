/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of the audit log: takes what was queued in one piece, writes it, cuts a torn line off again. */
#include "watch/audit.h"

#include "pcloud/err.h"
#include "pcloud/log.h"
#include "watch/metrics.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUEUE_BYTES (1u << 20) /* that wait; as many are being written */

struct audit {
    struct metrics *metrics;
    pthread_mutex_t lock; /* of queue, used, flags */
    pthread_cond_t wake;
    char *queue, *spare;
    size_t used;
    bool stopping, reopen;
    atomic_bool failing;
    int fd; /* the thread's */
    bool regular;
    pthread_t thread;
    char path[];
};

static int open_file(const char *path, int *ret_fd, bool *ret_regular)
{
    struct stat st;
    int fd = strcmp(path, "stderr") == 0
                 ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
                 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return pc_err_set(-errno, "cannot open the audit log %s: %s", path, strerror(errno));
    *ret_fd = fd;
    *ret_regular = strcmp(path, "stderr") != 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    return 0;
}

static size_t lines(const char *text, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += text[i] == '\n';
    return n;
}

static int write_all(int fd, const char *text, size_t len, size_t *ret_done)
{
    *ret_done = 0;
    while (*ret_done < len) {
        ssize_t n = write(fd, text + *ret_done, len - *ret_done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        *ret_done += (size_t)n;
    }
    return 0;
}

/* After a write that failed: whole lines stay, half of one goes. Their bytes. */
static size_t keep_whole(const struct audit *a, const char *text, size_t done)
{
    size_t whole = done;
    off_t end;

    while (whole > 0 && text[whole - 1] != '\n')
        whole--;
    end = a->regular && whole < done ? lseek(a->fd, 0, SEEK_END) : -1;
    if (end >= 0 && ftruncate(a->fd, end - (off_t)(done - whole)) < 0)
        pc_log(PC_LOG_WARN, "audit", "half a line stays in %s: %s", a->path, strerror(errno));
    return whole;
}

static void write_out(struct audit *a, const char *text, size_t len)
{
    size_t done, lost;
    int rc = write_all(a->fd, text, len, &done);

    if (rc < 0)
        done = keep_whole(a, text, done);
    lost = lines(text + done, len - done);
    for (size_t n = lines(text, done); n > 0; n--)
        metrics_count(a->metrics, METRICS_AUDIT_WRITTEN);
    for (size_t n = lost; n > 0; n--)
        metrics_count(a->metrics, METRICS_AUDIT_LOST);
    if (rc < 0 && !atomic_exchange(&a->failing, true))
        pc_log(PC_LOG_ERROR, "audit", "%s cannot be written, lines are lost: %s", a->path,
               strerror(-rc));
    else if (rc == 0 && atomic_exchange(&a->failing, false))
        pc_log(PC_LOG_INFO, "audit", "%s is written again", a->path);
}

static void open_again(struct audit *a)
{
    bool regular;
    int fd, rc = open_file(a->path, &fd, &regular);

    if (rc < 0) {
        pc_log(PC_LOG_ERROR, "audit", "%s; the old file is used on", pc_err_text(rc));
        return;
    }
    close(a->fd);
    a->fd = fd;
    a->regular = regular;
}

static void *work(void *arg)
{
    struct audit *a = arg;

    pthread_mutex_lock(&a->lock);
    while (!a->stopping || a->used > 0) {
        char *text = a->queue;
        size_t len = a->used;
        bool again = a->reopen;

        if (len == 0 && !again) {
            pthread_cond_wait(&a->wake, &a->lock);
            continue;
        }
        a->queue = a->spare;
        a->spare = text;
        a->used = 0;
        a->reopen = false;
        pthread_mutex_unlock(&a->lock);
        if (len) /* what was queued before is of the old file */
            write_out(a, text, len);
        if (again)
            open_again(a);
        pthread_mutex_lock(&a->lock);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

static void release(struct audit *a)
{
    if (a->fd >= 0)
        close(a->fd);
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->lock);
    free(a->queue);
    free(a->spare);
    free(a);
}

int audit_open(const char *path, struct metrics *m, struct audit **ret)
{
    struct audit *a = calloc(1, sizeof *a + strlen(path) + 1);
    sigset_t all, old;
    int rc;

    if (!a)
        return -ENOMEM;
    memcpy(a->path, path, strlen(path) + 1);
    a->metrics = m;
    a->fd = -1;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->wake, NULL);
    a->queue = malloc(QUEUE_BYTES);
    a->spare = malloc(QUEUE_BYTES);
    rc = a->queue && a->spare ? open_file(path, &a->fd, &a->regular) : -ENOMEM;
    if (rc == 0) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        rc = -pthread_create(&a->thread, NULL, work, a);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    if (rc < 0) {
        release(a);
        return rc;
    }
    *ret = a;
    return 0;
}

void audit_reopen(struct audit *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->reopen = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
}

void audit_close(struct audit *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stopping = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    release(a);
}

void audit_line(struct audit *a, const char *line, size_t len)
{
    bool wake, fits;

    pthread_mutex_lock(&a->lock);
    fits = len <= QUEUE_BYTES - a->used;
    wake = fits && a->used == 0;
    if (fits) {
        memcpy(a->queue + a->used, line, len);
        a->used += len;
    }
    pthread_mutex_unlock(&a->lock);
    if (wake)
        pthread_cond_signal(&a->wake);
    if (!fits)
        metrics_count(a->metrics, METRICS_AUDIT_LOST);
}

bool audit_failing(const struct audit *a)
{
    return a && atomic_load(&a->failing);
}
