/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what lies under a client's key: from any byte on, frame by frame, over the borders of parts. */
#include "crypt/crypt.h"

#include "pcloud/err.h"
#include "pcloud/keys.h"
#include "pcloud/upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE (PC_SEALED_FRAME + PC_SEALED_TAG)
#define AT_ONCE 4 /* frames read together */
#define NONE UINT64_MAX

struct piece { /* a stream: the object, or a part of it */
    uint64_t at, plain_at;
    uint64_t plain;
};

struct crypt_reader {
    struct pc_reader *reader;
    struct pc_sealed_key *key;
    struct pc_opener *opener;
    struct piece *pieces;
    unsigned count, parts;
    uint64_t size;   /* plain */
    uint64_t opened; /* the piece that the opener is set to; NONE */
    uint64_t there;  /* the frame of it that is in plain; NONE */
    size_t there_len;
    uint8_t plain[PC_SEALED_FRAME];
    uint8_t sealed[AT_ONCE * WHOLE];
};

/* ${sizes}: of the pieces as they lie. */
static int lay_out(struct crypt_reader *c, const uint64_t *sizes)
{
    uint64_t at = 0;
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < c->count; i++) {
        struct piece *p = &c->pieces[i];

        p->at = at;
        p->plain_at = c->size;
        rc = pc_sealed_plain(sizes[i], &p->plain);
        if (rc == 0) {
            at += sizes[i];
            c->size += p->plain;
        }
    }
    return rc;
}

static int set_up(struct crypt_reader *c, uint64_t size)
{
    uint64_t *sizes = calloc(c->count, sizeof *sizes);
    int rc = pc_opener_new(&c->opener);

    c->pieces = calloc(c->count, sizeof *c->pieces);
    if (rc == 0 && (!sizes || !c->pieces))
        rc = -ENOMEM;
    if (rc == 0) {
        sizes[0] = size;
        if (c->parts > 0)
            rc = pc_reader_parts(c->reader, sizes, c->parts);
        if (rc >= 0 && c->parts > 0)
            rc = (unsigned)rc == c->parts ? 0 : PC_ECORRUPT;
    }
    if (rc == 0)
        rc = lay_out(c, sizes);
    free(sizes);
    return rc;
}

int crypt_reader_new(struct pc_reader *reader, unsigned parts, uint64_t size,
                     struct pc_sealed_key *key, struct crypt_reader **ret)
{
    struct crypt_reader *c = parts > PC_PARTS_MAX ? NULL : malloc(sizeof *c);
    int rc;

    if (!c) {
        pc_sealed_key_free(key);
        return -ENOMEM;
    }
    memset(c, 0, offsetof(struct crypt_reader, plain));
    c->reader = reader;
    c->key = key;
    c->parts = parts;
    c->count = parts ? parts : 1;
    c->opened = c->there = NONE;
    rc = set_up(c, size);
    if (rc < 0) {
        crypt_reader_free(c);
        return rc;
    }
    *ret = c;
    return 0;
}

void crypt_reader_free(struct crypt_reader *c)
{
    if (!c)
        return;
    pc_wipe(c->plain, sizeof c->plain);
    pc_opener_free(c->opener);
    pc_sealed_key_free(c->key);
    free(c->pieces);
    free(c);
}

uint64_t crypt_reader_size(const struct crypt_reader *c)
{
    return c->size;
}

int crypt_reader_part(const struct crypt_reader *c, unsigned number, uint64_t *ret_off,
                      uint64_t *ret_len)
{
    if (number == 0 || number > c->count)
        return PC_EPART;
    *ret_off = c->pieces[number - 1].plain_at;
    *ret_len = c->pieces[number - 1].plain;
    return 0;
}

/* All of it or an error. */
static int read_sealed(struct crypt_reader *c, void *buf, size_t len, uint64_t at)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pc_reader_read(c->reader, (uint8_t *)buf + done, len - done, at + done);

        if (n <= 0)
            return n < 0 ? (int)n : -EIO;
        done += (size_t)n;
    }
    return 0;
}

