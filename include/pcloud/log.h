/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on stderr or a file: text for people, JSON lines for programs. */
#ifndef PCLOUD_LOG_H
#define PCLOUD_LOG_H

#include <stdbool.h>

enum pc_log_level { PC_LOG_NONE = -1, PC_LOG_ERROR, PC_LOG_WARN, PC_LOG_INFO, PC_LOG_DEBUG };
enum pc_log_format { PC_LOG_TEXT, PC_LOG_JSON };

/**
 * pc_log_setup(program, level, format): whose lines these are and what is shown (PC_LOG_NONE: nothing). ${program} must live for ever.
 * Call before threads start, again any time to change level or format. Lines go to stderr, one write(2) a line.
 */
void pc_log_setup(const char *program, enum pc_log_level level, enum pc_log_format format);

/** pc_log_on(level): would a line of this level be written? */
bool pc_log_on(enum pc_log_level level);

/**
 * pc_log(level, event, fmt, ...): one line: time, level, program, ${event} (a short fixed word such as "pack.damaged") and the
 * message. Control characters are escaped. Never put a secret into it. Any thread; keeps errno.
 */
void pc_log(enum pc_log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** pc_log_parse_level/format(text): the value of a configuration word, or a negative code (-EINVAL). */
int pc_log_parse_level(const char *text);
int pc_log_parse_format(const char *text);

#endif
