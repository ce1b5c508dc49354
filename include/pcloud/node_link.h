/* SPDX-License-Identifier: Apache-2.0 */
/* The socket between the core and the node: kinds of message, framing, limits; never a volume key. */
#ifndef PCLOUD_NODE_LINK_H
#define PCLOUD_NODE_LINK_H

#include <stdint.h>

/*
 * The node (pcloud-netd) faces strangers; the core holds the keys. They meet on one Unix stream socket,
 * $PCLOUD_HOME/run/node.sock (mode 0600), where the node listens. What may cross: ciphertext, shards, names, jobs. What
 * never crosses, in either direction: a volume secret, a purpose key, a passphrase, plaintext. A node that lies can lose
 * data or refuse it; it cannot read or forge any, since the core verifies each block by its own key.
 *
 * Framing. Each message is a header of PC_LINK_HEADER_BYTES bytes, integers little-endian, then `length` bytes of body:
 *
 *     offset 0   u32  length of the body, at most PC_LINK_BODY_MAX
 *     offset 4   u16  kind, one of enum pc_link_kind
 *     offset 6   u16  flags, enum pc_link_flag
 *     offset 8   u64  request id, chosen by the asker, not 0, not reused on this connection
 *
 * The first message each way is PC_LINK_HELLO with the version. An asker may have PC_LINK_INFLIGHT_MAX requests open;
 * every request gets exactly one answer with its id and PC_LINK_ANSWER set, in any order: its body, or PC_LINK_ERROR.
 * Who sees a length above the maximum, an unknown flag, or a kind out of place closes the connection.
 */

#define PC_LINK_VERSION 1
#define PC_LINK_HEADER_BYTES 16
#define PC_LINK_BODY_MAX (4u * 1024 * 1024 + 4096)
#define PC_LINK_INFLIGHT_MAX 256
#define PC_LINK_NAME_MAX 1024
#define PC_LINK_SHARD_ID_BYTES 32

enum pc_link_flag {
    PC_LINK_ANSWER = 1 << 0, /* belongs to the request with this id */
    PC_LINK_MORE = 1 << 1,   /* another part of the same answer follows */
};

enum pc_link_kind {
    PC_LINK_HELLO = 1, /* u32 version, u32 reserved (0); an unknown version is an error */
    PC_LINK_ERROR = 2, /* i32 code (pcloud/err.h), then the text: what, why, what to do next */

    /* asked by the core */
    PC_LINK_STATUS = 16,       /* -> state and its reason, peer id, addresses, peers, as JSON */
    PC_LINK_SHARD_PUT = 17,    /* shard id, policy, owner hint, ciphertext -> who holds it */
    PC_LINK_SHARD_GET = 18,    /* shard id, offset, length -> ciphertext */
    PC_LINK_SHARD_AUDIT = 19,  /* shard id, leaf, nonce -> leaf and its Merkle path */
    PC_LINK_SHARD_DROP = 20,   /* shard id: no longer paid for */
    PC_LINK_NAME_PUBLISH = 21, /* name, signed record made by the core */
    PC_LINK_NAME_RESOLVE = 22, /* name -> signed record, verified by the core */
    PC_LINK_SITE_PUBLISH = 23, /* name, root: the blocks of a site are public by the owner's will */
    PC_LINK_JOB_SUBMIT = 24,   /* job as JSON, inputs as shards -> job id */
    PC_LINK_JOB_STATUS = 25,   /* job id -> state and its reason */
    PC_LINK_PEER_CONNECT = 26, /* multiaddr */

    /* told by the node, no answer */
    PC_LINK_EVENT_STATE = 64, /* the node's state changed: as PC_LINK_STATUS's answer */
    PC_LINK_EVENT_SHARD = 65, /* shard id, how many distinct owners are reachable now */
    PC_LINK_EVENT_JOB = 66,   /* job id, state and its reason */
};

/* One header as both sides keep it in memory. */
struct pc_link_header {
    uint32_t length;
    uint16_t kind;
    uint16_t flags;
    uint64_t id;
};

#endif
