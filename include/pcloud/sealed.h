/* SPDX-License-Identifier: Apache-2.0 */
/* Content under a key that is somebody else's: streams of sealed frames that can be read from anywhere (docs/FORMATS.md). */
#ifndef PCLOUD_SEALED_H
#define PCLOUD_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PC_SEALED_KEY 32            /* bytes of a key */
#define PC_SEALED_MARK 32           /* by which a key is known again */
#define PC_SEALED_HEAD 64           /* bytes before the first frame */
#define PC_SEALED_FRAME (64u << 10) /* plain bytes of every frame but the last */
#define PC_SEALED_TAG 16            /* bytes that a frame is longer by */

/* A key in locked memory that is kept out of core dumps and wiped when freed. Read-only: any thread. */
struct pc_sealed_key;

/** pc_sealed_key_new(raw, ret): a copy; the caller wipes ${raw}. -ENOMEM. */
int pc_sealed_key_new(const uint8_t raw[PC_SEALED_KEY], struct pc_sealed_key **ret);
void pc_sealed_key_free(struct pc_sealed_key *k);

/** pc_sealed_key_mark(k, out): a new mark of the key: a random salt and a MAC under the key over it. It tells nothing of the key but whether a guess is right. */
void pc_sealed_key_mark(const struct pc_sealed_key *k, uint8_t out[PC_SEALED_MARK]);
/** pc_sealed_key_fits(k, mark): is ${mark} one of this key? In constant time. */
bool pc_sealed_key_fits(const struct pc_sealed_key *k, const uint8_t mark[PC_SEALED_MARK]);

/** pc_sealed_key_name(k, digest, out): of a digest of content, what names the content to those who have the key and tells nothing to others. */
void pc_sealed_key_name(const struct pc_sealed_key *k, const uint8_t digest[16], uint8_t out[16]);

/** pc_sealed_size(plain): bytes of a stream with so much content; ${plain} up to 2^60. */
uint64_t pc_sealed_size(uint64_t plain);
/** pc_sealed_plain(sealed, ret): the reverse; PC_ECORRUPT if no stream is so long. */
int pc_sealed_plain(uint64_t sealed, uint64_t *ret);

struct pc_sealed_sink { /* takes what a sealer makes: 0, or a negative code that is passed on */
    int (*take)(void *arg, const void *data, size_t len);
    void *arg;
};

/* Makes one stream. One thread at a time. */
struct pc_sealer;
/** pc_sealer_new(k, ret): a new stream under a key of its own, derived from ${k} (not needed afterwards) and a random salt. -ENOMEM, -EIO. */
int pc_sealer_new(const struct pc_sealed_key *k, struct pc_sealer **ret);
/** pc_sealer_write(s, data, len, sink): the next content. After an error the stream is of no use. */
int pc_sealer_write(struct pc_sealer *s, const void *data, size_t len,
                    const struct pc_sealed_sink *sink);
/** pc_sealer_end(s, sink): the last frame. */
int pc_sealer_end(struct pc_sealer *s, const struct pc_sealed_sink *sink);
void pc_sealer_free(struct pc_sealer *s);

/* Opens frames of one stream after another. One thread at a time. */
struct pc_opener;
/** pc_opener_new(ret): -ENOMEM. */
int pc_opener_new(struct pc_opener **ret);
/** pc_opener_head(o, k, head): from now on frames of the stream that begins so. PC_ECORRUPT, PC_EVERSION, -EIO. */
int pc_opener_head(struct pc_opener *o, const struct pc_sealed_key *k,
                   const uint8_t head[PC_SEALED_HEAD]);

enum pc_sealed_place { PC_SEALED_MORE, PC_SEALED_LAST };
/** pc_opener_frame(o, number, place, in, len, out): frame ${number} from 0, ${len} bytes with its tag, to ${out} (${len} - PC_SEALED_TAG). PC_ECORRUPT: it is not that. */
int pc_opener_frame(struct pc_opener *o, uint64_t number, enum pc_sealed_place place,
                    const void *in, size_t len, void *out);
void pc_opener_free(struct pc_opener *o);

#endif
