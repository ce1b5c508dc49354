/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs and options that help, man page, completion and the parser are made from. */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "cli.h"

enum cli_complete { CLI_COMPLETE_NONE, CLI_COMPLETE_FILE, CLI_COMPLETE_DIR, CLI_COMPLETE_ROLE };

struct cli_option {
    const char *name; /* without the two dashes */
    const char *arg;  /* what follows it, or NULL for a flag */
    const char *prose;
    enum cli_complete complete;
};

struct cli_verb {
    const char *name; /* one or two words */
    const char *args; /* as help shows them; "" for none */
    unsigned min_args, max_args;
    const char *brief;                /* one line */
    const char *detail;               /* paragraphs, parted by a newline */
    const struct cli_option *options; /* ends with a NULL name; NULL for none */
    int (*run)(struct cli *c);
};

extern const struct cli_verb cli_verbs[];     /* ends with a NULL name */
extern const struct cli_option cli_globals[]; /* ends with a NULL name */

/* The verbs themselves. */
int verb_init(struct cli *c);
int verb_up(struct cli *c);
int verb_down(struct cli *c);
int verb_env(struct cli *c);
int verb_status(struct cli *c);
int verb_config_get(struct cli *c);
int verb_config_set(struct cli *c);
int verb_config_list(struct cli *c);
int verb_user_add(struct cli *c);
int verb_user_list(struct cli *c);
int verb_user_rm(struct cli *c);
int verb_key_add(struct cli *c);
int verb_key_list(struct cli *c);
int verb_key_rm(struct cli *c);
int verb_bucket_chown(struct cli *c);
int verb_fsck(struct cli *c);
int verb_scrub(struct cli *c);
int verb_gc(struct cli *c);
int verb_df(struct cli *c);
int verb_snapshot_take(struct cli *c);
int verb_snapshot_list(struct cli *c);
int verb_snapshot_rm(struct cli *c);
int verb_snapshot_restore(struct cli *c);
int verb_snapshot_keep(struct cli *c);
int verb_clone(struct cli *c);
int verb_trash_on(struct cli *c);
int verb_trash_off(struct cli *c);
int verb_trash_inherit(struct cli *c);
int verb_trash_list(struct cli *c);
int verb_trash_restore(struct cli *c);
int verb_trash_empty(struct cli *c);
int verb_quota_set(struct cli *c);
int verb_quota_get(struct cli *c);
int verb_quota_list(struct cli *c);
int verb_quota_rm(struct cli *c);
int verb_passwd(struct cli *c);

#endif
