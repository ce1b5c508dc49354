/* SPDX-License-Identifier: Apache-2.0 */
/* `pcloud init` and `pcloud passwd`: homes, words, passphrases. */
#include "out.h"
#include "pcloud/digest.h"
#include "pcloud/user.h"
#include "passphrase.h"
#include "run/state.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS_FILE_MAX 4096

struct init {
    struct pc_home *home;
    struct pc_keys *keys;
    struct pc_access_key key;
    char *passphrase; /* by pc_passphrase_get; or NULL */
    size_t passphrase_len;
    char random[PASSPHRASE_RANDOM_MAX];
    char words[PC_WORDS_MAX];
    char *words_in; /* or NULL */
    int words_fd;   /* of --words-out, else -1 */
};

/* The S3 user's name: the login as far as it is a legal name. */
static void user_name(const struct cli *c, char *buf, size_t cap)
{
    const char *given = cli_value(c, "user");
    const struct passwd *pw = given ? NULL : getpwuid(getuid());
    const char *name = given ? given : pw && pw->pw_name ? pw->pw_name : "";
    size_t n = 0;

    if (given) {
        snprintf(buf, cap, "%s", given);
        return;
    }
    for (; *name && n + 1 < cap; name++)
        if (strchr("._-@", *name) || (*name >= '0' && *name <= '9') ||
            ((*name | 0x20) >= 'a' && (*name | 0x20) <= 'z'))
            buf[n++] = *name;
    buf[n] = '\0';
    if (n == 0)
        snprintf(buf, cap, "admin");
}

static int read_words(const char *path, char **ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text;
    ssize_t n;
    int err;

    if (fd < 0)
        return pc_err_set(-errno, "cannot open %s: %s", path, strerror(errno));
    text = calloc(1, WORDS_FILE_MAX + 1);
    if (!text) {
        close(fd);
        return pc_err_set(-ENOMEM, "out of memory");
    }
    n = read(fd, text, WORDS_FILE_MAX);
    err = n < 0 ? pc_err_set(-errno, "cannot read %s: %s", path, strerror(errno)) : 0;
    close(fd);
    for (char *p = text; *p; p++)
        if (*p == '\n' || *p == '\r' || *p == '\t')
            *p = ' ';
    if (err == 0)
        err = pc_words_check(text);
    if (err < 0) {
        pc_wipe(text, WORDS_FILE_MAX);
        free(text);
        return err;
    }
    *ret = text;
    return 0;
}

/* What can be refused before anything is made. */
static int prepare(struct cli *c, struct init *in)
{
    const char *out = cli_value(c, "words-out");
    const char *words_in = cli_value(c, "words-in");
    int err;

    if (out && words_in)
        return pc_err_set(
            PC_EUSAGE,
            "--words-out and --words-in exclude each other: these words you have already");
    if (words_in) {
        err = read_words(words_in, &in->words_in);
        if (err < 0)
            return err;
    }
    err = passphrase_for_init(c, &in->passphrase, &in->passphrase_len);
    if (err < 0 || !out)
        return err;
    in->words_fd = open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (in->words_fd < 0)
        return pc_err_set(-errno, "cannot make %s: %s; name a new file for --words-out", out,
                          strerror(errno));
    return 0;
}

static int write_words(struct init *in, const char *path)
{
    size_t len = strlen(in->words);

    in->words[len] = '\n';
    if (write(in->words_fd, in->words, len + 1) != (ssize_t)len + 1 || fsync(in->words_fd) != 0)
        return pc_err_set(-EIO, "cannot write the words to %s: %s", path, strerror(errno));
    in->words[len] = '\0';
    return 0;
}

static int make_first_user(struct cli *c, struct init *in)
{
    struct pc_config *config = NULL;
    struct pc_volume *v = NULL;
    struct pc_user user;
    char name[64];
    int err, err2;

    user_name(c, name, sizeof name);
    err = pc_config_load(in->home, &config);
    if (err < 0)
        return err;
    err = pc_volume_open(in->home, in->keys, config, "cli", &v);
    if (err < 0)
        goto free_config;
    err = pc_user_add(v, name, "", PC_ROLE_ADMIN, &user);
    if (err >= 0)
        err = pc_key_add(v, name, NULL, NULL, NULL, false, &in->key);
    if (err >= 0)
        err = run_note_volume(in->home, v);
    err2 = pc_volume_close(v);
    if (err >= 0 && err2 < 0)
        err = err2;
free_config:
    pc_config_free(config);
    return err;
}

static int make_home(struct cli *c, struct init *in)
{
    const char *passphrase = in->passphrase;
    size_t len = in->passphrase_len;
    int err = pc_home_create(c->home_path, &in->home);

    if (err == PC_EHOMEEXISTS)
        return pc_err_set(
            err,
            "there is a home at %s already; use it with `pcloud up`, or choose another with --home",
            c->home_path);
    if (err < 0)
        return err;
    if (!passphrase) {
        passphrase_random(in->random);
        passphrase = in->random;
        len = strlen(in->random);
        err = passphrase_keep(in->home, in->random);
    }
    if (err >= 0)
        err = pc_keys_create(in->home, passphrase, len, in->words_in, in->words, &in->keys);
    if (err >= 0)
        err = pc_volume_create(in->home, in->keys, getuid(), getgid());
    if (err >= 0)
        err = make_first_user(c, in);
    if (err >= 0 && in->words_fd >= 0)
        err = write_words(in, cli_value(c, "words-out"));
    if (err >= 0)
        err = pc_home_commit(in->home);
    return err;
}

