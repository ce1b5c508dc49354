/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes: permissions, owners, times, extended attributes, locks. */
#include "ops.h"

#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define OTHER 65534 /* an ordinary user */

static bool later(struct timespec a, struct timespec b)
{
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static void modes(void)
{
    ops_file("f", "x");
    OKAY(chmod("f", 0421));
    SAME(ops_stat("f").st_mode & 07777, 0421);
    OKAY(chmod("f", 07755));
    SAME(ops_stat("f").st_mode & 07777, 07755);
    OKAY(mkdir("d", 0700));
    OKAY(chmod("d", 01777));
    SAME(ops_stat("d").st_mode & 07777, 01777);
    FAILS(chmod("missing", 0644), ENOENT);
}

static void owners(void)
{
    ops_file("f", "x");
    OKAY(symlink("f", "l"));
    OKAY(chown("f", 1234, 5678));
    SAME(ops_stat("f").st_uid, 1234);
    SAME(ops_stat("f").st_gid, 5678);
    OKAY(chown("f", (uid_t)-1, 99));
    SAME(ops_stat("f").st_uid, 1234);
    SAME(ops_stat("f").st_gid, 99);
    OKAY(lchown("l", 7, 8));
    SAME(ops_stat("l").st_uid, 7);
    SAME(ops_stat("f").st_uid, 1234);
}

static int stranger(void)
{
    int fd;

    if (open("secret", O_RDONLY) != -1 || errno != EACCES)
        return 1;
    if (open("readable", O_WRONLY) != -1 || errno != EACCES)
        return 2;
    fd = open("readable", O_RDONLY);
    if (fd < 0)
        return 3;
    if (open("closed/x", O_RDONLY) != -1 || errno != EACCES)
        return 4;
    if (creat("new", 0644) != -1 || errno != EACCES)
        return 5;
    if (chmod("readable", 0777) != -1 || errno != EPERM)
        return 6;
    if (unlink("readable") != -1 || errno != EACCES)
        return 7;
    if (chown("readable", OTHER, OTHER) != -1 || errno != EPERM)
        return 8;
    return 0;
}

static void permissions(void)
{
    ops_file("secret", "x");
    OKAY(chmod("secret", 0600));
    ops_file("readable", "x");
    OKAY(mkdir("closed", 0700));
    ops_file("closed/x", "x");
    ops_as(OTHER, OTHER, stranger);
}

static int in_sticky(void)
{
    if (unlink("tmp/roots") != -1 || (errno != EPERM && errno != EACCES))
        return 1;
    if (rename("tmp/roots", "tmp/mine") != -1)
        return 2;
    if (close(creat("tmp/own", 0644)) < 0)
        return 3;
    return unlink("tmp/own") < 0 ? 4 : 0;
}

static void sticky(void)
{
    OKAY(mkdir("tmp", 0777));
    OKAY(chmod("tmp", 01777));
    ops_file("tmp/roots", "x");
    ops_as(OTHER, OTHER, in_sticky);
}

static void setgid_folder(void)
{
    OKAY(mkdir("d", 0775));
    OKAY(chown("d", 0, 4242));
    OKAY(chmod("d", 02775));
    ops_file("d/f", "x");
    SAME(ops_stat("d/f").st_gid, 4242);
    SAME(ops_stat("d/f").st_mode & 07000, 0);
    OKAY(mkdir("d/e", 0755));
    SAME(ops_stat("d/e").st_gid, 4242);
    SAME(ops_stat("d/e").st_mode & 07777, 02755);
}

static int write_as_owner(void)
{
    int fd = open("suid", O_WRONLY);

    return fd < 0 || write(fd, "y", 1) != 1 || close(fd) < 0;
}

static int truncate_as_owner(void)
{
    return truncate("suid", 0) < 0;
}

static int open_truncate_as_owner(void)
{
    return close(open("suid", O_WRONLY | O_TRUNC)) < 0;
}

static int punch_as_owner(void)
{
    int fd = open("suid", O_WRONLY);

    return fd < 0 || fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4) < 0 ||
           close(fd) < 0;
}

static int copy_as_owner(void)
{
    int in = open("source", O_RDONLY), out = open("suid", O_WRONLY);

    return in < 0 || out < 0 || copy_file_range(in, NULL, out, NULL, 4, 0) != 4 || close(in) < 0 ||
           close(out) < 0;
}

