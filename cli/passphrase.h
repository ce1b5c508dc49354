/* SPDX-License-Identifier: Apache-2.0 */
/* Where passphrases come from and how they reach the parts. */
#ifndef CLI_PASSPHRASE_H
#define CLI_PASSPHRASE_H

#include "cli.h"

#define PASSPHRASE_RANDOM_MAX 48 /* 40 letters and digits, and NUL */

/** passphrase_random(out): a random one of 200 bits, in letters and digits. The caller wipes it. */
void passphrase_random(char out[PASSPHRASE_RANDOM_MAX]);

/** passphrase_keep(home, text): write it to "passphrase" in the home, mode 0600. */
int passphrase_keep(struct pc_home *home, const char *text);

/** passphrase_replace(home, keys, text): rewrap by ${text} and keep that in the home; a crash at any point leaves one of two files right. */
int passphrase_replace(struct pc_home *home, const struct pc_keys *keys, const char *text);

/** passphrase_for_init(c, ret, ret_len): the one for a new home; *ret stays NULL if a random one is to be made. */
int passphrase_for_init(struct cli *c, char **ret, size_t *ret_len);

/** passphrase_new(file, ret, ret_len): a new one from ${file}, or asked for twice on the terminal. */
int passphrase_new(const char *file, char **ret, size_t *ret_len);

/* How the supervisor's children get it: by a file they read themselves, or by a pipe that the supervisor fills from locked memory. */
struct passphrase_way {
    char file[CLI_LINE_MAX]; /* absolute; "": they find it themselves, or ${secret} */
    char *secret;            /* one page, locked, kept out of core dumps; or NULL */
    size_t len;
};

/** passphrase_way_find(c, way): decide; asks on the terminal if nothing else has it. PC_EUSAGE. */
int passphrase_way_find(struct cli *c, struct passphrase_way *way);

/** passphrase_way_relock(way): lock the page again: a fork loses locks. */
void passphrase_way_relock(struct passphrase_way *way);

/** passphrase_way_pipe(way, ret_fd): a pipe that holds the secret, its read end open across exec; -1 if there is none to give. -errno. */
int passphrase_way_pipe(const struct passphrase_way *way, int *ret_fd);

void passphrase_way_fini(struct passphrase_way *way);

#endif
