/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as they are typed become nodes. */
#include "tree/place.h"

#include "run/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Append a path to ${path}, whose length is ${len}, name by name; the length. */
static int append(char path[PLACE_MAX], size_t len, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "/");

        if (n == 2 && text[0] == '.' && text[1] == '.') {
            while (len > 0 && path[--len] != '/')
                ;
        } else if (n > 0 && !(n == 1 && text[0] == '.')) {
            if (len + n + 2 > PLACE_MAX)
                return -ENAMETOOLONG;
            path[len++] = '/';
            memcpy(path + len, text, n);
            len += n;
        }
        text += n;
        text += strspn(text, "/");
    }
    path[len] = '\0';
    return (int)len;
}

/* Where the mount of this home is; "" if none runs. */
static void find_mount(struct cli *c, char where[PLACE_MAX])
{
    struct run_supervisor s;
    struct run_part part;
    const char *found = "";

    if (run_part_read(c->home, PART_MOUNT, &part) == 0 && part.where[0] == '/')
        found = part.where;
    else if (run_supervisor_load(c->home, &s) == 0 && s.parts[PART_MOUNT].where[0] == '/')
        found = s.parts[PART_MOUNT].where;
    if (append(where, 0, found) < 0)
        where[0] = '\0';
}

int place_path(struct cli *c, const char *text, char path[PLACE_MAX])
{
    char mount[PLACE_MAX], whole[PLACE_MAX], cwd[PLACE_MAX];
    size_t n;
    int len = 0;

    if (text[0] != '/') {
        if (!getcwd(cwd, sizeof cwd))
            return pc_err_set(-errno, "the working folder: %s", strerror(errno));
        len = append(whole, 0, cwd);
    }
    if (len >= 0)
        len = append(whole, (size_t)len, text);
    if (len < 0)
        return pc_err_set(len, "%s: the path is too long", text);
    find_mount(c, mount);
    n = strlen(mount);
    if (n > 0 && strncmp(whole, mount, n) == 0 && (whole[n] == '/' || whole[n] == '\0'))
        memmove(whole, whole + n, strlen(whole + n) + 1);
    else if (text[0] != '/')
        return pc_err_set(-EINVAL,
                          "%s: not below the mount; name it by its path in the volume, like "
                          "/photos/2026",
                          text);
    snprintf(path, PLACE_MAX, "%s", whole[0] ? whole : "/");
    return 0;
}

int place_node(struct cli *c, const char *text, struct pc_attr *attr)
{
    char path[PLACE_MAX];
    int rc = place_path(c, text, path);

    return rc < 0 ? rc : pc_resolve(c->volume, path, attr);
}

int place_new(struct cli *c, const char *text, struct pc_attr *parent, char name[PC_NAME_MAX + 1])
{
    char path[PLACE_MAX], *last;
    int rc = place_path(c, text, path);

    if (rc < 0)
        return rc;
    last = strrchr(path, '/');
    if (!last || last[1] == '\0')
        return pc_err_set(-EINVAL, "%s: the top is there already", text);
    if (strlen(last + 1) > PC_NAME_MAX)
        return pc_err_set(-ENAMETOOLONG, "%s: the name is too long", text);
    snprintf(name, PC_NAME_MAX + 1, "%s", last + 1);
    *last = '\0';
    return pc_resolve(c->volume, path, parent);
}
