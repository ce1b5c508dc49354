/* SPDX-License-Identifier: Apache-2.0 */
/* What the user sees: error lines, exit codes, colour, progress, JSON, sizes. */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#define OUT_SIZE_MAX 32 /* characters of a size, and NUL */

/** out_exit(code): the exit status of a result: 0, 2 for wrong usage, else 1. */
int out_exit(int code);

/** out_error(verb, text): the one line on stderr; ${verb} may be NULL. Newlines and control characters in ${text} become spaces. */
void out_error(const char *verb, const char *text);

/** out_color(f): may colours be used on this stream? (a terminal, no NO_COLOR, TERM not dumb) */
bool out_color(FILE *f);

/** out_state_color(state): the escape sequence for a state's colour, "" if there is none. */
const char *out_state_color(const char *state);

/** out_json(value): print it to stdout and drop it. -EIO if it cannot be written, -ENOMEM if ${value} is NULL. */
int out_json(json_t *value);

/** out_flush(): 0 if everything written to stdout arrived, else -EIO with a message. */
int out_flush(void);

/** out_size(bytes, buf): "17 B", "1.5 KiB", "2.0 GiB"; returns ${buf}. */
const char *out_size(uint64_t bytes, char buf[OUT_SIZE_MAX]);

/** out_quote(text, f): print as one single-quoted word of a POSIX shell. */
void out_quote(const char *text, FILE *f);

/** out_json_text(text): a JSON string of any bytes; what is no UTF-8 is replaced by "?". */
json_t *out_json_text(const char *text);

/* A bar on stderr, drawn only where stderr is a terminal. */
struct out_progress {
    const char *what;
    bool shown, bytes;
    int percent;
};
/** out_progress_start(p, what): ${what} is one word and is borrowed. */
void out_progress_start(struct out_progress *p, const char *what);
void out_progress_step(struct out_progress *p, uint64_t done, uint64_t total);
/** out_progress_end(p): wipe the line. */
void out_progress_end(struct out_progress *p);

#endif
