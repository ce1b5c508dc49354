/* SPDX-License-Identifier: Apache-2.0 */
/* Systematic Reed–Solomon coding of packs into shards. */
#ifndef PCLOUD_EC_H
#define PCLOUD_EC_H

#include <stddef.h>
#include <stdint.h>

#define PC_EC_MAX 128    /* shards of one stripe set */
#define PC_EC_CELL 65536 /* bytes of one shard in one stripe */

struct pc_ec_policy {
    unsigned k; /* shards that suffice */
    unsigned n; /* shards in all */
};

/**
 * pc_ec_policy(owners): the policy for so many distinct owners (DESIGN §6): 1: 1/1, 2: 1/2, 3: 1/3, 4–9: 2/4 up to 3/6, then 10/20, 10/30
 * and from 80 on 29/80. The table is in core/ec/policy.c and in docs/FORMATS.md.
 */
struct pc_ec_policy pc_ec_policy(unsigned owners);

struct pc_ec;

/** pc_ec_new(k, n, ret): coder for 1 ≤ k ≤ n ≤ PC_EC_MAX; -EINVAL, -ENOMEM. Immutable: any thread. */
int pc_ec_new(unsigned k, unsigned n, struct pc_ec **ret);
void pc_ec_free(struct pc_ec *ec);

/** pc_ec_encode(ec, len, data, parity): ${data}[k] and ${parity}[n-k] are buffers of ${len} bytes; fills the parity. */
void pc_ec_encode(const struct pc_ec *ec, size_t len, uint8_t *const *data, uint8_t *const *parity);

/**
 * pc_ec_rebuild(ec, len, shards, present, want): ${shards}[n] buffers of ${len} bytes; those with ${present}[i] hold content; the ones with
 * ${want}[i] and not present are computed into theirs. PC_EUNRECOVERABLE with fewer than k present, -ENOMEM.
 */
int pc_ec_rebuild(const struct pc_ec *ec, size_t len, uint8_t *const *shards,
                  const uint8_t *present, const uint8_t *want);

/** pc_ec_verify(ec, len, shards): 0 if all n agree, PC_ECORRUPT otherwise, -ENOMEM. */
int pc_ec_verify(const struct pc_ec *ec, size_t len, uint8_t *const *shards);

/* Streaming: a file of any length cut into stripes of k cells; the last one padded with zeros. Descriptors are used from their present position on. */

/** pc_ec_shard_size(k, size): bytes of each shard for a file of ${size} bytes. */
uint64_t pc_ec_shard_size(unsigned k, uint64_t size);

/** pc_ec_encode_fd(ec, in_fd, size, out_fds): read ${size} bytes and write n shards; -EIO and other system errors. Memory: n cells. */
int pc_ec_encode_fd(const struct pc_ec *ec, int in_fd, uint64_t size, const int *out_fds);

/**
 * pc_ec_decode_fd(ec, size, in_fds, out_fd): write the file from any k of the shards (in_fds[i] < 0: lost). PC_EUNRECOVERABLE. Shards are
 * taken to be right: verify their digests before.
 */
int pc_ec_decode_fd(const struct pc_ec *ec, uint64_t size, const int *in_fds, int out_fd);

/** pc_ec_rebuild_fd(ec, size, in_fds, lost, out_fd): write the one shard ${lost} from any k others. */
int pc_ec_rebuild_fd(const struct pc_ec *ec, uint64_t size, const int *in_fds, unsigned lost,
                     int out_fd);

#endif
