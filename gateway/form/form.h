/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of multipart/form-data, taken apart as they come: no I/O, a bounded state. */
#ifndef GATEWAY_FORM_H
#define GATEWAY_FORM_H

#include <stdbool.h>
#include <stddef.h>

#define FORM_BOUNDARY_MAX 70
#define FORM_HEAD_MAX 8192 /* bytes of the headers of one part */
#define FORM_NAME_MAX 1024

/* What the parts are given to; a negative result ends the reading. */
struct form_sink {
    /* filename NULL: there is none */
    int (*begin)(void *arg, const char *name, const char *filename, const char *type);
    int (*data)(void *arg, const void *data, size_t len);
    int (*end)(void *arg);
    void *arg;
};

enum form_state { FORM_PREAMBLE, FORM_DELIMITED, FORM_HEAD, FORM_BODY, FORM_DONE };

struct form {
    char mark[FORM_BOUNDARY_MAX + 5]; /* "\r\n--boundary" */
    size_t mark_len, matched;
    enum form_state state;
    char line[3]; /* what follows a mark */
    size_t line_len;
    char head[FORM_HEAD_MAX + 1];
    size_t head_len;
};

/** form_init(f, content_type): PC_EFORMAT if that names no multipart/form-data with a boundary. */
int form_init(struct form *f, const char *content_type);

/** form_feed(f, sink, data, len): the next bytes. PC_EFORMAT, PC_ELIMIT (the headers of a part), or what the sink said. */
int form_feed(struct form *f, const struct form_sink *sink, const void *data, size_t len);

/** form_whole(f): did the last mark come? */
bool form_whole(const struct form *f);

#endif
