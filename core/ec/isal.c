/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Systematic Reed-Solomon coding by ISA-L, over GF(2^8) with the polynomial 0x11d.
 *
 * Shard i is row i of a matrix of n rows and k columns times the k data shards. The first k rows are the identity. Row i
 * below it is Cauchy's: element j is 1 / (i + j), + being xor; so every k rows are independent and any k shards suffice. (ISA-L's
 * Vandermonde matrix does not promise that.) With k = 1 all elements are 1: shards are plain copies.
 */
#include "pcloud/ec.h"

#include "ec/coder.h"

#include "base/alloc.h"
#include "pcloud/err.h"

#include <isa-l/erasure_code.h>

#include <stdbool.h>
#include <string.h>

#define TABLE_BYTES 32         /* ISA-L's, for each element of a matrix */
#define STEP ((size_t)1 << 30) /* ISA-L counts bytes in an int */

struct pc_ec {
    unsigned k, n;
    uint8_t *matrix; /* n rows of k */
    uint8_t *tables; /* of the n - k rows of parity */
};

struct ec_plan {
    unsigned k, outputs;
    uint8_t from[PC_EC_MAX], to[PC_EC_MAX];
    uint8_t *tables;
};

int pc_ec_new(unsigned k, unsigned n, struct pc_ec **ret)
{
    struct pc_ec *ec;

    if (k < 1 || k > n || n > PC_EC_MAX)
        return pc_err_set(-EINVAL, "no coder has %u of %u shards", k, n);
    ec = mem_calloc(1, sizeof *ec);
    if (!ec)
        return -ENOMEM;
    ec->k = k;
    ec->n = n;
    ec->matrix = mem_alloc((size_t)n * k);
    ec->tables = mem_alloc((size_t)(n - k) * k * TABLE_BYTES);
    if (!ec->matrix || !ec->tables) {
        pc_ec_free(ec);
        return -ENOMEM;
    }
    if (k == 1)
        memset(ec->matrix, 1, n);
    else
        gf_gen_cauchy1_matrix(ec->matrix, (int)n, (int)k);
    if (n > k)
        ec_init_tables((int)k, (int)(n - k), ec->matrix + (size_t)k * k, ec->tables);
    *ret = ec;
    return 0;
}

void pc_ec_free(struct pc_ec *ec)
{
    if (!ec)
        return;
    mem_free(ec->matrix);
    mem_free(ec->tables);
    mem_free(ec);
}

unsigned ec_k(const struct pc_ec *ec)
{
    return ec->k;
}

unsigned ec_n(const struct pc_ec *ec)
{
    return ec->n;
}

/* ${in} and ${out} are moved along in steps that ISA-L's int can count. */
static void multiply(size_t len, unsigned k, unsigned rows, const uint8_t *tables, uint8_t **in,
                     uint8_t **out)
{
    uint8_t *mutable_tables = (uint8_t *)(uintptr_t)tables; /* ISA-L's parameter is not const */

    while (len > 0 && rows > 0) {
        size_t step = len < STEP ? len : STEP;

        ec_encode_data((int)step, (int)k, (int)rows, mutable_tables, in, out);
        for (unsigned i = 0; i < k; i++)
            in[i] += step;
        for (unsigned i = 0; i < rows; i++)
            out[i] += step;
        len -= step;
    }
}

void pc_ec_encode(const struct pc_ec *ec, size_t len, uint8_t *const *data, uint8_t *const *parity)
{
    uint8_t *in[PC_EC_MAX], *out[PC_EC_MAX];

    memcpy(in, data, ec->k * sizeof *in);
    if (ec->n > ec->k)
        memcpy(out, parity, (ec->n - ec->k) * sizeof *out);
    multiply(len, ec->k, ec->n - ec->k, ec->tables, in, out);
}

/* The rows that lead from the shards ${from} to the data shards: the inverse of theirs. */
static int invert(const struct pc_ec *ec, const uint8_t *from, uint8_t *inverse)
{
    size_t k = ec->k;
    uint8_t *rows = mem_alloc(k * k);
    int r;

    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < k; i++)
        memcpy(rows + i * k, ec->matrix + from[i] * k, k);
    r = gf_invert_matrix(rows, inverse, (int)k);
    mem_free(rows);
    return r == 0 ? 0 : pc_err_set(-EIO, "the shards' matrix has no inverse");
}

/* The row that leads from ${from} to shard ${to}: its row of the matrix times the inverse. */
static void row_to(const struct pc_ec *ec, const uint8_t *inverse, unsigned to, uint8_t *row)
{
    unsigned k = ec->k;

    if (to < k) {
        memcpy(row, inverse + (size_t)to * k, k);
        return;
    }
    for (unsigned j = 0; j < k; j++) {
        row[j] = 0;
        for (unsigned l = 0; l < k; l++)
            row[j] ^= gf_mul(ec->matrix[(size_t)to * k + l], inverse[(size_t)l * k + j]);
    }
}

