/* SPDX-License-Identifier: Apache-2.0 */
/* `pcloud user`, `pcloud key`, `pcloud bucket`: S3 identities and what they own. */
#include "users.h"
#include "out.h"
#include "pcloud/object.h"
#include "verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USERS_MAX (1 << 20)

static const char *role_name(enum pc_role role)
{
    return role == PC_ROLE_ADMIN ? "admin" : "user";
}

/* The contract's object. ${k} NULL: a user without a key. */
static json_t *user_json(const struct pc_user *u, const struct pc_access_key *k)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:s}", "user", u->name, "id", u->id,
                          "display_name", u->name, "email", out_json_text(u->email), "role",
                          role_name(u->role), "access_key", k ? k->access_key : "", "secret_key",
                          k ? k->secret_key : "");

    if (o && k &&
        (json_object_set_new(o, "bucket", json_string(k->bucket)) != 0 ||
         json_object_set_new(o, "read_only", json_boolean(k->read_only)) != 0)) {
        json_decref(o);
        return NULL;
    }
    return o;
}

struct pick {
    bool any_role;
    bool found;
    struct pc_access_key *ret;
};

static int pick_one(void *arg, const struct pc_access_key *k)
{
    struct pick *p = arg;

    if (p->found || *k->bucket || k->read_only || (!p->any_role && k->user.role != PC_ROLE_ADMIN))
        return 0;
    *p->ret = *k;
    p->found = true;
    return 0;
}

int users_pick_key(struct pc_volume *v, const char *user, struct pc_access_key *ret)
{
    struct pick p = {.any_role = user != NULL, .ret = ret};
    int err = pc_key_list(v, user, pick_one, &p);

    if (err < 0)
        return err;
    if (!p.found)
        return pc_err_set(PC_ENOUSER,
                          "%s has no unrestricted access key; make one with `pcloud key add`",
                          user ? user : "no admin");
    return 0;
}

/* Check what can be checked without opening the volume. */
static int check_keys(const struct cli *c)
{
    const char *access = cli_value(c, "access-key"), *secret = cli_value(c, "secret-key");

    if (!access != !secret)
        return pc_err_set(PC_EUSAGE, "--access-key and --secret-key belong together: give both");
    return 0;
}

static int print_key(const struct cli *c, const struct pc_access_key *k)
{
    if (cli_has(c, "json"))
        return out_json(user_json(&k->user, k));
    printf("User        %s (%s)\nAccess key  %s\nSecret key  %s\n", k->user.name,
           role_name(k->user.role), k->access_key, k->secret_key);
    if (*k->bucket)
        printf("Bucket      %s\n", k->bucket);
    if (k->read_only)
        puts("Rights      reading only");
    return 0;
}

int verb_user_add(struct cli *c)
{
    const char *role = cli_value(c, "role"), *email = cli_value(c, "email");
    struct pc_access_key key = {0};
    struct pc_user user;
    int err = check_keys(c);

    if (err >= 0 && role && strcmp(role, "admin") != 0 && strcmp(role, "user") != 0)
        err = pc_err_set(PC_EUSAGE, "--role is admin or user, not '%.40s'", role);
    if (err >= 0)
        err = cli_open_volume(c);
    if (err >= 0)
        err = pc_user_add(c->volume, c->args[0], email ? email : "",
                          role && strcmp(role, "admin") == 0 ? PC_ROLE_ADMIN : PC_ROLE_USER, &user);
    if (err < 0)
        return err;
    err = pc_key_add(c->volume, c->args[0], cli_value(c, "access-key"), cli_value(c, "secret-key"),
                     NULL, false, &key);
    if (err < 0) { /* not half of it */
        char text[CLI_LINE_MAX];

        snprintf(text, sizeof text, "%s", pc_err_text(err));
        pc_user_rm(c->volume, c->args[0]);
        return pc_err_set(err, "%s", text);
    }
    err = print_key(c, &key);
    pc_wipe(&key, sizeof key);
    return err;
}

struct listing {
    struct cli *c;
    json_t *array; /* NULL: text */
    bool secrets;
    struct pc_user *users; /* of `user list` */
    size_t n_users, cap_users;
};

static int append(struct listing *l, json_t *o)
{
    if (!o || json_array_append_new(l->array, o) != 0)
        return pc_err_set(-ENOMEM, "out of memory");
    return 0;
}

/* Users as they come; their keys are looked up afterwards, since a callback must not ask the volume again. */
static int collect_user(void *arg, const struct pc_user *u)
{
    struct listing *l = arg;

    if (l->n_users == l->cap_users) {
        size_t cap = l->cap_users ? 2 * l->cap_users : 16;
        struct pc_user *users = cap <= USERS_MAX ? realloc(l->users, cap * sizeof *users) : NULL;

        if (!users)
            return pc_err_set(-ENOMEM, "out of memory, or more than %d users", USERS_MAX);
        l->users = users;
        l->cap_users = cap;
    }
    l->users[l->n_users++] = *u;
    return 0;
}

