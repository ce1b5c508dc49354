/* SPDX-License-Identifier: Apache-2.0 */
/* fs_ops DIR [WORD]: what a filesystem owes a program, case by case, in DIR; only cases whose name holds WORD. */
#include "ops.h"

#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <sys/wait.h>

_Noreturn void ops_fail(const char *file, int line, const char *what, long long got)
{
    const char *base = strrchr(file, '/');

    printf("  %s:%d: %s (%lld", base ? base + 1 : file, line, what, got);
    printf(got > 0 && got < 200 ? ", %s)\n" : ")%.0s\n", strerror((int)got));
    fflush(stdout);
    _exit(1);
}

void ops_file(const char *name, const char *content)
{
    int fd = OKAY(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    size_t len = strlen(content);

    SAME(write(fd, content, len), len);
    OKAY(close(fd));
}

void ops_is(const char *name, const char *content)
{
    char buf[4096];
    int fd = OKAY(open(name, O_RDONLY));
    ssize_t n = OKAY(read(fd, buf, sizeof(buf)));

    OKAY(close(fd));
    SAME(n, strlen(content));
    CHECK(memcmp(buf, content, (size_t)n) == 0);
}

struct stat ops_stat(const char *name)
{
    struct stat st;

    OKAY(lstat(name, &st));
    return st;
}

bool ops_there(const char *name)
{
    struct stat st;

    return lstat(name, &st) == 0;
}

void ops_pattern(unsigned char *buf, size_t len, unsigned seed)
{
    uint32_t x = seed * 2654435761u + 1;

    for (size_t i = 0; i < len; i++) {
        x = x * 1664525u + 1013904223u;
        buf[i] = (unsigned char)(x >> 24);
    }
}

void ops_as(uid_t uid, gid_t gid, int (*fn)(void))
{
    pid_t pid = OKAY(fork());
    int status;

    if (pid == 0) {
        if (setgroups(0, NULL) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
            _exit(3);
        _exit(fn());
    }
    OKAY(waitpid(pid, &status, 0));
    CHECK(WIFEXITED(status));
    SAME(WEXITSTATUS(status), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* One case in a child, in a fresh folder. 0 passed, 1 failed, 2 skipped. */
static int run_case(const char *dir, const struct ops_case *c)
{
    char path[PATH_MAX];
    pid_t pid;
    int status;

    if (c->root && geteuid() != 0)
        return 2;
    snprintf(path, sizeof(path), "%s/%s", dir, c->name);
    if (mkdir(path, 0755) < 0) {
        perror(path);
        return 1;
    }
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        umask(022);
        alarm(120);
        if (chdir(path) < 0)
            _exit(1);
        c->run();
        fflush(stdout);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return 1;
    if (WIFSIGNALED(status))
        printf("  ended by signal %d\n", WTERMSIG(status));
    if (status != 0)
        return 1;
    if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS) != 0) {
        printf("  its folder cannot be removed: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"ok", "FAIL", "skip"};
    const struct ops_case *const all[] = {cases_name, cases_rename, cases_data,
                                          cases_attr, cases_dir,    cases_acl};
    int count[3] = {0};

    if (argc < 2) {
        fprintf(stderr, "usage: fs_ops DIR [WORD]\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        for (const struct ops_case *c = all[i]; c->name; c++) {
            int r;

            if (argc > 2 && !strstr(c->name, argv[2]))
                continue;
            r = run_case(argv[1], c);
            count[r]++;
            printf("%-4s %s\n", words[r], c->name);
        }
    }
    printf("%d passed, %d failed, %d skipped\n", count[0], count[1], count[2]);
    return count[1] || !count[0] ? 1 : 0;
}
