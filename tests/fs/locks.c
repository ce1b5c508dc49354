/* SPDX-License-Identifier: Apache-2.0 */
/* locks DIR DIR: advisory locks between programs, through two mounts of one volume (or one folder twice, which proves the cases). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 200 /* of each process of the race */
#define RACERS 6

struct shared {
    volatile int stage;    /* what the other process has done */
    volatile long counter; /* changed only under a lock */
};

static struct shared *s;
static char here[4096], there[4096]; /* the file by either mount */
static const char *case_name;

#define CHECK(e)                                                                                   \
    do {                                                                                           \
        if (!(e)) {                                                                                \
            printf("%s:%d: %s (%s)\n", case_name, __LINE__, #e, strerror(errno));                  \
            fflush(stdout);                                                                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static int lock(int fd, int cmd, short type, off_t start, off_t len)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

    return fcntl(fd, cmd, &l);
}

static struct flock in_the_way(int fd, int cmd, short type, off_t start, off_t len)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

    CHECK(fcntl(fd, cmd, &l) == 0);
    return l;
}

static int open_file(const char *path, int flags)
{
    int fd = open(path, flags);

    CHECK(fd >= 0);
    return fd;
}

/* Run ${fn} in a process; join: it must have ended well. */
static pid_t run(void (*fn)(void))
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        fn();
        _exit(0);
    }
    return pid;
}

static void join(pid_t pid)
{
    int status;

    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void until_stage(int stage)
{
    while (s->stage < stage)
        poll(NULL, 0, 1);
}

/* Until the process is inside a system call. */
static void until_in(pid_t pid, long number)
{
    char path[64], text[64], call[24];

    snprintf(call, sizeof(call), "%ld ", number);
    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
    for (;;) {
        FILE *f = fopen(path, "r");

        text[0] = '\0';
        if (f && !fgets(text, sizeof(text), f))
            text[0] = '\0';
        if (f)
            fclose(f);
        if (strncmp(text, call, strlen(call)) == 0)
            return;
        poll(NULL, 0, 1);
    }
}

static void other_sees_ranges(void)
{
    int fd = open_file(there, O_RDWR);
    struct flock l;

    CHECK(lock(fd, F_SETLK, F_WRLCK, 15, 1) == -1 && (errno == EAGAIN || errno == EACCES));
    CHECK(lock(fd, F_SETLK, F_RDLCK, 0, 0) == -1);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 20, 0) == 0);
    l = in_the_way(fd, F_GETLK, F_WRLCK, 0, 0);
    CHECK(l.l_type == F_WRLCK && l.l_start == 10 && l.l_len == 10 && l.l_whence == SEEK_SET);
    CHECK(l.l_pid == (strcmp(here, there) == 0 ? getppid() : 0) || l.l_pid == getppid());
    l = in_the_way(fd, F_GETLK, F_WRLCK, 30, 5);
    CHECK(l.l_type == F_UNLCK);
}

static void ranges(void)
{
    int fd = open_file(here, O_RDWR), second = open_file(here, O_RDWR);

    CHECK(lock(fd, F_SETLK, F_WRLCK, 10, 10) == 0);
    CHECK(lock(second, F_SETLK, F_WRLCK, 5, 10) == 0); /* the same process: changed, not refused */
    CHECK(lock(fd, F_SETLK, F_UNLCK, 5, 5) == 0);
    join(run(other_sees_ranges));
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
}

static void other_reads(void)
{
    int fd = open_file(there, O_RDONLY);

    CHECK(lock(fd, F_SETLK, F_RDLCK, 0, 0) == 0);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == -1 && errno == EBADF);
}

static void readers(void)
{
    int fd = open_file(here, O_RDWR);

    CHECK(lock(fd, F_SETLK, F_RDLCK, 0, 0) == 0);
    join(run(other_reads));
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
}

static void other_waits(void)
{
    int fd = open_file(there, O_RDWR);

    CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 1) == 0);
    CHECK(s->stage == 1);
}

static void waits(void)
{
    int fd = open_file(here, O_RDWR);
    pid_t pid;

    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
    pid = run(other_waits);
    until_in(pid, SYS_fcntl);
    s->stage = 1;
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    join(pid);
}

static void on_signal(int sig)
{
    (void)sig;
}

static void other_is_interrupted(void)
{
    struct sigaction act = {.sa_handler = on_signal};
    int fd = open_file(there, O_RDWR);

    sigaction(SIGUSR1, &act, NULL);
    s->stage = 1;
    CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 1) == -1 && errno == EINTR);
    s->stage = 2;
    CHECK(flock(fd, LOCK_EX) == -1 && errno == EINTR);
}

static void interrupted(void)
{
    int fd = open_file(here, O_RDWR), status;
    pid_t pid;

    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0 && flock(fd, LOCK_EX) == 0);
    pid = run(other_is_interrupted);
    until_stage(1);
    until_in(pid, SYS_fcntl);
    CHECK(kill(pid, SIGUSR1) == 0);
    until_stage(2);
    until_in(pid, SYS_flock);
    CHECK(kill(pid, SIGUSR1) == 0);
    join(pid);
    pid = run(other_waits); /* and one that is killed */
    until_in(pid, SYS_fcntl);
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0 && lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
}

