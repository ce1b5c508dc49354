/* SPDX-License-Identifier: Apache-2.0 */
/* Identities and access keys: checks of input, random keys, durable changes. */
#include "pcloud/user.h"

#include <ctype.h>
#include <string.h>

#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "volume/volume.h"

#define ACCESS_RANDOM 20
#define SECRET_RANDOM 40

static int durable(struct pc_volume *v, int rc)
{
    return rc < 0 ? rc : meta_sync(v->meta);
}

static bool all_of(const char *s, int (*is)(int), const char *more)
{
    for (; *s != '\0'; s++)
        if (!is((unsigned char)*s) && strchr(more, *s) == NULL)
            return false;
    return true;
}

int pc_user_add(struct pc_volume *v, const char *name, const char *email, enum pc_role role,
                struct pc_user *ret)
{
    struct pc_user u = {.role = role};
    size_t len = strlen(name);
    if (len == 0 || len >= sizeof(u.name) || !all_of(name, isalnum, "._-@"))
        return pc_err_set(PC_EUSAGE, "user name \"%s\": use 1 to 63 of A-Z a-z 0-9 . _ - @", name);
    if (email != NULL && (strlen(email) >= sizeof(u.email) || !all_of(email, isgraph, "")))
        return pc_err_set(PC_EUSAGE, "e-mail of user %s: at most 127 printable characters", name);
    memcpy(u.name, name, len);
    if (email != NULL)
        memcpy(u.email, email, strlen(email));
    uint8_t id[32];
    pc_random(id, sizeof(id));
    pc_hex(id, sizeof(id), u.id);
    int rc = durable(v, v->meta->object->user_add(v->meta, &u));
    if (rc == 0 && ret != NULL)
        *ret = u;
    return rc;
}

int pc_user_rm(struct pc_volume *v, const char *name)
{
    return durable(v, v->meta->object->user_rm(v->meta, name));
}

int pc_user_get(struct pc_volume *v, const char *name, struct pc_user *ret)
{
    return v->meta->object->user_get(v->meta, name, ret);
}

int pc_user_list(struct pc_volume *v, int (*fn)(void *arg, const struct pc_user *u), void *arg)
{
    return v->meta->object->user_list(v->meta, fn, arg);
}

/* Evenly drawn characters of an alphabet of 32 or 64. */
static void random_text(char *out, size_t len, const char *alphabet, unsigned mask)
{
    uint8_t raw[SECRET_RANDOM];
    pc_random(raw, len);
    for (size_t i = 0; i < len; i++)
        out[i] = alphabet[raw[i] & mask];
    out[len] = '\0';
    pc_wipe(raw, sizeof(raw));
}

static int take_text(char *out, const char *text, size_t min, size_t max, const char *what)
{
    size_t len = strlen(text);
    if (len < min || len > max || !all_of(text, isgraph, ""))
        return pc_err_set(PC_EUSAGE, "%s: use %zu to %zu printable characters without spaces", what,
                          min, max);
    memcpy(out, text, len + 1);
    return 0;
}

int pc_key_add(struct pc_volume *v, const char *user, const char *access, const char *secret,
               const char *bucket, bool read_only, struct pc_access_key *ret)
{
    struct pc_access_key k = {.read_only = read_only};
    int rc = v->meta->object->user_get(v->meta, user, &k.user);
    if (rc == 0 && bucket != NULL)
        rc = strlen(bucket) < sizeof(k.bucket) ? 0 : PC_EBUCKETNAME;
    if (rc == 0 && bucket != NULL)
        memcpy(k.bucket, bucket, strlen(bucket) + 1);
    if (rc == 0 && access != NULL)
        rc = take_text(k.access_key, access, 3, PC_ACCESS_KEY_MAX, "access key");
    else if (rc == 0)
        random_text(k.access_key, ACCESS_RANDOM, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 31);
    if (rc == 0 && secret != NULL)
        rc = take_text(k.secret_key, secret, 8, PC_SECRET_KEY_MAX, "secret key");
    else if (rc == 0)
        random_text(k.secret_key, SECRET_RANDOM,
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 63);
    if (rc == 0)
        rc = durable(v, v->meta->object->key_add(v->meta, &k));
    if (rc == 0 && ret != NULL)
        *ret = k;
    pc_wipe(&k, sizeof(k));
    return rc;
}

int pc_key_rm(struct pc_volume *v, const char *access)
{
    return durable(v, v->meta->object->key_rm(v->meta, access));
}

int pc_key_list(struct pc_volume *v, const char *user,
                int (*fn)(void *arg, const struct pc_access_key *k), void *arg)
{
    return v->meta->object->key_list(v->meta, user, fn, arg);
}

int pc_key_find(struct pc_volume *v, const char *access, struct pc_access_key *ret)
{
    return v->meta->object->key_get(v->meta, access, ret);
}
