/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption that requests ask for: by the volume (AES256), in a key's name (aws:kms), or under the client's own key (SSE-C). */
#ifndef GATEWAY_CRYPT_H
#define GATEWAY_CRYPT_H

#include "buf.h"
#include "pcloud/object.h"
#include "pcloud/sealed.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CRYPT_KEY_ID_MAX 2048 /* characters of the name of a key */

struct crypt_reader;
struct s3;

struct crypt {                        /* what a request says about encryption */
    struct pc_sealed_key *key;        /* the client's; NULL: none came */
    struct pc_sealed_key *source_key; /* of the source of a copy */
    char md5[25];                     /* of the client's key, as it came */
    struct pc_sealer *sealer;         /* of the content that is coming in */
    struct crypt_reader *reader;      /* of the content that is going out, if it is sealed */
    const char *kms;                  /* "aws:kms" or "aws:kms:dsse"; NULL: AES256 */
    const char *kms_key;              /* its name */
    bool bucket_key;
};

/* customer.c: keys of clients */

/** crypt_parse(s): take the client's keys out of the headers, and wipe them there. S3's errors for what is wrong with them. */
int crypt_parse(struct s3 *s);
/** crypt_fini(s): wipe and free. */
void crypt_fini(struct s3 *s);
/** crypt_is_sealed(h): is the content of the object or upload with these headers under a client's key? */
bool crypt_is_sealed(const struct pc_headers *h);
/** crypt_size(h, size): the size to tell of an object with so many bytes. */
uint64_t crypt_size(const struct pc_headers *h, uint64_t size);
/** crypt_size_stored(s, key, len, version, size): a size that the client says an object has becomes the one that is stored, for a condition on it. */
int crypt_size_stored(struct s3 *s, const char *key, size_t len, const char *version,
                      uint64_t *size);
/** crypt_part_size(h, size): the same of a part of an upload. */
uint64_t crypt_part_size(const struct pc_headers *h, uint64_t size);
/** crypt_fits(s, h): is the request's key that of the object, if it has one? Else the errors of reading. */
int crypt_fits(struct s3 *s, const struct pc_headers *h);
/** crypt_fits_source(s, h): the same for the source of a copy and its key. */
int crypt_fits_source(struct s3 *s, const struct pc_headers *h);
enum crypt_need { CRYPT_OPTIONAL, CRYPT_NEEDED };
/** crypt_fits_upload(s, h, need): the same for an upload's headers, with the errors of parts; a key that is not needed may be missing. */
int crypt_fits_upload(struct s3 *s, const struct pc_headers *h, enum crypt_need need);

/* request.c: what is to be done, kept and told */

/** crypt_wanted(s): how the object to be made is to be encrypted: by the headers, else as the bucket's settings say. */
int crypt_wanted(struct s3 *s);
/** crypt_collect(s, out): the headers that stay with an object or upload. */
void crypt_collect(struct s3 *s, struct buf *out);
/** crypt_collect_size(size, out): and with a sealed object how long its content is. */
void crypt_collect_size(uint64_t size, struct buf *out);
/** crypt_is_own(name): is it a header that crypt_collect keeps? */
bool crypt_is_own(const char *name);
/** crypt_reply(s, h): say how the object or upload with these headers is encrypted. */
void crypt_reply(struct s3 *s, const struct pc_headers *h);
/** crypt_check(s, out): a bucket's document of encryption, for settings.c. */
int crypt_check(struct s3 *s, struct buf *out);

/* content.c: on its way in */

/** crypt_write(s, put, data, len): content to ${put}, sealed if the request brought a key. crypt_end: there is no more. */
int crypt_write(struct s3 *s, struct pc_put *put, const void *data, size_t len);
int crypt_end(struct s3 *s, struct pc_put *put);
/** crypt_etag(s, md5, out): hex of ${md5}, or of a MAC of it for what is under a client's key: a part sent twice has one ETag. */
void crypt_etag(const struct s3 *s, const uint8_t md5[16], char out[33]);
/** crypt_open(s, o, reader): the reply will be of this object, whose key was seen to fit (crypt_fits): o->size becomes what is told, and s->crypt.reader
 *  reads the content if it is sealed; ${reader} (NULL: only the size is wanted) is borrowed. */
int crypt_open(struct s3 *s, struct pc_object *o, struct pc_reader *reader);

/* copy.c */

struct crypt_copy { /* bytes of an object on their way to another */
    const char *bucket, *key;
    size_t len;
    const char *version, *etag; /* of the source: which one, and as it was looked at */
    uint64_t off, size;         /* plain; size UINT64_MAX: all, and then it is set */
    int sum_kind;               /* of enum pc_digest_kind; -1: none */
    char sum[64];               /* base64 */
};
/** crypt_copy(s, copy, ret, etag): read, open and seal as the request's two keys say; the caller commits *ret. PC_EPRECONDITION: the source is another by now. */
int crypt_copy(struct s3 *s, struct crypt_copy *copy, struct pc_put **ret, char etag[33]);

/* reader.c */

/** crypt_reader_new(reader, parts, size, key, ret): what lies sealed in ${reader}, in so many parts (0: one piece). Takes ${key} in any case. */
int crypt_reader_new(struct pc_reader *reader, unsigned parts, uint64_t size,
                     struct pc_sealed_key *key, struct crypt_reader **ret);
/** crypt_reader_read(c, buf, len, off): as pc_reader_read, in plain bytes; PC_ECORRUPT. */
ssize_t crypt_reader_read(struct crypt_reader *c, void *buf, size_t len, uint64_t off);
/** crypt_reader_part(c, number, ret_off, ret_len): as pc_reader_part, in plain bytes. */
int crypt_reader_part(const struct crypt_reader *c, unsigned number, uint64_t *ret_off,
                      uint64_t *ret_len);
uint64_t crypt_reader_size(const struct crypt_reader *c);
void crypt_reader_free(struct crypt_reader *c);

#endif
