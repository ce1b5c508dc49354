/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the configuration file: any text is read or refused, and changing a key never spoils what was good. */
#include "base/config_file.h"
#include "pcloud/err.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How often the text sets the key. */
static unsigned count(struct config_span text, const char *key)
{
    struct config_line line;
    unsigned n = 0;

    while (config_line_next(&text, &line)) {
        if (line.kind == CONFIG_LINE_ENTRY && line.key.len == strlen(key) &&
            memcmp(line.key.p, key, line.key.len) == 0)
            n++;
    }
    return n;
}

static void edit(struct config_span text, enum pc_config_id id, bool set, bool was_good)
{
    const struct pc_config_entry *e = pc_config_entry(id);
    struct pc_config *config = NULL;
    char *out = NULL;
    size_t len = 0;
    int r;

    if (config_edit(text, e->key, set ? e->def : NULL, &out, &len) < 0)
        abort();
    if (count((struct config_span){out, len}, e->key) != set)
        abort();
    r = config_parse((struct config_span){out, len}, "edited", &config);
    if (was_good && r < 0)
        abort();
    if (r == 0 && (pc_config_is_set(config, id) != set ||
                   (set && strcmp(pc_config_str(config, id), e->def) != 0)))
        abort();
    pc_config_free(config);
    free(out);
}

/* The first byte picks the key that is changed, and whether it is set or removed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pc_config *config = NULL;
    struct config_span text;
    unsigned pick;
    int r;

    if (size == 0)
        return 0;
    pick = data[0];
    text = (struct config_span){(const char *)data + 1, size - 1};
    r = config_parse(text, "input", &config);
    if (r != 0 && r != PC_EFORMAT)
        abort();
    pc_config_free(config);
    edit(text, (enum pc_config_id)(pick / 2 % PC_CONFIG_COUNT), pick % 2 != 0, r == 0);
    return 0;
}
