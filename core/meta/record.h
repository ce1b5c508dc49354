/* SPDX-License-Identifier: Apache-2.0 */
/* An operation as a list of its writes, so that it can be done again after its process was killed. */
#ifndef META_RECORD_H
#define META_RECORD_H

#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_MAX (3u << 20) /* longer ones are committed at once and not kept */

struct record {
    uint8_t *data;
    size_t len, cap;
    bool full; /* something did not fit: this record is good for nothing */
};

/** record_reset(r): empty, with its memory. record_free(r). */
void record_reset(struct record *r);
void record_free(struct record *r);

/** record_values(r, types, ap): the values given to sql_bind, as a list. */
void record_values(struct record *r, const char *types, va_list ap);
/** record_statement(r, sql, values): a statement that ran, and its values (NULL: none). */
void record_statement(struct record *r, const char *sql, const struct record *values);
/** record_total(r, which, delta), record_barrier(r): see sql_total_add and sql_needs_barrier. */
void record_total(struct record *r, unsigned which, int64_t delta);
void record_barrier(struct record *r);

/* What a record does when it is read. */
struct record_reader {
    int (*statement)(void *arg, const char *sql, size_t len, const uint8_t *values,
                     size_t values_len);
    int (*total)(void *arg, unsigned which, int64_t delta);
    int (*barrier)(void *arg);
    void *arg;
};
/** record_read(data, len, reader): call these in order; PC_ECORRUPT if it is none of ours, or the first negative answer. */
int record_read(const uint8_t *data, size_t len, const struct record_reader *reader);
/** record_bind(st, values, len): bind a list of values to a statement; PC_ECORRUPT. They must live until it is reset. */
int record_bind(sqlite3_stmt *st, const uint8_t *values, size_t len);

#endif
