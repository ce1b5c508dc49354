/* SPDX-License-Identifier: Apache-2.0 */
/* Where passphrases come from and how they reach the parts. */
#include "passphrase.h"
#include "pcloud/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANDOM_CHARS 40
#define PAGE_BYTES 4096
#define NEXT_FILE "passphrase.next" /* written before, renamed after a change */

void passphrase_random(char out[PASSPHRASE_RANDOM_MAX])
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz023456789"; /* 32: 5 bits each */
    unsigned char bytes[RANDOM_CHARS];

    pc_random(bytes, sizeof bytes);
    for (size_t i = 0; i < RANDOM_CHARS; i++)
        out[i] = letters[bytes[i] & 31];
    out[RANDOM_CHARS] = '\0';
    pc_wipe(bytes, sizeof bytes);
}

static int keep_as(struct pc_home *home, const char *name, const char *text)
{
    char line[PASSPHRASE_RANDOM_MAX + 1];
    int n = snprintf(line, sizeof line, "%s\n", text);
    int err = pc_home_write(home, name, line, (size_t)n);

    pc_wipe(line, sizeof line);
    return err;
}

int passphrase_keep(struct pc_home *home, const char *text)
{
    return keep_as(home, PC_HOME_PASSPHRASE, text);
}

int passphrase_replace(struct pc_home *home, const struct pc_keys *keys, const char *text)
{
    char from[CLI_LINE_MAX], to[CLI_LINE_MAX];
    int err = keep_as(home, NEXT_FILE, text);

    if (err < 0)
        return err;
    err = pc_keys_rewrap(home, keys, text, strlen(text));
    if (err >= 0)
        err = pc_home_path(home, NEXT_FILE, from, sizeof from);
    if (err >= 0)
        err = pc_home_path(home, PC_HOME_PASSPHRASE, to, sizeof to);
    if (err >= 0 && rename(from, to) != 0)
        err = pc_err_set(-errno,
                         "the passphrase is changed and is in %s, but cannot be renamed to %s: %s",
                         from, to, strerror(errno));
    return err;
}

/* A file of the credentials directory, "" if there is none. */
static void credential_path(char *buf, size_t cap)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");

    *buf = '\0';
    if (!dir || !*dir)
        return;
    snprintf(buf, cap, "%s/pcloud-passphrase", dir);
    if (access(buf, R_OK) != 0)
        *buf = '\0';
}

/* The file that option and environment name; NULL if none. */
static const char *named_file(const struct cli *c)
{
    const char *file = cli_value(c, "passphrase-file");

    if (!file)
        file = getenv("PCLOUD_PASSPHRASE_FILE");
    return file && *file ? file : NULL;
}

/* Ask twice; both answers must be the same. */
static int ask_twice(char **ret, size_t *ret_len)
{
    char *first, *second;
    size_t first_len, second_len;
    int err = pc_passphrase_get(NULL, NULL, "New passphrase: ", &first, &first_len);

    if (err < 0)
        return err;
    err = pc_passphrase_get(NULL, NULL, "The same again: ", &second, &second_len);
    if (err < 0)
        goto free_first;
    if (first_len != second_len || !pc_equal(first, second, first_len))
        err = pc_err_set(PC_EUSAGE, "the two differ; nothing was changed");
    pc_passphrase_free(second);
    if (err < 0)
        goto free_first;
    *ret = first;
    *ret_len = first_len;
    return 0;
free_first:
    pc_passphrase_free(first);
    return err;
}

int passphrase_for_init(struct cli *c, char **ret, size_t *ret_len)
{
    char credential[CLI_LINE_MAX];

    credential_path(credential, sizeof credential);
    if (named_file(c) || *credential)
        return pc_passphrase_get(NULL, cli_value(c, "passphrase-file"), NULL, ret, ret_len);
    if (cli_has(c, "ask"))
        return ask_twice(ret, ret_len);
    return 0;
}

int passphrase_new(const char *file, char **ret, size_t *ret_len)
{
    int tty;

    if (file)
        return pc_passphrase_get(NULL, file, NULL, ret, ret_len);
    tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0)
        return pc_err_set(PC_EUSAGE, "no new passphrase: give --new-passphrase-file FILE or "
                                     "--random, or run this on a terminal");
    close(tty);
    unsetenv("PCLOUD_PASSPHRASE_FILE"); /* that is where the old one came from */
    unsetenv("CREDENTIALS_DIRECTORY");
    return ask_twice(ret, ret_len);
}

/* Keep the secret in a page of its own. */
static int hold(struct passphrase_way *way, const char *secret, size_t len)
{
    char *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return pc_err_set(-ENOMEM, "out of memory");
    madvise(page, PAGE_BYTES, MADV_DONTDUMP);
    mlock(page, PAGE_BYTES);
    memcpy(page, secret, len);
    page[len] = '\n'; /* the reader drops one newline */
    way->secret = page;
    way->len = len + 1;
    return 0;
}

void passphrase_way_relock(struct passphrase_way *way)
{
    if (way->secret)
        mlock(way->secret, PAGE_BYTES);
}

int passphrase_way_find(struct cli *c, struct passphrase_way *way)
{
    const char *file = named_file(c);
    char path[CLI_LINE_MAX], *real, *secret;
    struct stat st;
    size_t len;
    int err;

    *way = (struct passphrase_way){.file = ""};
    if (file && stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
        real = realpath(file, NULL);
        if (!real || strlen(real) >= sizeof way->file) {
            free(real);
            return pc_err_set(PC_EUSAGE, "cannot use the passphrase file %s", file);
        }
        snprintf(way->file, sizeof way->file, "%s", real);
        free(real);
        return 0;
    }
    credential_path(path, sizeof path);
    if (!file && *path)
        return 0;
    if (!file && pc_home_path(c->home, PC_HOME_PASSPHRASE, path, sizeof path) >= 0 &&
        access(path, R_OK) == 0)
        return 0;
    err =
        pc_passphrase_get(c->home, cli_value(c, "passphrase-file"), "Passphrase: ", &secret, &len);
    if (err < 0)
        return err;
    err = len <= PC_PASSPHRASE_MAX ? hold(way, secret, len)
                                   : pc_err_set(PC_EUSAGE, "the passphrase is too long");
    pc_passphrase_free(secret);
    return err;
}

int passphrase_way_pipe(const struct passphrase_way *way, int *ret_fd)
{
    int fds[2], err = 0;

    if (!way->secret) {
        *ret_fd = -1;
        return 0;
    }
    if (pipe2(fds, 0) != 0)
        return pc_err_set(-errno, "cannot make a pipe: %s", strerror(errno));
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    if (write(fds[1], way->secret, way->len) !=
        (ssize_t)way->len) /* far below PIPE_BUF: never blocks */
        err = pc_err_set(-EIO, "cannot fill a pipe");
    close(fds[1]);
    if (err < 0) {
        close(fds[0]);
        return err;
    }
    *ret_fd = fds[0];
    return 0;
}

void passphrase_way_fini(struct passphrase_way *way)
{
    if (!way->secret)
        return;
    pc_wipe(way->secret, PAGE_BYTES);
    munmap(way->secret, PAGE_BYTES);
    way->secret = NULL;
}
