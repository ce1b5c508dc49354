/* SPDX-License-Identifier: Apache-2.0 */
/* One run of pcloud: from the command line to the exit status, and the opening of what verbs need. */
#include "cli.h"
#include "args.h"
#include "help.h"
#include "out.h"
#include "pcloud/log.h"
#include "pcloud/version.h"
#include "verbs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void cli_log(const struct cli *c, const char *program)
{
    int level = pc_log_parse_level(pc_config_str(c->config, PC_CONFIG_LOG_LEVEL));
    int format = pc_log_parse_format(pc_config_str(c->config, PC_CONFIG_LOG_FORMAT));

    pc_log_setup(program, level < 0 ? PC_LOG_INFO : (enum pc_log_level)level,
                 format < 0 ? PC_LOG_TEXT : (enum pc_log_format)format);
}

int cli_open_home(struct cli *c)
{
    int err;

    if (c->home)
        return 0;
    err = pc_home_default(cli_value(c, "home"), &c->home_path);
    if (err < 0)
        return err;
    err = pc_home_open(c->home_path, &c->home);
    if (err == PC_ENOHOME)
        return pc_err_set(err, "there is no home at %s; make one with `pcloud init`", c->home_path);
    if (err < 0)
        return err;
    err = pc_config_load(c->home, &c->config);
    if (err < 0)
        return err;
    if (cli_has(c, "quiet") || strcmp(pc_config_str(c->config, PC_CONFIG_LOG_LEVEL), "debug") == 0)
        cli_log(c, "pcloud");
    return 0;
}

int cli_open_keys(struct cli *c)
{
    char *passphrase;
    size_t len;
    int err = cli_open_home(c);

    if (err < 0 || c->keys)
        return err;
    err = pc_passphrase_get(c->home, cli_value(c, "passphrase-file"), "Passphrase: ", &passphrase,
                            &len);
    if (err < 0)
        return err;
    err = pc_keys_open(c->home, passphrase, len, &c->keys);
    pc_passphrase_free(passphrase);
    return err;
}

/* Who reads or writes now waits for a process that does not come to an end: say for which. */
static void say_who_is_in(struct cli *c)
{
    struct pc_volume_writer w;

    if (pc_volume_writer(c->home, &w) > 0 && w.held_ms >= CLI_PATIENCE_MS)
        fprintf(stderr,
                "pcloud: waiting for process %u (%s), inside a change for %lld s; see `pcloud "
                "status`\n",
                w.pid, w.program, (long long)(w.held_ms / 1000));
}

int cli_open_volume(struct cli *c)
{
    int err = cli_open_keys(c);

    if (err < 0 || c->volume)
        return err;
    say_who_is_in(c);
    return pc_volume_open(c->home, c->keys, c->config, "cli", &c->volume);
}

int cli_close(struct cli *c, int code)
{
    int err = c->volume ? pc_volume_close(c->volume) : 0;

    pc_keys_close(c->keys);
    pc_config_free(c->config);
    pc_home_close(c->home);
    free(c->home_path);
    c->volume = NULL;
    c->keys = NULL;
    c->config = NULL;
    c->home = NULL;
    c->home_path = NULL;
    return code == 0 && err < 0 ? err : code;
}

/* Print the one line of an error; the exit status. */
static int finish(const struct cli *c, int code)
{
    if (code < 0)
        out_error(c->verb ? c->verb->name : NULL, pc_err_text(code));
    return out_exit(code);
}

/* What is asked without a verb: --print-man, --print-completion SHELL. Returns 1 if it was neither. */
static int print_built_in(int argc, char **argv)
{
    struct cli none = {0};
    int err;

    if (argc == 2 && strcmp(argv[1], "--print-man") == 0) {
        help_man(stdout);
        return finish(&none, out_flush());
    }
    if (argc == 3 && strcmp(argv[1], "--print-completion") == 0) {
        err = help_completion(argv[2], stdout);
        return finish(&none, err < 0 ? err : out_flush());
    }
    return 1;
}

int cli_run(int argc, char **argv)
{
    struct cli c = {0};
    int err;

    umask(077);
    signal(SIGPIPE, SIG_IGN);
    pc_log_setup("pcloud", PC_LOG_NONE, PC_LOG_TEXT); /* what went wrong is said once, at the end */
    if (argc > 1 && strncmp(argv[1], "--print-", 8) == 0) {
        err = print_built_in(argc, argv);
        if (err != 1)
            return err;
    }
    err = args_parse(argc, argv, &c);
    if (err < 0)
        return finish(&c, err);
    if (cli_has(&c, "help")) {
        help_print(&c, stdout);
        return finish(&c, out_flush());
    }
    if (cli_has(&c, "version")) {
        printf("pcloud %s\n", pc_version());
        return finish(&c, out_flush());
    }
    err = c.verb->run(&c);
    if (err == 0)
        err = out_flush();
    if (err < 0) { /* closing may overwrite the message */
        int status = finish(&c, err);

        cli_close(&c, err);
        return status;
    }
    return finish(&c, cli_close(&c, err));
}
