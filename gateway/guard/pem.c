/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a certificate and its key. */
#include "guard/pem.h"

#include "pcloud/err.h"
#include "pcloud/keys.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEM_MAX (1u << 20)

static struct pem_stamp stamp_of(const struct stat *st)
{
    return (struct pem_stamp){(uint64_t)st->st_dev, (uint64_t)st->st_ino, (uint64_t)st->st_size,
                              (int64_t)st->st_mtim.tv_sec, (int64_t)st->st_mtim.tv_nsec};
}

static struct pem_stamp look(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? stamp_of(&st) : (struct pem_stamp){0};
}

static bool same(const struct pem_stamp *a, const struct pem_stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->s == b->s &&
           a->ns == b->ns;
}

/* A file whole, with a NUL; PC_ELIMIT over PEM_MAX. */
static int read_file(const char *path, char **ret, struct pem_stamp *stamp)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    char *text = fd < 0 ? NULL : malloc(PEM_MAX + 1);
    struct stat st;
    size_t len = 0;

    if (fd < 0)
        return pc_err_set(-errno, "cannot read %s: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0)
        *stamp = stamp_of(&st);
    while (text && rc == 0 && len <= PEM_MAX) {
        ssize_t n = read(fd, text + len, PEM_MAX + 1 - len);

        if (n <= 0) {
            rc = n < 0 ? pc_err_set(-errno, "cannot read %s: %s", path, strerror(errno)) : 0;
            break;
        }
        len += (size_t)n;
    }
    close(fd);
    if (!text)
        return -ENOMEM;
    if (rc == 0 && len > PEM_MAX)
        rc = pc_err_set(PC_ELIMIT, "%s is too large for a certificate or key", path);
    if (rc < 0) {
        pc_wipe(text, len);
        free(text);
        return rc;
    }
    text[len] = '\0';
    *ret = text;
    return 0;
}

static int keep_path(char **at, const char *path)
{
    char *copy = strdup(path);

    if (!copy)
        return -ENOMEM;
    free(*at);
    *at = copy;
    return 0;
}

int pem_read(struct pem *p, const char *cert, const char *key)
{
    int rc;

    pem_wipe(p);
    if (!*cert && !*key)
        return 0;
    if (!*cert || !*key)
        return pc_err_set(PC_EUSAGE,
                          "HTTPS needs a certificate and a key: give --tls-cert and --tls-key");
    rc = keep_path(&p->cert_path, cert);
    if (rc == 0)
        rc = keep_path(&p->key_path, key);
    if (rc < 0)
        return rc;
    p->tried[0] = p->tried[1] = (struct pem_stamp){0};
    rc = read_file(cert, &p->cert, &p->tried[0]);
    if (rc == 0)
        rc = read_file(key, &p->key, &p->tried[1]);
    if (rc < 0)
        pem_wipe(p);
    return rc;
}

bool pem_changed(struct pem *p)
{
    struct pem_stamp now[2];
    bool settled, other;

    if (!p->cert_path)
        return false;
    now[0] = look(p->cert_path);
    now[1] = look(p->key_path);
    settled = same(&now[0], &p->seen[0]) && same(&now[1], &p->seen[1]);
    other = !same(&now[0], &p->tried[0]) || !same(&now[1], &p->tried[1]);
    memcpy(p->seen, now, sizeof now);
    return settled && other;
}

void pem_wipe(struct pem *p)
{
    if (p->key)
        pc_wipe(p->key, strlen(p->key));
    free(p->key);
    free(p->cert);
    p->key = p->cert = NULL;
}

void pem_free(struct pem *p)
{
    pem_wipe(p);
    free(p->cert_path);
    free(p->key_path);
    p->cert_path = p->key_path = NULL;
}
