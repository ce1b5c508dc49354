/* SPDX-License-Identifier: Apache-2.0 */
/* The volume secret: 24 words, the passphrase that wraps it, and the keys derived from it. */
#ifndef PCLOUD_KEYS_H
#define PCLOUD_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "pcloud/home.h"

#define PC_KEY_BYTES 32
#define PC_WORDS 24
#define PC_WORDS_MAX 256       /* bytes of 24 words, 23 spaces and NUL fit */
#define PC_PASSPHRASE_MAX 1024 /* bytes, without NUL */

/* Purpose → KDF label (libsodium crypto_generichash keyed by the secret over the label; docs/FORMATS.md). Never change a label; "pcloud v1 block id" was one. */
#define PC_KEY_TABLE(X)                                                                            \
    X(PC_KEY_PAGES, "pcloud v1 metadata pages")                                                    \
    X(PC_KEY_BLOCK_HASH_1, "pcloud v2 block hash 1")                                               \
    X(PC_KEY_BLOCK_HASH_2, "pcloud v2 block hash 2")                                               \
    X(PC_KEY_BLOCK_ID, "pcloud v2 block id")                                                       \
    X(PC_KEY_BLOCK, "pcloud v1 block content")                                                     \
    X(PC_KEY_CHUNKER, "pcloud v1 chunker gear")                                                    \
    X(PC_KEY_VOLUME_ID, "pcloud v1 volume id")                                                     \
    X(PC_KEY_HEAD, "pcloud v1 volume head")                                                        \
    X(PC_KEY_TOKEN, "pcloud v1 list token")

#define PC_KEY_ENUM(id, label) id,
enum pc_key_purpose { PC_KEY_TABLE(PC_KEY_ENUM) PC_KEY_COUNT };
#undef PC_KEY_ENUM

/* An unlocked key ring: the secret in locked memory that is kept out of core dumps and wiped on close. Read-only after open: any thread. */
struct pc_keys;

/** pc_words_check(words): 0, or PC_EWORDS with a message naming the bad word or the checksum. Case and extra spaces are forgiven. (BIP-39) */
int pc_words_check(const char *words);

/**
 * pc_keys_create(home, passphrase, len, words, ret_words, ret_keys): a new secret, or the one ${words} (may be NULL) stand for; wrapped by the
 * passphrase (Argon2id, 44 MiB, 4 passes; RFC 9106) into the file "keys". ${ret_words} (PC_WORDS_MAX bytes) gets the 24 words: the
 * caller shows them once and wipes them with pc_wipe; it may be NULL. PC_EWORDS, PC_EUSAGE (empty or over-long passphrase), -EEXIST: keys that
 * are there are never replaced. PCLOUD_TEST_ARGON2=min in the environment lowers the cost; for tests.
 */
int pc_keys_create(struct pc_home *home, const char *passphrase, size_t len, const char *words,
                   char *ret_words, struct pc_keys **ret_keys);

/** pc_keys_open(home, passphrase, len, ret_keys): unwrap. PC_EPASSPHRASE, PC_ECORRUPT (or missing), PC_EVERSION. Takes about 0.2 s by design. */
int pc_keys_open(struct pc_home *home, const char *passphrase, size_t len,
                 struct pc_keys **ret_keys);

/** pc_keys_rewrap(home, keys, passphrase, len): change the passphrase, atomically. */
int pc_keys_rewrap(struct pc_home *home, const struct pc_keys *keys, const char *passphrase,
                   size_t len);

/** pc_keys_derive(keys, purpose, ret_key): the key for one purpose; the caller wipes it. Cannot fail. */
void pc_keys_derive(const struct pc_keys *keys, enum pc_key_purpose purpose,
                    uint8_t ret_key[PC_KEY_BYTES]);

/** pc_keys_close(keys): wipe and free; NULL is legal. */
void pc_keys_close(struct pc_keys *keys);

/**
 * pc_passphrase_get(home, file, tty_prompt, ret, ret_len): find the passphrase: ${file} (may be NULL), $PCLOUD_PASSPHRASE_FILE,
 * $CREDENTIALS_DIRECTORY/pcloud-passphrase, "passphrase" in the home, else the terminal with ${tty_prompt} (NULL: never ask). One trailing
 * newline of a file is dropped. ${ret} is locked memory: free with pc_passphrase_free. PC_EUSAGE says all the ways there are.
 */
int pc_passphrase_get(struct pc_home *home, const char *file, const char *tty_prompt, char **ret,
                      size_t *ret_len);
void pc_passphrase_free(char *passphrase);

/** pc_wipe(p, n): overwrite memory in a way the compiler keeps. */
void pc_wipe(void *p, size_t n);

#endif
