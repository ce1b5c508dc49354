/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as text: its lines, its typed values, and changing one line. */
#ifndef BASE_CONFIG_FILE_H
#define BASE_CONFIG_FILE_H

#include "pcloud/config.h"

#include <stddef.h>

#define CONFIG_FILE_MAX (1u << 20) /* bytes of the file */
#define CONFIG_WANT_MAX 256        /* bytes of config_value_want's sentence, with NUL */

/* A piece of the text; not NUL-terminated. */
struct config_span {
    const char *p;
    size_t len;
};

enum config_line_kind { CONFIG_LINE_EMPTY, CONFIG_LINE_ENTRY, CONFIG_LINE_BAD };

struct config_line {
    enum config_line_kind kind;
    struct config_span whole;      /* with its newline, if it has one */
    struct config_span key, value; /* of a bad line: ${key} is all of it, trimmed */
};

/** config_line_next(text, line): take the first line off ${text}; false if nothing is left. */
bool config_line_next(struct config_span *text, struct config_line *line);

/** config_value_check(id, value, ret_num): the number a value stands for (strings: 0; words: their index); PC_EFORMAT without a message. */
int config_value_check(enum pc_config_id id, struct config_span value, int64_t *ret_num);

/** config_value_want(id, buf): what is allowed, to follow "must be". */
void config_value_want(enum pc_config_id id, char buf[CONFIG_WANT_MAX]);

/** config_key_find(key): the id, or -1. */
int config_key_find(struct config_span key);

/** config_parse(text, name, ret): as pc_config_load, of a text; ${name} is for messages. */
int config_parse(struct config_span text, const char *name, struct pc_config **ret);

/**
 * config_edit(text, key, value, ret, ret_len): the text with the line of ${key} replaced, or added at the end; ${value} NULL: without it.
 * Later lines of the same key go. The caller frees. -ENOMEM.
 */
int config_edit(struct config_span text, const char *key, const char *value, char **ret,
                size_t *ret_len);

#endif
