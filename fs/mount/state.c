/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps run/mount.json of the home. */
#include "mount/state.h"

#include "pcloud/err.h"
#include "pcloud/log.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_FILE PC_HOME_RUN "/mount.json"

struct state {
    struct pc_home *home;
    int lock;                /* -1: another mount owns the file */
    char path[6 * PATH_MAX]; /* escaped for JSON */
};

static void escape(char *out, size_t cap, const char *text)
{
    size_t n = 0;

    for (const unsigned char *p = (const unsigned char *)text; *p && n + 7 < cap; p++) {
        if (*p == '"' || *p == '\\' || *p < 0x20)
            n += (size_t)snprintf(out + n, cap - n, "\\u%04x", *p);
        else
            out[n++] = (char)*p;
    }
    out[n] = '\0';
}

int state_open(struct pc_home *home, const char *mountpoint, struct state **ret)
{
    struct state *s = malloc(sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    s->home = home;
    s->lock = -1;
    escape(s->path, sizeof(s->path), mountpoint);
    r = pc_home_lock(home, "mount", &s->lock);
    if (r < 0 && r != PC_ERUNNING) {
        free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void state_set(struct state *s, const char *state)
{
    char *text = NULL;
    int n, r;

    if (!s || s->lock < 0)
        return;
    n = asprintf(&text, "{\"path\":\"%s\",\"pid\":%ld,\"state\":\"%s\"}\n", s->path, (long)getpid(),
                 state);
    if (n < 0)
        return;
    r = pc_home_write(s->home, STATE_FILE, text, (size_t)n);
    if (r < 0)
        pc_log(PC_LOG_WARN, "state", "%s", pc_err_text(r));
    free(text);
}

void state_close(struct state *s)
{
    char path[PATH_MAX];

    if (!s)
        return;
    if (s->lock >= 0) {
        if (pc_home_path(s->home, STATE_FILE, path, sizeof(path)) == 0)
            (void)unlink(path);
        close(s->lock);
    }
    free(s);
}