static int list_user(struct listing *l, const struct pc_user *u)
{
    struct pc_access_key key;
    struct pick p = {.any_role = true, .ret = &key};
    int err;

    if (!l->array) {
        printf("%-24s %-6s %s\n", u->name, role_name(u->role), u->email);
        return 0;
    }
    err = pc_key_list(l->c->volume, u->name, pick_one, &p);
    if (err >= 0)
        err = append(l, user_json(u, p.found ? &key : NULL));
    pc_wipe(&key, sizeof key);
    return err;
}

static int list_key(void *arg, const struct pc_access_key *k)
{
    struct listing *l = arg;

    if (l->array)
        return append(l, user_json(&k->user, k));
    printf("%-24s %-20s %s%s%s%s%s\n", k->access_key, k->user.name,
           *k->bucket ? "bucket " : "all buckets", k->bucket, k->read_only ? ", reading only" : "",
           l->secrets ? "  " : "", l->secrets ? k->secret_key : "");
    return 0;
}

static int start_listing(struct cli *c, struct listing *l)
{
    int err = cli_open_volume(c);

    *l = (struct listing){.c = c, .secrets = cli_has(c, "secrets")};
    if (err >= 0 && cli_has(c, "json") && !(l->array = json_array()))
        err = pc_err_set(-ENOMEM, "out of memory");
    return err;
}

static int end_listing(struct listing *l, int err)
{
    free(l->users);
    if (err < 0) {
        json_decref(l->array);
        return err;
    }
    return l->array ? out_json(l->array) : 0;
}

int verb_user_list(struct cli *c)
{
    struct listing l;
    int err = start_listing(c, &l);

    if (err >= 0)
        err = pc_user_list(c->volume, collect_user, &l);
    for (size_t i = 0; err >= 0 && i < l.n_users; i++)
        err = list_user(&l, &l.users[i]);
    return end_listing(&l, err);
}

int verb_key_list(struct cli *c)
{
    struct listing l;
    int err = start_listing(c, &l);

    if (err >= 0)
        err = pc_key_list(c->volume, cli_value(c, "user"), list_key, &l);
    return end_listing(&l, err);
}

static int done(const struct cli *c, const char *what, const char *which)
{
    if (cli_has(c, "json"))
        return out_json(json_pack("{s:o}", what, out_json_text(which)));
    printf("%s: %s\n", which, what);
    return 0;
}

int verb_user_rm(struct cli *c)
{
    int err = cli_open_volume(c);

    if (err >= 0)
        err = pc_user_rm(c->volume, c->args[0]);
    if (err == -ENOTEMPTY)
        return pc_err_set(
            err, "%s owns buckets; give them away with `pcloud bucket chown BUCKET USER` first",
            c->args[0]);
    return err < 0 ? err : done(c, "removed", c->args[0]);
}

int verb_key_add(struct cli *c)
{
    const char *user = cli_value(c, "user"), *bucket = cli_value(c, "bucket");
    struct pc_access_key key = {0};
    char name[64];
    int err = check_keys(c);

    if (err >= 0)
        err = cli_open_volume(c);
    if (err >= 0 && !user) {
        err = users_pick_key(c->volume, NULL, &key);
        snprintf(name, sizeof name, "%s", key.user.name);
        user = name;
    }
    if (err >= 0)
        err = pc_key_add(c->volume, user, cli_value(c, "access-key"), cli_value(c, "secret-key"),
                         bucket, cli_has(c, "read-only"), &key);
    if (err >= 0)
        err = print_key(c, &key);
    pc_wipe(&key, sizeof key);
    return err;
}

int verb_key_rm(struct cli *c)
{
    int err = cli_open_volume(c);

    if (err >= 0)
        err = pc_key_rm(c->volume, c->args[0]);
    return err < 0 ? err : done(c, "removed", c->args[0]);
}

int verb_bucket_chown(struct cli *c)
{
    struct pc_user user;
    int err = cli_open_volume(c);

    if (err >= 0)
        err = pc_user_get(c->volume, c->args[1], &user);
    if (err >= 0)
        err = pc_bucket_chown(c->volume, c->args[0], c->args[1]);
    if (err < 0)
        return err;
    if (cli_has(c, "json"))
        return out_json(json_pack("{s:s, s:s}", "bucket", c->args[0], "owner", c->args[1]));
    printf("%s: owned by %s\n", c->args[0], c->args[1]);
    return 0;
}
