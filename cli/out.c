/* SPDX-License-Identifier: Apache-2.0 */
/* What the user sees: error lines, exit codes, colour, progress, JSON, sizes. */
#include "out.h"
#include "pcloud/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH 40

int out_exit(int code)
{
    if (code >= 0)
        return code;
    return code == PC_EUSAGE ? 2 : 1;
}

void out_error(const char *verb, const char *text)
{
    fflush(stdout);
    fprintf(stderr, verb ? "pcloud %s: " : "pcloud: ", verb);
    for (const char *p = text; *p; p++)
        fputc((unsigned char)*p < ' ' || *p == 0x7f ? ' ' : *p, stderr);
    fputc('\n', stderr);
}

bool out_color(FILE *f)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return (!no || !*no) && term && *term && strcmp(term, "dumb") != 0 && isatty(fileno(f));
}

const char *out_state_color(const char *state)
{
    static const struct {
        const char *state, *color;
    } table[] = {
        {"ok", "\033[32m"},       {"starting", "\033[33m"}, {"waiting", "\033[33m"},
        {"degraded", "\033[33m"}, {"off", "\033[2m"},       {"failed", "\033[31m"},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].state, state) == 0)
            return table[i].color;
    return "";
}

int out_flush(void)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return pc_err_set(-EIO, "cannot write the output: %s", strerror(errno));
    return 0;
}

int out_json(json_t *value)
{
    int err;

    if (!value)
        return pc_err_set(-ENOMEM, "out of memory");
    err = json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    json_decref(value);
    putchar('\n');
    if (err != 0)
        return pc_err_set(-EIO, "cannot write the output");
    return out_flush();
}

const char *out_size(uint64_t bytes, char buf[OUT_SIZE_MAX])
{
    static const char units[] = "KMGTPE";
    double value = (double)bytes;
    int unit = -1;

    while (value >= 1023.95 && unit < 5) {
        value /= 1024;
        unit++;
    }
    if (unit < 0)
        snprintf(buf, OUT_SIZE_MAX, "%llu B", (unsigned long long)bytes);
    else
        snprintf(buf, OUT_SIZE_MAX, "%.1f %ciB", value, units[unit]);
    return buf;
}

void out_quote(const char *text, FILE *f)
{
    fputc('\'', f);
    for (const char *p = text; *p; p++) {
        if (*p == '\'')
            fputs("'\\''", f);
        else
            fputc(*p, f);
    }
    fputc('\'', f);
}

json_t *out_json_text(const char *text)
{
    json_t *value = json_string(text);
    char *copy;

    if (value)
        return value;
    copy = strdup(text);
    if (!copy)
        return NULL;
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    value = json_string(copy);
    free(copy);
    return value;
}

void out_progress_start(struct out_progress *p, const char *what)
{
    *p = (struct out_progress){.what = what, .shown = isatty(STDERR_FILENO), .percent = -1};
}

void out_progress_step(struct out_progress *p, uint64_t done, uint64_t total)
{
    char bar[BAR_WIDTH + 1];
    int percent, filled;

    if (!p->shown || total == 0)
        return;
    percent = done >= total ? 100 : (int)((double)done * 100 / (double)total);
    if (percent == p->percent)
        return;
    p->percent = percent;
    filled = percent * BAR_WIDTH / 100;
    memset(bar, '#', (size_t)filled);
    memset(bar + filled, '.', (size_t)(BAR_WIDTH - filled));
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r%s [%s] %3d %%", p->what, bar, percent);
    fflush(stderr);
}

void out_progress_end(struct out_progress *p)
{
    if (p->shown && p->percent >= 0)
        fputs("\r\033[K", stderr);
    p->percent = -1;
}
