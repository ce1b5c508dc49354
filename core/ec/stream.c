/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coding of files: stripe after stripe of one cell a shard, in memory for one stripe.
 *
 * Stripe s of the file is its bytes [s k CELL, (s + 1) k CELL); cell i of it is byte i CELL on, and is what data shard i holds
 * at s CELL. So a range of the file lies in one shard, or in few. What the last stripe lacks is zeros.
 */
#include "pcloud/ec.h"

#include "ec/coder.h"

#include "base/alloc.h"
#include "pcloud/err.h"

#include <string.h>
#include <unistd.h>

/* Room for a stripe: n cells behind each other, the data's first. */
struct stripe {
    uint8_t *memory;
    uint8_t *cell[PC_EC_MAX];
};

static int stripe_init(struct stripe *s, unsigned n)
{
    s->memory = mem_alloc((size_t)n * PC_EC_CELL);
    if (!s->memory)
        return -ENOMEM;
    for (unsigned i = 0; i < n; i++)
        s->cell[i] = s->memory + (size_t)i * PC_EC_CELL;
    return 0;
}

static int read_full(int fd, uint8_t *p, size_t n, const char *what, unsigned number)
{
    while (n > 0) {
        ssize_t got = read(fd, p, n);

        if (got < 0 && errno != EINTR) {
            int r = -errno;

            return pc_err_set(r, "%s %u: %s", what, number, pc_strerror(r));
        }
        if (got == 0)
            return pc_err_set(-EIO, "%s %u ends too early", what, number);
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
    return 0;
}

static int write_full(int fd, const uint8_t *p, size_t n, const char *what, unsigned number)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno != EINTR) {
            int r = -errno;

            return pc_err_set(r, "%s %u: %s", what, number, pc_strerror(r));
        }
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
    return 0;
}

static uint64_t stripes(unsigned k, uint64_t size)
{
    uint64_t bytes = (uint64_t)k * PC_EC_CELL;

    return size / bytes + (size % bytes != 0);
}

uint64_t pc_ec_shard_size(unsigned k, uint64_t size)
{
    return stripes(k, size) * PC_EC_CELL;
}

int pc_ec_encode_fd(const struct pc_ec *ec, int in_fd, uint64_t size, const int *out_fds)
{
    unsigned k = ec_k(ec), n = ec_n(ec);
    size_t whole = (size_t)k * PC_EC_CELL;
    struct stripe s;
    int r = stripe_init(&s, n);

    while (r == 0 && size > 0) {
        size_t len = size < whole ? (size_t)size : whole;

        r = read_full(in_fd, s.memory, len, "file", 0);
        if (r < 0)
            break;
        memset(s.memory + len, 0, whole - len);
        pc_ec_encode(ec, PC_EC_CELL, s.cell, s.cell + k);
        for (unsigned i = 0; r == 0 && i < n; i++)
            r = write_full(out_fds[i], s.cell[i], PC_EC_CELL, "shard", i);
        size -= len;
    }
    mem_free(s.memory);
    return r;
}

/* Read one cell of each of the shards that are marked. */
static int read_cells(struct stripe *s, unsigned n, const uint8_t *chosen, const int *in_fds)
{
    int r = 0;

    for (unsigned i = 0; r == 0 && i < n; i++) {
        if (chosen[i])
            r = read_full(in_fds[i], s->cell[i], PC_EC_CELL, "shard", i);
    }
    return r;
}

/* Mark the first k shards there are, those of data before those of parity. */
static void choose(const struct pc_ec *ec, const int *in_fds, unsigned without, uint8_t *chosen)
{
    unsigned left = ec_k(ec);

    for (unsigned i = 0; i < ec_n(ec); i++) {
        chosen[i] = left > 0 && in_fds[i] >= 0 && i != without;
        left -= chosen[i];
    }
}

int pc_ec_decode_fd(const struct pc_ec *ec, uint64_t size, const int *in_fds, int out_fd)
{
    uint8_t chosen[PC_EC_MAX], want[PC_EC_MAX] = {0};
    size_t whole = (size_t)ec_k(ec) * PC_EC_CELL;
    struct ec_plan *plan = NULL;
    struct stripe s = {NULL, {NULL}};
    int r;

    choose(ec, in_fds, PC_EC_MAX, chosen);
    memset(want, 1, ec_k(ec));
    r = ec_plan_new(ec, chosen, want, &plan);
    if (r == 0)
        r = stripe_init(&s, ec_n(ec));
    while (r == 0 && size > 0) {
        size_t len = size < whole ? (size_t)size : whole;

        r = read_cells(&s, ec_n(ec), chosen, in_fds);
        if (r < 0)
            break;
        ec_plan_run(plan, PC_EC_CELL, s.cell);
        r = write_full(out_fd, s.memory, len, "file", 0);
        size -= len;
    }
    ec_plan_free(plan);
    mem_free(s.memory);
    return r;
}

int pc_ec_rebuild_fd(const struct pc_ec *ec, uint64_t size, const int *in_fds, unsigned lost,
                     int out_fd)
{
    uint8_t chosen[PC_EC_MAX], want[PC_EC_MAX] = {0};
    struct ec_plan *plan = NULL;
    struct stripe s = {NULL, {NULL}};
    int r;

    if (lost >= ec_n(ec))
        return pc_err_set(-EINVAL, "there is no shard %u of %u", lost, ec_n(ec));
    choose(ec, in_fds, lost, chosen);
    want[lost] = 1;
    r = ec_plan_new(ec, chosen, want, &plan);
    if (r == 0)
        r = stripe_init(&s, ec_n(ec));
    for (uint64_t left = stripes(ec_k(ec), size); r == 0 && left > 0; left--) {
        r = read_cells(&s, ec_n(ec), chosen, in_fds);
        if (r < 0)
            break;
        ec_plan_run(plan, PC_EC_CELL, s.cell);
        r = write_full(out_fd, s.cell[lost], PC_EC_CELL, "shard", lost);
    }
    ec_plan_free(plan);
    mem_free(s.memory);
    return r;
}