/* Whoever changes a program takes its privileges from it. */
static void kill_suid(void)
{
    int (*const changes[])(void) = {write_as_owner, truncate_as_owner, open_truncate_as_owner,
                                    punch_as_owner, copy_as_owner};

    ops_file("source", "source");
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        ops_file("suid", "program");
        OKAY(chown("suid", OTHER, OTHER));
        OKAY(chmod("suid", 06755));
        SAME(ops_stat("suid").st_mode & 07777, 06755);
        ops_as(OTHER, OTHER, changes[i]);
        SAME(ops_stat("suid").st_mode & 07777, 0755);
    }
    /* set-group-id of a file that no group may run goes by strangers to the group */
    OKAY(chmod("suid", 02664));
    OKAY(chown("suid", OTHER, 0));
    OKAY(chmod("suid", 02664));
    ops_as(OTHER, OTHER, punch_as_owner);
    SAME(ops_stat("suid").st_mode & 07777, 0664);
    OKAY(chown("suid", OTHER, OTHER));
    OKAY(chmod("suid", 02664));
    ops_as(OTHER, OTHER, punch_as_owner);
    SAME(ops_stat("suid").st_mode & 07777, 02664);
    OKAY(chmod("suid", 06755));
    OKAY(chown("suid", 0, 0));
    SAME(ops_stat("suid").st_mode & 07777, 0755);
    OKAY(chmod("suid", 04755));
    ops_file("suid", "root may");
    SAME(ops_stat("suid").st_mode & 07777, 04755);
}

static void times(void)
{
    struct timespec set[2] = {{.tv_sec = 1234567890, .tv_nsec = 123456789},
                              {.tv_sec = -5, .tv_nsec = 987654321}};
    struct stat st;

    ops_file("f", "x");
    OKAY(utimensat(AT_FDCWD, "f", set, 0));
    st = ops_stat("f");
    SAME(st.st_atim.tv_sec, 1234567890);
    SAME(st.st_atim.tv_nsec, 123456789);
    SAME(st.st_mtim.tv_sec, -5);
    SAME(st.st_mtim.tv_nsec, 987654321);
    CHECK(later(st.st_ctim, st.st_mtim));
    set[0].tv_nsec = UTIME_OMIT;
    set[1].tv_nsec = UTIME_NOW;
    OKAY(utimensat(AT_FDCWD, "f", set, 0));
    st = ops_stat("f");
    SAME(st.st_atim.tv_nsec, 123456789);
    CHECK(st.st_mtim.tv_sec > 1600000000);
    OKAY(symlink("f", "l"));
    set[1] = (struct timespec){.tv_sec = 42};
    OKAY(utimensat(AT_FDCWD, "l", set, AT_SYMLINK_NOFOLLOW));
    SAME(ops_stat("l").st_mtim.tv_sec, 42);
    CHECK(ops_stat("f").st_mtim.tv_sec > 1600000000);
}

