/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on stderr: text for people, JSON lines for programs; one write(2) each. */
#include "pcloud/log.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_MAX 2048    /* bytes of a message before escaping */
#define LINE_MAX_BYTES 4096 /* a write of this size to a pipe is never torn (PIPE_BUF) */

static _Atomic(const char *) log_program = "pcloud";
static atomic_int log_level = (int)PC_LOG_INFO;
static atomic_int log_format = (int)PC_LOG_TEXT;

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const format_names[] = {"text", "json"};

static int name_index(const char *const *names, int count, const char *text)
{
    for (int i = 0; text && i < count; i++) {
        if (strcmp(names[i], text) == 0)
            return i;
    }
    return -EINVAL;
}

int pc_log_parse_level(const char *text)
{
    return name_index(level_names, (int)(sizeof level_names / sizeof *level_names), text);
}

int pc_log_parse_format(const char *text)
{
    return name_index(format_names, (int)(sizeof format_names / sizeof *format_names), text);
}

void pc_log_setup(const char *program, enum pc_log_level level, enum pc_log_format format)
{
    atomic_store(&log_program, program);
    atomic_store(&log_level, (int)level);
    atomic_store(&log_format, (int)format);
}

bool pc_log_on(enum pc_log_level level)
{
    return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

/* A line as it grows. LINE_RESERVE bytes at its end are kept for what closes it. */
struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};
#define LINE_RESERVE 8

static bool put(struct line *l, const char *p, size_t n)
{
    if (n > sizeof l->text - LINE_RESERVE - l->len)
        return false;
    memcpy(l->text + l->len, p, n);
    l->len += n;
    return true;
}

static void put_str(struct line *l, const char *s)
{
    (void)put(l, s, strlen(s));
}

/* C0 and C1 controls move a terminal's cursor and change its state; the rest is shown as it is. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

/* The escaped form of one bad byte or control character; its length. */
static size_t escape(bool json, uint32_t c, bool valid, char out[8])
{
    int n;

    if (c == '\n' || c == '\t' || c == '\r')
        n = snprintf(out, 8, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
    else if (json)
        n = snprintf(out, 8, "\\u%04x", valid ? (unsigned)c & 0xffffu : 0xfffdu);
    else
        n = snprintf(out, 8, "\\x%02x", (unsigned)c & 0xffu);
    return n > 0 ? (size_t)n : 0;
}

static void put_escaped(struct line *l, bool json, const char *text)
{
    size_t left = strlen(text);

    for (const char *p = text; left > 0;) {
        uint32_t c = (unsigned char)*p;
        size_t n = utf8_next(p, left, &c);
        char esc[8];
        bool ok;

        if (n == 0 || is_control(c))
            ok = put(l, esc, escape(json, c, n != 0, esc));
        else if (json && (c == '"' || c == '\\'))
            ok = put(l, *p == '"' ? "\\\"" : "\\\\", 2);
        else
            ok = put(l, p, n);
        if (!ok) {
            memcpy(l->text + l->len, "...", 3);
            l->len += 3;
            return;
        }
        p += n ? n : 1;
        left -= n ? n : 1;
    }
}

static void put_time(struct line *l)
{
    struct timespec now;
    struct tm tm;
    char text[64];
    size_t n;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(text + n, sizeof text - n, ".%03dZ", (int)(now.tv_nsec / 1000000));
    put_str(l, text);
}

static void put_field(struct line *l, const char *name, const char *value)
{
    put_str(l, ",\"");
    put_str(l, name);
    put_str(l, "\":\"");
    put_escaped(l, true, value);
    put_str(l, "\"");
}

static void build(struct line *l, enum pc_log_level level, const char *event, const char *message)
{
    const char *program = atomic_load(&log_program);

    l->len = 0;
    if (atomic_load(&log_format) == (int)PC_LOG_JSON) {
        put_str(l, "{\"time\":\"");
        put_time(l);
        put_str(l, "\"");
        put_field(l, "level", level_names[level]);
        put_field(l, "program", program);
        put_field(l, "event", event);
        put_str(l, ",\"message\":\"");
        put_escaped(l, true, message);
        memcpy(l->text + l->len, "\"}\n", 3);
        l->len += 3;
        return;
    }
    put_time(l);
    put_str(l, " ");
    put_str(l, level_names[level]);
    put_str(l, " ");
    put_escaped(l, false, program);
    put_str(l, " ");
    put_escaped(l, false, event);
    put_str(l, ": ");
    put_escaped(l, false, message);
    l->text[l->len++] = '\n';
}

static void write_line(const struct line *l)
{
    size_t done = 0;

    while (done < l->len) {
        ssize_t n = write(STDERR_FILENO, l->text + done, l->len - done);

        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            return; /* nobody is left to be told */
    }
}

void pc_log(enum pc_log_level level, const char *event, const char *fmt, ...)
{
    int saved = errno;
    char message[MESSAGE_MAX];
    struct line line;
    va_list ap;
    int n;

    if (!pc_log_on(level) || (unsigned)level >= sizeof level_names / sizeof *level_names)
        return;
    va_start(ap, fmt);
    n = vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    if (n < 0)
        message[0] = 0;
    if (n >= (int)sizeof message) {
        size_t cut = utf8_cut(message, sizeof message - 4);

        memcpy(message + cut, "...", 4);
    }
    build(&line, level, event, message);
    write_line(&line);
    errno = saved;
}