static void print_words(const char *words)
{
    int n = 0;

    puts("\nThe 24 words. Whoever has them has the volume; without them and the passphrase nobody "
         "has.\n"
         "Write them down now: they are shown this once.\n");
    while (*words) {
        size_t len = strcspn(words, " ");

        printf("%4d %-10.*s", ++n, (int)len, words);
        if (n % 4 == 0)
            putchar('\n');
        words += len + (words[len] == ' ');
    }
}

static int report_json(const struct cli *c, const struct init *in)
{
    const char *out = cli_value(c, "words-out");
    char path[CLI_LINE_MAX] = "";
    json_t *o;

    if (!in->passphrase)
        pc_home_path(in->home, PC_HOME_PASSPHRASE, path, sizeof path);
    o = json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?}", "home",
                  out_json_text(pc_home_dir(in->home)), "user", in->key.user.name, "id",
                  in->key.user.id, "role", "admin", "access_key", in->key.access_key, "secret_key",
                  in->key.secret_key, "passphrase_file", *path ? path : NULL, "words_file", out,
                  "words", out || in->words_in ? NULL : in->words);
    return out_json(o);
}

static int report(const struct cli *c, const struct init *in)
{
    char path[CLI_LINE_MAX];

    if (cli_has(c, "json"))
        return report_json(c, in);
    printf("Home        %s\n", pc_home_dir(in->home));
    printf("User        %s (admin), access key %s\n", in->key.user.name, in->key.access_key);
    if (!in->passphrase && pc_home_path(in->home, PC_HOME_PASSPHRASE, path, sizeof path) >= 0)
        printf("Passphrase  a random one, kept in %s (mode 0600): who reads that file can open the "
               "volume\n",
               path);
    if (in->words_in)
        puts("Words       the ones you gave; the volume is new and empty");
    else if (in->words_fd >= 0)
        printf("Words       24, in %s: keep that file safe and away from this machine\n",
               cli_value(c, "words-out"));
    else
        print_words(in->words);
    puts("\nNext: pcloud up");
    return out_flush();
}

int verb_init(struct cli *c)
{
    struct init in = {.words_fd = -1};
    int err = pc_home_default(cli_value(c, "home"), &c->home_path);

    if (err >= 0)
        err = prepare(c, &in);
    if (err >= 0)
        err = make_home(c, &in);
    if (err >= 0) {
        err = report(c, &in);
        pc_home_close(in.home);
    } else {
        char text[CLI_LINE_MAX];

        snprintf(text, sizeof text, "%s", pc_err_text(err));
        if (in.home)
            pc_home_abandon(in.home);
        if (in.words_fd >= 0)
            unlink(cli_value(c, "words-out"));
        err = pc_err_set(err, "%s", text);
    }
    if (in.words_fd >= 0)
        close(in.words_fd);
    if (in.words_in)
        pc_wipe(in.words_in, strlen(in.words_in));
    free(in.words_in);
    pc_keys_close(in.keys);
    pc_passphrase_free(in.passphrase);
    pc_wipe(&in, sizeof in);
    return err;
}

int verb_passwd(struct cli *c)
{
    char random[PASSPHRASE_RANDOM_MAX] = "", kept[CLI_LINE_MAX];
    char *fresh = NULL;
    size_t len = 0;
    int err;

    if (cli_has(c, "random") && cli_has(c, "new-passphrase-file"))
        return pc_err_set(PC_EUSAGE, "--random and --new-passphrase-file exclude each other");
    err = cli_open_keys(c);
    if (err >= 0)
        err = pc_home_path(c->home, PC_HOME_PASSPHRASE, kept, sizeof kept);
    if (err < 0)
        return err;
    if (cli_has(c, "random")) {
        passphrase_random(random);
        err = passphrase_replace(c->home, c->keys, random);
        pc_wipe(random, sizeof random);
        if (err >= 0 && !cli_has(c, "json"))
            printf("The passphrase is changed to a random one, kept in %s\n", kept);
    } else {
        err = passphrase_new(cli_value(c, "new-passphrase-file"), &fresh, &len);
        if (err >= 0)
            err = pc_keys_rewrap(c->home, c->keys, fresh, len);
        pc_passphrase_free(fresh);
        if (err >= 0 && unlink(kept) == 0 && !cli_has(c, "json"))
            printf("The passphrase is changed; the earlier one in %s is removed\n", kept);
        else if (err >= 0 && !cli_has(c, "json"))
            puts("The passphrase is changed");
    }
    if (err < 0)
        return err;
    if (run_supervisor_alive(c->home) && !cli_has(c, "json"))
        puts("Running parts keep working; restart them with `pcloud down` and `pcloud up` to use "
             "it");
    return cli_has(c, "json") ? out_json(json_pack("{s:b}", "changed", 1)) : 0;
}