/* The piece that the byte lies in; empty ones are passed over. */
static unsigned piece_of(const struct crypt_reader *c, uint64_t off)
{
    unsigned low = 0, high = c->count - 1;

    while (low < high) {
        unsigned mid = low + (high - low + 1) / 2;

        if (c->pieces[mid].plain_at <= off)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

static int open_piece(struct crypt_reader *c, unsigned n)
{
    uint8_t head[PC_SEALED_HEAD];
    int rc;

    if (c->opened == n)
        return 0;
    c->opened = c->there = NONE;
    rc = read_sealed(c, head, sizeof head, c->pieces[n].at);
    if (rc == 0)
        rc = pc_opener_head(c->opener, c->key, head);
    if (rc == 0)
        c->opened = n;
    return rc;
}

static size_t frame_len(const struct piece *p, uint64_t frame)
{
    uint64_t left = p->plain - frame * PC_SEALED_FRAME;

    return left < PC_SEALED_FRAME ? (size_t)left : PC_SEALED_FRAME;
}

static int open_frame(struct crypt_reader *c, const struct piece *p, uint64_t frame,
                      const uint8_t *in, void *out)
{
    size_t len = frame_len(p, frame);
    bool last = frame * PC_SEALED_FRAME + len == p->plain;

    return pc_opener_frame(c->opener, frame, last ? PC_SEALED_LAST : PC_SEALED_MORE, in,
                           len + PC_SEALED_TAG, out);
}

/* Whole frames from ${frame} on, straight to ${buf}; the bytes that came. */
static ssize_t read_frames(struct crypt_reader *c, const struct piece *p, uint64_t frame, void *buf,
                           size_t len)
{
    size_t want = 0, got = 0;
    unsigned n = 0;
    int rc;

    while (n < AT_ONCE && (frame + n) * PC_SEALED_FRAME < p->plain &&
           got + frame_len(p, frame + n) <= len) {
        got += frame_len(p, frame + n);
        want += frame_len(p, frame + n) + PC_SEALED_TAG;
        n++;
    }
    rc = read_sealed(c, c->sealed, want, p->at + PC_SEALED_HEAD + frame * WHOLE);
    for (unsigned i = 0; rc == 0 && i < n; i++)
        rc = open_frame(c, p, frame + i, c->sealed + (size_t)i * WHOLE,
                        (uint8_t *)buf + (size_t)i * PC_SEALED_FRAME);
    return rc < 0 ? rc : (ssize_t)got;
}

/* A piece of one frame, which is kept for what comes next. */
static ssize_t read_within(struct crypt_reader *c, const struct piece *p, uint64_t off, void *buf,
                           size_t len)
{
    uint64_t frame = off / PC_SEALED_FRAME;
    size_t from = (size_t)(off % PC_SEALED_FRAME), there = frame_len(p, frame);
    int rc = 0;

    if (c->there != frame) {
        c->there = NONE;
        rc = read_sealed(c, c->sealed, there + PC_SEALED_TAG,
                         p->at + PC_SEALED_HEAD + frame * WHOLE);
        if (rc == 0)
            rc = open_frame(c, p, frame, c->sealed, c->plain);
        if (rc < 0)
            return rc;
        c->there = frame;
    }
    len = len < there - from ? len : there - from;
    memcpy(buf, c->plain + from, len);
    return (ssize_t)len;
}

ssize_t crypt_reader_read(struct crypt_reader *c, void *buf, size_t len, uint64_t off)
{
    size_t done = 0;

    if (off >= c->size)
        return 0;
    if (len > c->size - off)
        len = (size_t)(c->size - off);
    while (done < len) {
        unsigned n = piece_of(c, off + done);
        const struct piece *p = &c->pieces[n];
        uint64_t at = off + done - p->plain_at, frame = at / PC_SEALED_FRAME;
        ssize_t got = open_piece(c, n);

        if (got == 0)
            got =
                at % PC_SEALED_FRAME == 0 && c->there != frame && len - done >= frame_len(p, frame)
                    ? read_frames(c, p, frame, (uint8_t *)buf + done, len - done)
                    : read_within(c, p, at, (uint8_t *)buf + done, len - done);
        if (got < 0)
            return got;
        done += (size_t)got;
    }
    return (ssize_t)done;
}
