/* SPDX-License-Identifier: Apache-2.0 */
/* One S3 request: who asks, for what, with which body; and what its operations share. */
#ifndef GATEWAY_S3_H
#define GATEWAY_S3_H

#include "access/access.h"
#include "auth/auth.h"
#include "auth/checksum.h"
#include "auth/chunk.h"
#include "auth/sigv4.h"
#include "crypt/crypt.h"
#include "gateway.h"
#include "pcloud/digest.h"
#include "pcloud/object.h"
#include "pcloud/upload.h"
#include "pcloud/user.h"
#include "req.h"
#include "s3/error.h"
#include "s3/xml_out.h"
#include "settings/cors.h"

#define S3_OBJECT_MAX (5ull << 30) /* bytes of one PUT or part */
#define S3_META_MAX 2048           /* bytes of user metadata */

struct s3;

enum s3_level { S3_SERVICE, S3_BUCKET, S3_OBJECT };
enum s3_body { S3_BODY_NONE, S3_BODY_XML, S3_BODY_OBJECT, S3_BODY_FORM };
enum s3_right { S3_READ, S3_WRITE, S3_CREATE /* the bucket need not be there */ };

struct s3_op {
    const char *name;
    enum s3_right right;
    enum s3_body body;
    int (*begin)(struct s3 *s); /* before the body is taken; may be NULL */
    int (*run)(struct s3 *s);   /* after the body: sets the reply, or returns a negative code */
};

enum s3_door { S3_DOOR_S3, S3_DOOR_WEB };
enum s3_authz { AUTHZ_DUE, AUTHZ_DONE };
enum s3_payload { S3_PAYLOAD_UNSIGNED, S3_PAYLOAD_HASH, S3_PAYLOAD_CHUNKED };

struct s3 {
    struct req *r;
    const struct gateway *gw;
    enum s3_door door;
    const struct s3_op *op;
    char id[17]; /* of the request */
    enum s3_level level;
    struct uri_query query;
    bool host_style;    /* the host names the bucket */
    const char *bucket; /* decoded; "" at the service */
    const char *key;
    size_t key_len;

    /* who asks (auth.c) */
    struct sigv4 sig;
    unsigned char signing_key[32];
    struct pc_user user;
    const char *only_bucket;   /* the key's restriction, or "" */
    bool read_only, anonymous; /* no signature: user is ACCESS_NOBODY */
    bool authentic;            /* the signature is right, or there is none */
    const char *access_key;    /* that the request names, or "" */
    const char *signature; /* its kind: "v4", "v4-url", "v2", "v2-url", "form", "none"; or NULL */
    unsigned retry_after;  /* seconds, with an error; 0: nothing is said */
    struct pc_bucket info; /* of the bucket, unless it is being created */
    struct access access;  /* what the bucket says about it */
    enum s3_authz authz;   /* was it decided (access/authz.h)? */
    const char *acl;       /* of an object to be made; NULL: the bucket's owner's, private */

    /* the body (body.c) */
    enum s3_payload payload;
    char payload_hash[65];
    uint64_t length; /* of the content, or REQ_LENGTH_NONE */
    struct chunk *chunk;
    struct pc_digest *sha, *md5, *sum;
    uint8_t md5_want[16], md5_got[16];
    char etag[33]; /* of the object that was put */
    bool md5_given;
    int sum_kind;      /* of enum pc_digest_kind; -1: none */
    char sum_want[64]; /* base64; "" if it comes in a trailer or not at all */
    bool sum_trailer;
    char sum_got[64];
    struct buf xml;
    struct pc_put *put;
    uint64_t taken; /* bytes of content so far */
    struct crypt crypt;
    struct post *post; /* the form that the body is (form/post.h) */

    struct cors_reply cors;
    char version[PC_VERSION_MAX]; /* the reply names it; "": none */
    const char *marker;           /* "true": it is a delete marker, "false": nothing is; or NULL */
    const char *code;             /* of the error, or NULL */
    const char *message;          /* of the error, if not the table's */
    struct buf extra;             /* more elements of the error */
    unsigned part;                /* of an upload */
};

/* s3.c */
extern const struct req_app s3_app; /* its ctx is a struct gateway */
/**
 * s3_begin(gw, r, door, op): s3_app.head: r->app is set. At the web address the path names the bucket and who asks is nobody; ${op} NULL: what the request says. The rest by
 * s3_app, end too.
 */
int s3_begin(const struct gateway *gw, struct req *r, enum s3_door door, const struct s3_op *op);
/** s3_fail(s, error, fmt, ...): say what is wrong in words of its own; returns ${error}. */
int s3_fail(struct s3 *s, enum s3_error error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** s3_extra(s, name, value): one more element of the error. */
void s3_extra(struct s3 *s, const char *name, const char *value);
/** s3_reply_xml(s): the reply is 200 with the XML in r->reply_body. */
int s3_reply_xml(struct s3 *s);
/** s3_param(s, name), s3_header(s, name): a query parameter, a header (of a presigned URL also one that was put into it), or NULL. */
const char *s3_param(const struct s3 *s, const char *name);
const char *s3_header(const struct s3 *s, const char *name);
/** s3_hoisted(param): does such a parameter of a presigned URL stand for the header of its name? */
bool s3_hoisted(const char *param);
/** s3_owner(s, name, ret): the user of that name; "" is the volume's owner. Never fails: unknown ones have an empty id. */
void s3_owner(struct s3 *s, const char *name, struct pc_user *ret);
/** s3_number(s, text, min, max, name, ret): a decimal argument; S3_EARGUMENT. */
int s3_number(struct s3 *s, const char *text, long min, long max, const char *name, long *ret);
/** s3_etag_plain(etag): in place, without quotes. */
char *s3_etag_plain(char *etag);

/* route.c */
int s3_resolve(struct s3 *s);
const struct s3_op *s3_route(const struct s3 *s);

/* body.c */
int body_open(struct s3 *s);
int body_feed(struct s3 *s, const void *data, size_t len);
int body_close(struct s3 *s);
void body_fini(struct s3 *s);

/* headers.c */
int headers_collect(struct s3 *s, struct buf *out);
void headers_add(struct buf *b, const char *name, const char *value);
/** headers_add_meta(s, given, value, total, out): keep an x-amz-meta- header (others are left out); ${total} counts them. */
int headers_add_meta(struct s3 *s, const char *given, const char *value, size_t *total,
                     struct buf *out);
void headers_reply(struct s3 *s, const struct pc_headers *h);
int headers_refuse(struct s3 *s);
int headers_write_condition(struct s3 *s, struct pc_condition *ret);

#endif
