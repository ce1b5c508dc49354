/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets: splitting, percent-coding and query parameters, from the bytes as the client sent them. */
#ifndef GATEWAY_URI_H
#define GATEWAY_URI_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

#define URI_TARGET_MAX 16384
#define URI_PARAMS_MAX 64

struct uri {          /* borrowed slices of the target */
    const char *path; /* begins with "/" */
    size_t path_len;
    const char *query; /* without "?"; NULL if there is none */
    size_t query_len;
};

/** uri_split(target, ret): origin form and absolute form; anything else is PC_EFORMAT, too long is PC_ELIMIT. */
int uri_split(const char *target, struct uri *ret);

enum uri_plus { URI_PLUS_LITERAL, URI_PLUS_SPACE };
enum uri_slash { URI_SLASH_KEEP, URI_SLASH_ENCODE };

/** uri_decode(in, len, plus, out, ret_len): undo percent-coding; ${out} holds at least ${len} + 1 and gets a NUL. PC_EFORMAT. */
int uri_decode(const char *in, size_t len, enum uri_plus plus, char *out, size_t *ret_len);

/** uri_encode(b, data, len, slash): append percent-coded as SigV4 wants it: only A-Z a-z 0-9 - . _ ~ stay. */
void uri_encode(struct buf *b, const char *data, size_t len, enum uri_slash slash);

struct uri_param {
    const char *name, *value; /* decoded; value "" if there was none */
    size_t name_len, value_len;
};

struct uri_query {
    struct uri_param params[URI_PARAMS_MAX];
    size_t count;
    char *mem; /* what the params point into */
};

/** uri_query_parse(query, len, ret): decode all parameters ("+" is a space); free with uri_query_fini. PC_EFORMAT, PC_ELIMIT, -ENOMEM. */
int uri_query_parse(const char *query, size_t len, struct uri_query *ret);
void uri_query_fini(struct uri_query *q);

/** uri_query_get(q, name): the first value of that name, or NULL; ..._param: the parameter. */
const char *uri_query_get(const struct uri_query *q, const char *name);
const struct uri_param *uri_query_param(const struct uri_query *q, const char *name);

#endif
