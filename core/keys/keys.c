/* SPDX-License-Identifier: Apache-2.0 */
/* The key ring: made, opened, wrapped anew, and the keys derived from it. */
#include "pcloud/keys.h"

#include "crypto/aead.h"
#include "keys/keyfile.h"
#include "keys/words.h"
#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "pcloud/log.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct pc_keys {
    uint8_t secret[PC_KEY_BYTES];
};

static const char *const labels[] = {
#define LABEL(id, label) [id] = (label),
    PC_KEY_TABLE(LABEL)
#undef LABEL
};

static int check_passphrase(size_t len)
{
    if (len == 0)
        return pc_err_set(PC_EUSAGE, "the passphrase is empty");
    if (len > PC_PASSPHRASE_MAX)
        return pc_err_set(PC_EUSAGE, "the passphrase is longer than %d bytes", PC_PASSPHRASE_MAX);
    return 0;
}

/* Tests make many homes: PCLOUD_TEST_ARGON2=min makes new ones cheap to open, and to break. Opening follows the file alone. */
static struct keyfile_cost cost_of_new(void)
{
    const char *test = getenv("PCLOUD_TEST_ARGON2");

    if (!test || strcmp(test, "min") != 0)
        return (struct keyfile_cost){KEYFILE_KIB, KEYFILE_PASSES};
    pc_log(PC_LOG_WARN, "keys.weak", "PCLOUD_TEST_ARGON2 is set: this passphrase protects nothing");
    return (struct keyfile_cost){KEYFILE_KIB_MIN, KEYFILE_PASSES_MIN};
}

static int write_file(struct pc_home *home, const struct pc_keys *keys, const char *passphrase,
                      size_t len, struct keyfile_cost cost)
{
    uint8_t file[KEYFILE_BYTES];
    int r = keyfile_seal(keys->secret, passphrase, len, cost, file);

    return r < 0 ? r : pc_home_write(home, PC_HOME_KEYS, file, sizeof file);
}

/* A secret that is overwritten is a volume that is lost. */
static int check_absent(struct pc_home *home)
{
    char *data = NULL;
    size_t size;
    int r = pc_home_read(home, PC_HOME_KEYS, KEYFILE_BYTES_MAX, &data, &size);

    mem_free(data);
    if (r == -ENOENT)
        return 0;
    return pc_err_set(-EEXIST, "%s/" PC_HOME_KEYS ": there are keys already", pc_home_dir(home));
}

int pc_keys_create(struct pc_home *home, const char *passphrase, size_t len, const char *words,
                   char *ret_words, struct pc_keys **ret_keys)
{
    struct pc_keys *keys = NULL;
    char *text = NULL;
    int r = check_passphrase(len);

    if (r == 0)
        r = check_absent(home);
    if (r < 0)
        return r;
    keys = mem_lock_alloc(sizeof *keys);
    text = mem_lock_alloc(PC_WORDS_MAX);
    if (!keys || !text) {
        r = -ENOMEM;
        goto free;
    }
    if (words)
        r = words_decode(words, keys->secret);
    else
        pc_random(keys->secret, sizeof keys->secret);
    if (r == 0)
        r = words_encode(keys->secret, text);
    if (r == 0)
        r = write_file(home, keys, passphrase, len, cost_of_new());
    if (r < 0)
        goto free;
    if (ret_words)
        memcpy(ret_words, text, PC_WORDS_MAX);
    mem_lock_free(text);
    *ret_keys = keys;
    return 0;
free:
    mem_lock_free(text);
    mem_lock_free(keys);
    return r;
}

int pc_keys_open(struct pc_home *home, const char *passphrase, size_t len,
                 struct pc_keys **ret_keys)
{
    struct pc_keys *keys = NULL;
    char *data = NULL;
    size_t size = 0;
    int r = check_passphrase(len);

    if (r < 0)
        return r;
    r = pc_home_read(home, PC_HOME_KEYS, KEYFILE_BYTES_MAX, &data, &size);
    if (r == -ENOENT || r == PC_ELIMIT)
        return pc_err_set(PC_ECORRUPT, "%s/" PC_HOME_KEYS " is %s; restore it from a copy",
                          pc_home_dir(home), r == -ENOENT ? "missing" : "damaged");
    if (r < 0)
        return r;
    keys = mem_lock_alloc(sizeof *keys);
    r = keys ? keyfile_open((const uint8_t *)data, size, passphrase, len, keys->secret) : -ENOMEM;
    mem_free(data);
    if (r < 0) {
        mem_lock_free(keys);
        return pc_err_wrap(r, "%s/" PC_HOME_KEYS ": ", pc_home_dir(home));
    }
    *ret_keys = keys;
    return 0;
}

int pc_keys_rewrap(struct pc_home *home, const struct pc_keys *keys, const char *passphrase,
                   size_t len)
{
    int r = check_passphrase(len);

    if (r < 0)
        return r;
    return write_file(home, keys, passphrase, len,
                      (struct keyfile_cost){KEYFILE_KIB, KEYFILE_PASSES});
}

void pc_keys_derive(const struct pc_keys *keys, enum pc_key_purpose purpose,
                    uint8_t ret_key[PC_KEY_BYTES])
{
    mac_keyed(keys->secret, labels[purpose], strlen(labels[purpose]), NULL, 0, ret_key);
}

void pc_keys_close(struct pc_keys *keys)
{
    mem_lock_free(keys);
}
