/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: whole lines by one writer, from a bounded queue. */
#ifndef GATEWAY_AUDIT_H
#define GATEWAY_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

struct audit;
struct metrics;

/** audit_open(path, m, ret): "stderr", or a file, made for its owner alone, that is appended to. ${m} counts what is written and lost. */
int audit_open(const char *path, struct metrics *m, struct audit **ret);
/** audit_reopen(a): the file by its name again, after somebody moved it away; it goes on with the old one if that fails. NULL is legal. */
void audit_reopen(struct audit *a);
/** audit_close(a): write what is queued, end. NULL is legal. */
void audit_close(struct audit *a);

/** audit_line(a, line, len): queue one line, its end included; copied. It is lost, and counted, if the queue is full. Never waits for the disk. */
void audit_line(struct audit *a, const char *line, size_t len);
/** audit_failing(a): could the last lines not be written? false for NULL. */
bool audit_failing(const struct audit *a);

#endif