static int plan_tables(const struct pc_ec *ec, struct ec_plan *plan)
{
    size_t k = ec->k;
    uint8_t *inverse = mem_alloc(k * k), *rows = mem_alloc(plan->outputs * k);
    int r = inverse && rows ? invert(ec, plan->from, inverse) : -ENOMEM;

    if (r == 0) {
        for (unsigned i = 0; i < plan->outputs; i++)
            row_to(ec, inverse, plan->to[i], rows + i * k);
        if (plan->outputs > 0)
            ec_init_tables((int)k, (int)plan->outputs, rows, plan->tables);
    }
    mem_free(inverse);
    mem_free(rows);
    return r;
}

int ec_plan_new(const struct pc_ec *ec, const uint8_t *present, const uint8_t *want,
                struct ec_plan **ret)
{
    struct ec_plan *plan = mem_calloc(1, sizeof *plan);
    unsigned have = 0;
    int r;

    if (!plan)
        return -ENOMEM;
    plan->k = ec->k;
    for (unsigned i = 0; i < ec->n; i++) {
        if (present[i] && have < ec->k)
            plan->from[have++] = (uint8_t)i;
        else if (!present[i] && want[i])
            plan->to[plan->outputs++] = (uint8_t)i;
    }
    if (have < ec->k) {
        mem_free(plan);
        return pc_err_set(PC_EUNRECOVERABLE, "%u shards are left of %u; it takes %u", have, ec->n,
                          ec->k);
    }
    plan->tables = mem_alloc((size_t)plan->outputs * ec->k * TABLE_BYTES);
    r = plan->tables ? plan_tables(ec, plan) : -ENOMEM;
    if (r < 0) {
        ec_plan_free(plan);
        return r;
    }
    *ret = plan;
    return 0;
}

void ec_plan_free(struct ec_plan *plan)
{
    if (!plan)
        return;
    mem_free(plan->tables);
    mem_free(plan);
}

void ec_plan_run(const struct ec_plan *plan, size_t len, uint8_t *const *shards)
{
    uint8_t *in[PC_EC_MAX], *out[PC_EC_MAX];

    for (unsigned i = 0; i < plan->k; i++)
        in[i] = shards[plan->from[i]];
    for (unsigned i = 0; i < plan->outputs; i++)
        out[i] = shards[plan->to[i]];
    multiply(len, plan->k, plan->outputs, plan->tables, in, out);
}

int pc_ec_rebuild(const struct pc_ec *ec, size_t len, uint8_t *const *shards,
                  const uint8_t *present, const uint8_t *want)
{
    struct ec_plan *plan = NULL;
    int r = ec_plan_new(ec, present, want, &plan);

    if (r < 0)
        return r;
    ec_plan_run(plan, len, shards);
    ec_plan_free(plan);
    return 0;
}

/* Do the shards agree in the ${len} (up to a cell) bytes at ${at}? ${scratch} holds n - k cells. */
static bool cell_agrees(const struct pc_ec *ec, size_t at, size_t len, uint8_t *const *shards,
                        uint8_t *scratch)
{
    uint8_t *in[PC_EC_MAX], *out[PC_EC_MAX];
    unsigned parity = ec->n - ec->k;

    for (unsigned i = 0; i < ec->k; i++)
        in[i] = shards[i] + at;
    for (unsigned i = 0; i < parity; i++)
        out[i] = scratch + (size_t)i * PC_EC_CELL;
    multiply(len, ec->k, parity, ec->tables, in, out);
    for (unsigned i = 0; i < parity; i++) {
        if (memcmp(scratch + (size_t)i * PC_EC_CELL, shards[ec->k + i] + at, len) != 0)
            return false;
    }
    return true;
}

int pc_ec_verify(const struct pc_ec *ec, size_t len, uint8_t *const *shards)
{
    uint8_t *scratch = mem_alloc((size_t)(ec->n - ec->k) * PC_EC_CELL);
    int r = 0;

    if (!scratch)
        return -ENOMEM;
    for (size_t at = 0; r == 0 && at < len; at += PC_EC_CELL) {
        size_t step = len - at < PC_EC_CELL ? len - at : PC_EC_CELL;

        if (!cell_agrees(ec, at, step, shards, scratch))
            r = pc_err_set(PC_ECORRUPT, "the shards differ between byte %zu and %zu", at,
                           at + step - 1);
    }
    mem_free(scratch);
    return r;
}
