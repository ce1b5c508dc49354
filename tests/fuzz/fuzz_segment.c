/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a key and as a name: every segment's name means the segment, every taken name is the segment's. */
#include "tree/segment.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void try_segment(const char *seg, size_t len, bool twin)
{
    char name[SEGMENT_NAME_MAX + 1];
    struct name_target t;
    bool folder = segment_is_folder(seg, len);

    segment_to_name(seg, len, twin, name);
    must(strlen(name) > 0 && !strchr(name, '/') && name_to_target(name, &t) == 0);
    if (t.form == NAME_PLAIN)
        must(t.len == len - folder && memcmp(t.seg, seg, t.len) == 0);
    else if (t.form == NAME_EXACT)
        must(t.len == len && memcmp(t.seg, seg, len) == 0);
    else
        must(segment_digest_matches(&t, seg, len));
}

static void try_name(const char *name)
{
    char again[SEGMENT_NAME_MAX + 1];
    struct name_target t;

    if (name_to_target(name, &t) < 0 || t.form == NAME_DIGEST)
        return;
    segment_to_name(t.seg, t.len, t.form == NAME_EXACT && !t.folder, again);
    must(strcmp(again, name) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *key = (const char *)data, *seg;
    size_t pos = 0, len, sum = 0;
    char name[SEGMENT_MAX + 1];

    if (size > SEGMENT_MAX)
        size = SEGMENT_MAX;
    while (segment_next(key, size, &pos, &seg, &len)) {
        must(seg == key + sum && len > 0);
        sum += len;
        try_segment(seg, len, size % 2);
        top_is_bucket(seg, len);
    }
    must(sum == size);
    if (size > 0)
        memcpy(name, data, size);
    name[size] = '\0';
    try_name(name);
    return 0;
}
