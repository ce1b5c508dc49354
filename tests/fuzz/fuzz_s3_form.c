/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a form in two cuts, and its policy field against its other fields. */
#include "form/form.h"
#include "form/form_policy.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SEEN 8

struct seen {
    struct form_field fields[SEEN];
    size_t n;
    char name[32], value[1024];
    size_t len;
};

static int on_begin(void *arg, const char *name, const char *filename, const char *type)
{
    struct seen *s = arg;
    size_t len = strlen(name);

    (void)filename;
    (void)type;
    s->len = 0;
    if (len >= sizeof s->name)
        len = sizeof s->name - 1;
    memcpy(s->name, name, len);
    s->name[len] = '\0';
    return 0;
}

static int on_data(void *arg, const void *data, size_t len)
{
    struct seen *s = arg;

    if (len > sizeof s->value - 1 - s->len)
        return -1;
    memcpy(s->value + s->len, data, len);
    s->len += len;
    return 0;
}

static int on_end(void *arg)
{
    struct seen *s = arg;

    s->value[s->len] = '\0';
    if (s->n == SEEN)
        return 0;
    s->fields[s->n].name = strdup(s->name);
    s->fields[s->n].value = strdup(s->value);
    s->n++;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen s = {.n = 0};
    const struct form_sink sink = {on_begin, on_data, on_end, &s};
    struct form_limits limits;
    char message[256];
    struct form f;
    size_t cut = size ? data[0] % size : 0;

    if (size < 2 || form_init(&f, "multipart/form-data; boundary=xx") < 0)
        return 0;
    if (form_feed(&f, &sink, data + 1, cut > 0 ? cut - 1 : 0) == 0)
        form_feed(&f, &sink, data + (cut > 0 ? cut : 1), size - (cut > 0 ? cut : 1));
    for (size_t i = 0; i < s.n; i++)
        if (strcmp(s.fields[i].name, "policy") == 0)
            form_policy_check(s.fields[i].value, strlen(s.fields[i].value), 0, "b", s.fields, s.n,
                              &limits, message);
    for (size_t i = 0; i < s.n; i++) {
        free((void *)(uintptr_t)s.fields[i].name);
        free((void *)(uintptr_t)s.fields[i].value);
    }
    return 0;
}
