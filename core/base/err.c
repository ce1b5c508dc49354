/* SPDX-License-Identifier: Apache-2.0 */
/* Error codes, their texts, and each thread's message about its last failure. */
#include "pcloud/err.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX 512

/* No destructor and no allocation: the message is the thread's own static memory. */
static _Thread_local char message[MESSAGE_MAX];
static _Thread_local int message_code;

#define TEXT_OF(name, value, text) {(value), #name, (text)},
static const struct {
    int code;
    const char *name, *text;
} table[] = {PC_ERROR_TABLE(TEXT_OF)};
#undef TEXT_OF

#define TABLE_SIZE (sizeof table / sizeof table[0])

const char *pc_strerror(int code)
{
    const char *text = NULL;

    for (size_t i = 0; i < TABLE_SIZE; i++) {
        if (table[i].code == code)
            return table[i].text;
    }
    if (code <= 0 && code > -4096)
        text = strerrordesc_np(-code);
    return text ? text : "unknown error";
}

const char *pc_err_name(int code)
{
    const char *name = NULL;

    for (size_t i = 0; i < TABLE_SIZE; i++) {
        if (table[i].code == code)
            return table[i].name;
    }
    if (code < 0 && code > -4096)
        name = strerrorname_np(-code);
    return name ? name : "E?";
}

/* Take over ${text}, formatted aside because its arguments may be the present message. */
static void keep(int code, const char *text)
{
    size_t len = strlen(text);

    if (len == MESSAGE_MAX - 1)
        len = utf8_cut(text, len);
    memcpy(message, text, len);
    message[len] = 0;
    message_code = code;
}

int pc_err_set(int code, const char *fmt, ...)
{
    int saved = errno;
    char text[MESSAGE_MAX];
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        text[0] = 0;
    va_end(ap);
    keep(code, text);
    errno = saved;
    return code;
}

int pc_err_wrap(int code, const char *fmt, ...)
{
    int saved = errno;
    char text[MESSAGE_MAX];
    size_t used;
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        text[0] = 0;
    va_end(ap);
    used = strlen(text);
    (void)snprintf(text + used, sizeof text - used, "%s", pc_err_text(code));
    keep(code, text);
    errno = saved;
    return code;
}

const char *pc_err_text(int code)
{
    return message_code == code && message[0] ? message : pc_strerror(code);
}
