/* SPDX-License-Identifier: Apache-2.0 */
/* Records of operations, read with any content. */
#include "meta/record.h"

#include <sqlite3.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sqlite3 *db;
static sqlite3_stmt *st;

static int statement(void *arg, const char *sql, size_t len, const uint8_t *values,
                     size_t values_len)
{
    size_t *sum = arg;

    for (size_t i = 0; i < len; i++)
        *sum += (size_t)sql[i];
    record_bind(st, values, values_len);
    while (sqlite3_step(st) == SQLITE_ROW)
        *sum += (size_t)sqlite3_column_bytes(st, 0);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return 0;
}

static int total(void *arg, unsigned which, int64_t delta)
{
    *(size_t *)arg += which + (size_t)delta;
    return 0;
}

static int barrier(void *arg)
{
    ++*(size_t *)arg;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t sum = 0;
    const struct record_reader reader = {statement, total, barrier, &sum};

    if (!db && (sqlite3_open(":memory:", &db) != SQLITE_OK ||
                sqlite3_prepare_v2(db, "SELECT ?1 || ?2 || ?3 || ?4", -1, &st, NULL) != SQLITE_OK))
        abort();
    record_read(data, size, &reader);
    return 0;
}