/* Times that were set while a file is open and written stay. */
static void times_after_write(void)
{
    struct timespec set[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    int fd = OKAY(open("f", O_CREAT | O_WRONLY, 0644));

    SAME(write(fd, "data", 4), 4);
    OKAY(futimens(fd, set));
    OKAY(close(fd));
    SAME(ops_stat("f").st_mtim.tv_sec, 2000);
    SAME(ops_stat("f").st_size, 4);
}

static void times_of_change(void)
{
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct stat a, b;

    OKAY(mkdir("d", 0755));
    OKAY(utimensat(AT_FDCWD, "d", old, 0));
    ops_file("d/f", "x");
    CHECK(ops_stat("d").st_mtim.tv_sec > 1000);
    OKAY(utimensat(AT_FDCWD, "d/f", old, 0));
    a = ops_stat("d/f");
    OKAY(chmod("d/f", 0600));
    b = ops_stat("d/f");
    CHECK(later(b.st_ctim, a.st_ctim));
    SAME(b.st_mtim.tv_sec, 1000);
    ops_file("d/f", "changed");
    CHECK(ops_stat("d/f").st_mtim.tv_sec > 1000);
    OKAY(utimensat(AT_FDCWD, "d", old, 0));
    OKAY(unlink("d/f"));
    CHECK(ops_stat("d").st_mtim.tv_sec > 1000);
}

static void xattrs(void)
{
    char big[60000], buf[65536];
    ssize_t n;

    ops_file("f", "x");
    OKAY(setxattr("f", "user.one", "value", 5, XATTR_CREATE));
    FAILS(setxattr("f", "user.one", "v", 1, XATTR_CREATE), EEXIST);
    FAILS(setxattr("f", "user.two", "v", 1, XATTR_REPLACE), ENODATA);
    SAME(getxattr("f", "user.one", NULL, 0), 5);
    FAILS(getxattr("f", "user.one", buf, 2), ERANGE);
    SAME(getxattr("f", "user.one", buf, sizeof(buf)), 5);
    CHECK(memcmp(buf, "value", 5) == 0);
    OKAY(setxattr("f", "user.one", "", 0, XATTR_REPLACE));
    SAME(getxattr("f", "user.one", buf, sizeof(buf)), 0);
    OKAY(setxattr("f", "user.bin\xff", "\0\1\2", 3, 0));
    n = OKAY(listxattr("f", buf, sizeof(buf)));
    SAME(n, sizeof("user.one") + sizeof("user.bin\xff"));
    FAILS(listxattr("f", buf, 3), ERANGE);
    OKAY(removexattr("f", "user.one"));
    FAILS(removexattr("f", "user.one"), ENODATA);
    FAILS(getxattr("f", "user.one", buf, sizeof(buf)), ENODATA);
    ops_pattern((unsigned char *)big, sizeof(big), 2);
    if (setxattr("f", "user.big", big, sizeof(big), 0) == 0) {
        SAME(getxattr("f", "user.big", buf, sizeof(buf)), sizeof(big));
        CHECK(memcmp(big, buf, sizeof(big)) == 0);
    } else {
        CHECK(errno == ENOSPC || errno == E2BIG);
    }
    OKAY(mkdir("d", 0755));
    OKAY(setxattr("d", "user.of.folder", "y", 1, 0));
    SAME(getxattr("d", "user.of.folder", buf, sizeof(buf)), 1);
}

static void xattrs_of_root(void)
{
    char buf[16];

    ops_file("f", "x");
    OKAY(setxattr("f", "trusted.t", "1", 1, 0));
    SAME(getxattr("f", "trusted.t", buf, sizeof(buf)), 1);
    OKAY(symlink("f", "l"));
    FAILS(lsetxattr("l", "user.x", "1", 1, 0), EPERM);
    OKAY(lsetxattr("l", "trusted.x", "12", 2, 0));
    SAME(lgetxattr("l", "trusted.x", buf, sizeof(buf)), 2);
}

static void figures(void)
{
    struct statvfs v;

    OKAY(statvfs(".", &v));
    CHECK(v.f_blocks > 0 && v.f_bfree <= v.f_blocks && v.f_bavail <= v.f_bfree);
    SAME(v.f_namemax, 255);
    CHECK(v.f_bsize >= 512 && v.f_frsize >= 512);
    CHECK(v.f_files > 0 && v.f_ffree > 0);
}

static void blocks(void)
{
    unsigned char buf[100000];
    int fd = OKAY(open("f", O_CREAT | O_WRONLY, 0644));

    ops_pattern(buf, sizeof(buf), 3);
    SAME(write(fd, buf, sizeof(buf)), sizeof(buf));
    OKAY(fsync(fd));
    OKAY(close(fd));
    CHECK(ops_stat("f").st_blocks >= (blkcnt_t)(sizeof(buf) / 512));
    CHECK(ops_stat("f").st_blocks <= 1024);
}

/* Locks: whole-file and by range, seen by another process. */
static void locks(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
    int fd = OKAY(open("f", O_CREAT | O_RDWR, 0644));
    int status;
    pid_t pid;

    OKAY(flock(fd, LOCK_EX));
    OKAY(fcntl(fd, F_SETLK, &lock));
    pid = OKAY(fork());
    if (pid == 0) {
        int other = open("f", O_RDWR);
        struct flock near = lock;

        if (flock(other, LOCK_EX | LOCK_NB) != -1 || errno != EWOULDBLOCK)
            _exit(1);
        if (fcntl(other, F_SETLK, &near) != -1 || (errno != EAGAIN && errno != EACCES))
            _exit(2);
        near.l_start = 15;
        if (fcntl(other, F_SETLK, &near) != 0)
            _exit(3);
        _exit(0);
    }
    OKAY(waitpid(pid, &status, 0));
    SAME(status, 0);
    OKAY(close(fd));
}

const struct ops_case cases_attr[] = {
    {"attr_modes", modes, false},
    {"attr_owners", owners, true},
    {"attr_permissions", permissions, true},
    {"attr_sticky", sticky, true},
    {"attr_setgid_folder", setgid_folder, true},
    {"attr_kill_suid", kill_suid, true},
    {"attr_times", times, false},
    {"attr_times_after_write", times_after_write, false},
    {"attr_times_of_change", times_of_change, false},
    {"attr_xattrs", xattrs, false},
    {"attr_xattrs_of_root", xattrs_of_root, true},
    {"attr_figures", figures, false},
    {"attr_blocks", blocks, false},
    {"attr_locks", locks, false},
    {NULL, NULL, false},
};
