/* SPDX-License-Identifier: Apache-2.0 */
/* `pcloud quota`: limits of what is below a folder. */
#include "pcloud/quota.h"
#include "out.h"
#include "tree/place.h"
#include "tree/quota.h"
#include "verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 64

/* "10G", "500 MiB", "none": bytes; powers of 1024, as everywhere here. */
static int size_read(const char *text, uint64_t *ret)
{
    static const char units[] = "KMGTPE";
    char *end;
    double number;
    const char *unit;

    if (strcmp(text, "none") == 0) {
        *ret = PC_QUOTA_NONE;
        return 0;
    }
    errno = 0;
    number = strtod(text, &end);
    while (*end == ' ')
        end++;
    unit = *end ? strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end) : NULL;
    for (const char *u = units; unit && u <= unit; u++)
        number *= 1024;
    if (unit)
        end += strcmp(end + 1, "iB") == 0 || strcmp(end + 1, "B") == 0 ? strlen(end) : 1;
    else if (strcmp(end, "B") == 0)
        end++;
    if (end == text || *end || errno || text[0] < '0' || text[0] > '9' || number > 9.2e18)
        return pc_err_set(PC_EUSAGE, "'%s' is no size; say 500M, 10G, 1.5T, or none", text);
    *ret = (uint64_t)number;
    return 0;
}

static int files_read(const char *text, uint64_t *ret)
{
    unsigned long long n;
    char *end;

    *ret = PC_QUOTA_NONE;
    if (!text || strcmp(text, "none") == 0)
        return 0;
    errno = 0;
    n = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || n > PC_QUOTA_NONE)
        return pc_err_set(PC_EUSAGE, "'%s' is no number of files and folders", text);
    *ret = n;
    return 0;
}

static int folder_find(struct cli *c, const char *path, uint64_t *ret)
{
    struct pc_attr a;
    int err = place_node(c, path, &a);

    if (err == 0)
        *ret = a.ino;
    return err;
}

static json_t *number_json(uint64_t n)
{
    return n == PC_QUOTA_NONE ? json_null() : json_integer((json_int_t)n);
}

static json_t *quota_json(const char *path, const struct pc_quota *q)
{
    return json_pack("{s:o, s:I, s:o, s:o, s:I, s:I, s:b}", "path", out_json_text(path), "inode",
                     (json_int_t)q->ino, "bytes_max", number_json(q->bytes_max), "files_max",
                     number_json(q->nodes_max), "bytes", (json_int_t)q->bytes, "files",
                     (json_int_t)q->nodes, "counting", q->counting);
}

static void path_of(struct cli *c, uint64_t ino, char path[4096])
{
    if (pc_path(c->volume, ino, path, 4096) < 0)
        snprintf(path, 4096, "?");
}

static void quota_print(const char *path, const struct pc_quota *q)
{
    char used[OUT_SIZE_MAX], max[OUT_SIZE_MAX];

    printf("%s  %s", path, out_size(q->bytes, used));
    if (q->bytes_max != PC_QUOTA_NONE)
        printf(" of %s (%.0f %%)", out_size(q->bytes_max, max),
               q->bytes_max ? 100.0 * (double)q->bytes / (double)q->bytes_max : 100.0);
    printf(", %" PRIu64, q->nodes);
    if (q->nodes_max != PC_QUOTA_NONE)
        printf(" of %" PRIu64, q->nodes_max);
    printf(" files and folders%s\n", q->counting ? " (still being counted)" : "");
}

static int show(struct cli *c, uint64_t ino, const char *named)
{
    char path[4096];
    struct pc_quota q;
    int err = pc_quota_get(c->volume, ino, &q);

    if (err == -ENODATA)
        return pc_err_set(err, "%s has no quota; `pcloud quota list` shows those there are", named);
    if (err < 0)
        return err;
    path_of(c, ino, path);
    if (cli_has(c, "json"))
        return out_json(quota_json(path, &q));
    quota_print(path, &q);
    return 0;
}

int verb_quota_set(struct cli *c)
{
    uint64_t ino = 0, bytes = PC_QUOTA_NONE, files = PC_QUOTA_NONE;
    int err = size_read(c->args[1], &bytes);

    if (err == 0)
        err = files_read(cli_value(c, "files"), &files);
    if (err == 0 && bytes == PC_QUOTA_NONE && files == PC_QUOTA_NONE)
        err = pc_err_set(PC_EUSAGE, "that limits nothing; `pcloud quota rm` takes a quota away");
    if (err == 0)
        err = cli_open_volume(c);
    if (err >= 0)
        err = folder_find(c, c->args[0], &ino);
    if (err < 0)
        return err;
    err = pc_quota_set(c->volume, ino, bytes, files);
    if (err == -ENOTDIR)
        return pc_err_set(err, "%s is no folder; quotas are for folders", c->args[0]);
    return err < 0 ? err : show(c, ino, c->args[0]);
}

int verb_quota_get(struct cli *c)
{
    uint64_t ino = 0;
    int err = cli_open_volume(c);

    if (err >= 0)
        err = folder_find(c, c->args[0], &ino);
    return err < 0 ? err : show(c, ino, c->args[0]);
}

int verb_quota_rm(struct cli *c)
{
    uint64_t ino = 0;
    int err = cli_open_volume(c);

    if (err >= 0)
        err = folder_find(c, c->args[0], &ino);
    if (err < 0)
        return err;
    err = pc_quota_rm(c->volume, ino);
    if (err == -ENODATA)
        return pc_err_set(err, "%s has no quota", c->args[0]);
    if (err == 0 && cli_has(c, "json"))
        return out_json(json_pack("{s:o}", "path", out_json_text(c->args[0])));
    return err;
}

/* Each quota in turn, in JSON if there is an array for it. */
static int each(struct cli *c, json_t *array, const char *before)
{
    struct pc_quota page[PAGE];
    char path[4096];
    uint64_t after = 0;
    int n;

    while ((n = pc_quota_list(c->volume, after, PAGE, page)) > 0) {
        for (int i = 0; i < n; i++) {
            path_of(c, page[i].ino, path);
            if (array) {
                json_array_append_new(array, quota_json(path, &page[i]));
            } else {
                fputs(before, stdout);
                quota_print(path, &page[i]);
            }
        }
        after = page[n - 1].ino;
    }
    return n;
}

int quota_print_all(struct cli *c, const char *before)
{
    return each(c, NULL, before);
}

int verb_quota_list(struct cli *c)
{
    json_t *array = NULL;
    int err = cli_open_volume(c);

    if (err < 0)
        return err;
    if (cli_has(c, "json")) {
        array = json_array();
        if (!array)
            return -ENOMEM;
    }
    err = each(c, array, "");
    if (err < 0) {
        json_decref(array);
        return err;
    }
    return array ? out_json(array) : 0;
}
