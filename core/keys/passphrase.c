/* SPDX-License-Identifier: Apache-2.0 */
/* Where a passphrase comes from: a file that is named, one that lies ready, or the terminal. */
#include "pcloud/keys.h"

#include "base/alloc.h"
#include "crypto/aead.h"
#include "pcloud/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ROOM (PC_PASSPHRASE_MAX + 2) /* a newline, and one byte that shows there is more */

/* Read to the end or until the room is full. */
static int read_all(int fd, char *buf, size_t *ret_len)
{
    size_t len = 0;

    while (len < ROOM) {
        ssize_t n = read(fd, buf + len, ROOM - len);

        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            len += (size_t)n;
    }
    *ret_len = len;
    return 0;
}

static int check(const char *where, size_t len)
{
    if (len == 0)
        return pc_err_set(PC_EUSAGE, "%s: the passphrase is empty", where);
    if (len > PC_PASSPHRASE_MAX)
        return pc_err_set(PC_EUSAGE, "%s: the passphrase is longer than %d bytes", where,
                          PC_PASSPHRASE_MAX);
    return 0;
}

/* -ENOENT if there is no such file, without a message of its own. */
static int from_file(const char *path, char *buf, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), r;
    size_t len = 0;

    if (fd < 0)
        return pc_err_set(-errno, "passphrase file %s: %s", path, pc_strerror(-errno));
    r = read_all(fd, buf, &len);
    close(fd);
    if (r < 0)
        return pc_err_set(r, "passphrase file %s: %s", path, pc_strerror(r));
    if (len && buf[len - 1] == '\n')
        len--;
    r = check(path, len);
    if (r == 0)
        *ret_len = len;
    return r;
}

/* One key of the terminal; true when the line has ended. */
static bool take_key(char key, char *buf, size_t *len, int *r)
{
    switch (key) {
    case '\r':
    case '\n':
    case 4: /* ^D */
        return true;
    case 3: /* ^C */
        *r = pc_err_set(PC_ECANCELED, "no passphrase was given");
        return true;
    case 8:
    case 0x7f:
        while (*len && ((unsigned char)buf[*len - 1] & 0xc0) == 0x80)
            --*len; /* the rest of a character */
        if (*len)
            --*len;
        return false;
    case 21: /* ^U */
        *len = 0;
        return false;
    default:
        if (*len < ROOM)
            buf[(*len)++] = key;
        return false;
    }
}

/*
 * Signals from keys are off as long as the echo is: no end leaves a terminal that does not show what is typed. The prompt comes
 * after the switch, which throws away what was typed before it.
 */
static int read_line(int fd, const char *prompt, char *buf, size_t *ret_len)
{
    struct termios before, raw;
    size_t len = 0;
    bool ended = false;
    int r = 0;

    if (tcgetattr(fd, &before) < 0)
        return pc_err_set(-errno, "terminal: %s", pc_strerror(-errno));
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSAFLUSH, &raw) < 0)
        return pc_err_set(-errno, "terminal: %s", pc_strerror(-errno));
    (void)!write(fd, prompt, strlen(prompt));
    while (r == 0 && !ended) {
        char key;
        ssize_t n = read(fd, &key, 1);

        if (n > 0)
            ended = take_key(key, buf, &len, &r);
        else if (n == 0)
            ended = true;
        else if (errno != EINTR)
            r = pc_err_set(-errno, "terminal: %s", pc_strerror(-errno));
        pc_wipe(&key, 1);
    }
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    if (r == 0)
        *ret_len = len;
    return r;
}

static int from_terminal(const char *prompt, char *buf, size_t *ret_len)
{
    int fd = prompt ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) : -1, r;

    if (fd < 0)
        return pc_err_set(
            PC_EUSAGE,
            "no passphrase: use --passphrase-file FILE or PCLOUD_PASSPHRASE_FILE, keep it "
            "in $CREDENTIALS_DIRECTORY/pcloud-passphrase or in \"passphrase\" in the home, "
            "or run this in a terminal");
    r = read_line(fd, prompt, buf, ret_len);
    (void)!write(fd, "\n", 1);
    close(fd);
    return r < 0 ? r : check("terminal", *ret_len);
}

static const char *env(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

/* Files that may lie ready, in their order. -ENOENT if none does. */
static int from_places(struct pc_home *home, char *buf, size_t *ret_len)
{
    const char *credentials = env("CREDENTIALS_DIRECTORY");
    char path[PATH_MAX];
    int r = -ENOENT, n;

    if (credentials) {
        n = snprintf(path, sizeof path, "%s/pcloud-passphrase", credentials);
        if (n > 0 && (size_t)n < sizeof path)
            r = from_file(path, buf, ret_len);
    }
    if (r != -ENOENT || !home)
        return r;
    r = pc_home_path(home, PC_HOME_PASSPHRASE, path, sizeof path);
    return r < 0 ? r : from_file(path, buf, ret_len);
}

int pc_passphrase_get(struct pc_home *home, const char *file, const char *tty_prompt, char **ret,
                      size_t *ret_len)
{
    char *buf = mem_lock_alloc(ROOM + 1);
    size_t len = 0;
    int r;

    if (!buf)
        return -ENOMEM;
    if (!file)
        file = env("PCLOUD_PASSPHRASE_FILE");
    if (file) {
        r = from_file(file, buf, &len);
    } else {
        r = from_places(home, buf, &len);
        if (r == -ENOENT)
            r = from_terminal(tty_prompt, buf, &len);
    }
    if (r < 0) {
        mem_lock_free(buf);
        return r;
    }
    pc_wipe(buf + len, ROOM + 1 - len);
    *ret = buf;
    *ret_len = len;
    return 0;
}

void pc_passphrase_free(char *passphrase)
{
    mem_lock_free(passphrase);
}