static void other_locks_at_once(void)
{
    int fd = open_file(there, O_RDWR);

    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
    CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
}

static void other_is_refused(void)
{
    int fd = open_file(there, O_RDWR);

    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == -1);
}

static void closing(void)
{
    int fd = open_file(here, O_RDWR), reader = open_file(here, O_RDONLY);

    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
    join(run(other_is_refused));
    CHECK(close(reader) == 0); /* any descriptor of the file */
    join(run(other_locks_at_once));
    reader = open_file(here, O_RDONLY);
    CHECK(lock(reader, F_SETLK, F_RDLCK, 0, 0) == 0);
    join(run(other_is_refused));
    CHECK(close(reader) == 0);
    join(run(other_locks_at_once));
}

static void descriptions(void)
{
    int fd = open_file(here, O_RDWR), second = open_file(there, O_RDWR);
    int third = open_file(there, O_RDWR);

    CHECK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 5) == 0);
    CHECK(lock(second, F_OFD_SETLK, F_WRLCK, 0, 1) == -1 && errno == EAGAIN);
    CHECK(lock(second, F_SETLK, F_WRLCK, 0, 1) == -1);
    CHECK(in_the_way(second, F_OFD_GETLK, F_RDLCK, 0, 0).l_type == F_WRLCK);
    CHECK(close(third) == 0); /* another one's */
    CHECK(lock(second, F_OFD_SETLK, F_WRLCK, 0, 1) == -1);
    CHECK(close(fd) == 0);
    CHECK(lock(second, F_OFD_SETLKW, F_WRLCK, 0, 1) == 0);
}

static void other_is_refused_whole(void)
{
    int fd = open_file(there, O_RDONLY);

    CHECK(flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK);
    CHECK(lock(fd, F_SETLK, F_RDLCK, 0, 0) == 0); /* the two kinds do not meet */
}

static void other_shares_whole(void)
{
    int fd = open_file(there, O_RDONLY);

    CHECK(flock(fd, LOCK_SH | LOCK_NB) == 0);
    CHECK(flock(fd, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK);
}

static void whole(void)
{
    int fd = open_file(here, O_RDONLY), copy = dup(fd);

    for (int i = 0; i < 20; i++) {
        CHECK(flock(fd, LOCK_EX) == 0);
        join(run(other_is_refused_whole));
        CHECK(flock(fd, LOCK_SH | LOCK_NB) == 0);
        join(run(other_shares_whole));
        CHECK(flock(fd, LOCK_UN) == 0);
        join(run(other_locks_at_once)); /* its end frees it, however late that is told of */
    }
    CHECK(flock(fd, LOCK_EX) == 0);
    CHECK(close(fd) == 0);
    join(run(other_is_refused_whole));
    CHECK(close(copy) == 0);
    join(run(other_locks_at_once));
}

static void killed_one(void)
{
    int fd = open_file(there, O_RDWR);

    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0 && flock(fd, LOCK_EX) == 0);
    s->stage = 1;
    for (;;)
        pause();
}

static void killed(void)
{
    int fd = open_file(here, O_RDWR), status;
    pid_t pid = run(killed_one);

    until_stage(1);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == -1);
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
}

static void count(const char *path, bool by_flock)
{
    for (int i = 0; i < ROUNDS; i++) {
        int fd = open_file(path, O_RDWR);
        long was;

        CHECK(by_flock ? flock(fd, LOCK_EX) == 0 : lock(fd, F_SETLKW, F_WRLCK, 3, 4) == 0);
        was = s->counter;
        if (i % 16 == 0)
            poll(NULL, 0, 0);
        s->counter = was + 1;
        close(fd);
    }
}

static void count_here(void)
{
    count(here, s->stage);
}

static void count_there(void)
{
    count(there, s->stage);
}

/* Lock files come and go all the time here. */
static void race(void)
{
    for (s->stage = 0; s->stage < 2; s->stage++) {
        pid_t pids[RACERS];

        s->counter = 0;
        for (int i = 0; i < RACERS; i++)
            pids[i] = run(i % 2 ? count_here : count_there);
        for (int i = 0; i < RACERS; i++)
            join(pids[i]);
        CHECK(s->counter == (long)RACERS * ROUNDS);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {{"ranges", ranges},   {"readers", readers},           {"waits", waits},
                 {"closing", closing}, {"interrupted", interrupted},   {"whole", whole},
                 {"killed", killed},   {"descriptions", descriptions}, {"race", race}};
    int failed = 0;

    if (argc != 3)
        return 2;
    snprintf(here, sizeof(here), "%s/locked", argv[1]);
    snprintf(there, sizeof(there), "%s/locked", argv[2]);
    s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED || close(open(here, O_RDWR | O_CREAT, 0644)) < 0)
        return 1;
    while (access(there, F_OK) < 0) /* a mount sees another's change within milliseconds */
        poll(NULL, 0, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int status;
        pid_t pid;

        case_name = cases[i].name;
        s->stage = 0;
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            alarm(60);
            cases[i].run();
            _exit(0);
        }
        waitpid(pid, &status, 0);
        printf("%-4s %s\n", status ? "FAIL" : "ok", case_name);
        failed += status != 0;
    }
    return failed ? 1 : 0;
}
