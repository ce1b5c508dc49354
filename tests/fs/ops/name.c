/* SPDX-License-Identifier: Apache-2.0 */
/* Names: making, linking, removing; what a name may be. */
#include "ops.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static void create_excl(void)
{
    int fd = OKAY(open("a", O_CREAT | O_EXCL | O_RDWR, 0600));

    OKAY(close(fd));
    SAME(ops_stat("a").st_mode, S_IFREG | 0600);
    SAME(ops_stat("a").st_size, 0);
    SAME(ops_stat("a").st_nlink, 1);
    FAILS(open("a", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
    OKAY(symlink("nowhere", "l"));
    FAILS(open("l", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
    FAILS(open("missing", O_RDONLY), ENOENT);
    FAILS(open("a/b", O_RDONLY), ENOTDIR);
    FAILS(open("a", O_RDONLY | O_DIRECTORY), ENOTDIR);
    FAILS(open(".", O_WRONLY), EISDIR);
}

static void create_umask(void)
{
    umask(027);
    OKAY(close(OKAY(open("f", O_CREAT | O_WRONLY, 0666))));
    OKAY(mkdir("d", 0777));
    SAME(ops_stat("f").st_mode & 07777, 0640);
    SAME(ops_stat("d").st_mode & 07777, 0750);
}

/* The mode of a new file does not limit the descriptor that made it. */
static void create_readonly_mode(void)
{
    int fd = OKAY(open("f", O_CREAT | O_RDWR, 0400));

    SAME(write(fd, "x", 1), 1);
    OKAY(close(fd));
    ops_is("f", "x");
}

static void hard_links(void)
{
    struct stat a, b;

    ops_file("a", "one");
    a = ops_stat("a");
    OKAY(link("a", "b"));
    SAME(ops_stat("a").st_nlink, 2);
    b = ops_stat("b");
    SAME(a.st_ino, b.st_ino);
    ops_file("b", "other");
    ops_is("a", "other");
    FAILS(link("a", "b"), EEXIST);
    FAILS(link("missing", "c"), ENOENT);
    FAILS(link(".", "c"), EPERM);
    OKAY(unlink("a"));
    SAME(ops_stat("b").st_nlink, 1);
    ops_is("b", "other");
    OKAY(unlink("b"));
    CHECK(!ops_there("b"));
}

static void links_update_ctime(void)
{
    struct stat before, after;

    ops_file("a", "x");
    before = ops_stat("a");
    OKAY(link("a", "b"));
    after = ops_stat("a");
    CHECK(after.st_ctim.tv_sec > before.st_ctim.tv_sec ||
          (after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
           after.st_ctim.tv_nsec > before.st_ctim.tv_nsec));
    SAME(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

static void symlinks(void)
{
    char buf[5000], target[4096];
    ssize_t n;

    OKAY(symlink("some/where", "l"));
    SAME(ops_stat("l").st_mode & S_IFMT, S_IFLNK);
    SAME(ops_stat("l").st_size, 10);
    n = OKAY(readlink("l", buf, sizeof(buf)));
    SAME(n, 10);
    CHECK(memcmp(buf, "some/where", 10) == 0);
    SAME(readlink("l", buf, 4), 4);
    FAILS(symlink("x", "l"), EEXIST);
    ops_file("f", "via");
    OKAY(symlink("f", "m"));
    ops_is("m", "via");
    FAILS(readlink("f", buf, sizeof(buf)), EINVAL);
    memset(target, 't', 4095);
    target[4095] = '\0';
    OKAY(symlink(target, "long"));
    SAME(readlink("long", buf, sizeof(buf)), 4095);
    OKAY(symlink("loop", "loop"));
    FAILS(open("loop", O_RDONLY), ELOOP);
}

static void folders(void)
{
    OKAY(mkdir("d", 0755));
    FAILS(mkdir("d", 0755), EEXIST);
    OKAY(mkdir("d/e", 0755));
    SAME(ops_stat("d").st_mode & S_IFMT, S_IFDIR);
    FAILS(rmdir("d"), ENOTEMPTY);
    FAILS(unlink("d"), EISDIR);
    FAILS(rmdir("d/missing"), ENOENT);
    ops_file("f", "x");
    FAILS(rmdir("f"), ENOTDIR);
    FAILS(mkdir("f/x", 0755), ENOTDIR);
    FAILS(mkdir("nope/x", 0755), ENOENT);
    OKAY(rmdir("d/e"));
    OKAY(rmdir("d"));
    CHECK(!ops_there("d"));
    FAILS(rmdir("."), EINVAL);
}

static void special_files(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "sock"};
    int fd;

    OKAY(mkfifo("fifo", 0640));
    SAME(ops_stat("fifo").st_mode, S_IFIFO | 0640);
    fd = OKAY(open("fifo", O_RDWR | O_NONBLOCK));
    SAME(write(fd, "x", 1), 1);
    OKAY(close(fd));
    fd = OKAY(socket(AF_UNIX, SOCK_STREAM, 0));
    OKAY(bind(fd, (struct sockaddr *)&at, sizeof(at)));
    SAME(ops_stat("sock").st_mode & S_IFMT, S_IFSOCK);
    OKAY(close(fd));
    OKAY(mknod("plain", S_IFREG | 0604, 0));
    SAME(ops_stat("plain").st_mode, S_IFREG | 0604);
    FAILS(mknod("plain", S_IFREG | 0604, 0), EEXIST);
}

static void devices(void)
{
    OKAY(mknod("c", S_IFCHR | 0600, makedev(1, 3)));
    OKAY(mknod("b", S_IFBLK | 0600, makedev(259, 70000)));
    SAME(ops_stat("c").st_mode, S_IFCHR | 0600);
    SAME(ops_stat("c").st_rdev, makedev(1, 3));
    SAME(ops_stat("b").st_mode, S_IFBLK | 0600);
    SAME(ops_stat("b").st_rdev, makedev(259, 70000));
}

static void long_names(void)
{
    char name[260];

    memset(name, 'n', sizeof(name));
    name[255] = '\0';
    ops_file(name, "x");
    ops_is(name, "x");
    OKAY(unlink(name));
    OKAY(mkdir(name, 0755));
    OKAY(rmdir(name));
    name[255] = 'n';
    name[256] = '\0';
    FAILS(open(name, O_CREAT | O_WRONLY, 0644), ENAMETOOLONG);
    FAILS(mkdir(name, 0755), ENAMETOOLONG);
    FAILS(symlink("x", name), ENAMETOOLONG);
}

/* Every byte but NUL and the slash may be in a name. */
static void any_bytes(void)
{
    char name[4] = "";

    for (int i = 1; i < 256; i++) {
        if (i == '/')
            continue;
        snprintf(name, sizeof(name), "x%c", i);
        ops_file(name, name);
    }
    for (int i = 1; i < 256; i++) {
        if (i == '/')
            continue;
        snprintf(name, sizeof(name), "x%c", i);
        ops_is(name, name);
        OKAY(unlink(name));
    }
}

static void hostile_names(void)
{
    static const char *const names[] = {"...",
                                        " ",
                                        "a b",
                                        "a+b",
                                        "a%2Fb",
                                        "%",
                                        "%00",
                                        "%2e",
                                        "%2E%2E",
                                        "\\",
                                        "*",
                                        "?",
                                        "-rf",
                                        "~",
                                        "$HOME",
                                        "a\nb",
                                        "a\tb",
                                        "\x7f",
                                        "\xff\xfe",
                                        "\xc3\x28",
                                        "\xe2\x82",
                                        "naïve",
                                        "日本語",
                                        "🙂🙃",
                                        "e\xcc\x81",
                                        "\xc3\xa9",
                                        "CON",
                                        "a.",
                                        ".a",
                                        ".hidden.",
                                        "a\\b",
                                        "a:b",
                                        "a|b",
                                        "\"quoted\"",
                                        "it's",
                                        "#",
                                        "\xed\xa0\x80",
                                        "\xf4\x90\x80\x80",
                                        "\x01",
                                        NULL};

    for (size_t i = 0; names[i]; i++) {
        ops_file(names[i], names[i]);
        OKAY(mkdir("d", 0755));
        OKAY(rename("d", "e"));
        OKAY(rmdir("e"));
    }
    for (size_t i = 0; names[i]; i++) {
        ops_is(names[i], names[i]);
        OKAY(rename(names[i], "moved"));
        ops_is("moved", names[i]);
        OKAY(rename("moved", names[i]));
        OKAY(unlink(names[i]));
        CHECK(!ops_there(names[i]));
    }
}

static void open_unlinked(void)
{
    unsigned char buf[70000], back[70000];
    int fd = OKAY(open("f", O_CREAT | O_RDWR, 0644));
    struct stat st;

    ops_pattern(buf, sizeof(buf), 7);
    SAME(write(fd, buf, sizeof(buf)), sizeof(buf));
    OKAY(unlink("f"));
    CHECK(!ops_there("f"));
    OKAY(fstat(fd, &st));
    SAME(st.st_nlink, 0);
    SAME(st.st_size, sizeof(buf));
    SAME(pread(fd, back, sizeof(back), 0), sizeof(back));
    CHECK(memcmp(buf, back, sizeof(buf)) == 0);
    SAME(pwrite(fd, "more", 4, 100000), 4);
    OKAY(fsync(fd));
    OKAY(ftruncate(fd, 10));
    OKAY(fchmod(fd, 0600));
    OKAY(fstat(fd, &st));
    SAME(st.st_size, 10);
    ops_file("f", "new");
    SAME(pread(fd, back, sizeof(back), 0), 10);
    CHECK(memcmp(buf, back, 10) == 0);
    OKAY(close(fd));
    ops_is("f", "new");
}

static void removed_folder(void)
{
    struct stat st;
    int fd;

    OKAY(mkdir("d", 0755));
    fd = OKAY(open("d", O_RDONLY | O_DIRECTORY));
    OKAY(rmdir("d"));
    OKAY(fstat(fd, &st));
    SAME(st.st_mode & S_IFMT, S_IFDIR);
    FAILS(openat(fd, "x", O_CREAT | O_WRONLY, 0644), ENOENT);
    OKAY(close(fd));
}

static int link_open(int fd, const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

/* O_TMPFILE: a file without a name, until it gets one. */
static void unnamed(void)
{
    int fd, other;
    struct stat st;
    DIR *d;

    umask(027);
    OKAY(mkdir("d", 0755));
    fd = OKAY(open("d", O_TMPFILE | O_RDWR, 0666));
    SAME(write(fd, "content", 7), 7);
    OKAY(fstat(fd, &st));
    SAME(st.st_nlink, 0);
    SAME(st.st_size, 7);
    SAME(st.st_mode, S_IFREG | 0640);
    OKAY(fsync(fd));
    d = opendir("d");
    CHECK(d);
    for (struct dirent *e; (e = readdir(d));)
        CHECK(e->d_name[0] == '.');
    closedir(d);
    ops_file("taken", "x");
    FAILS(link_open(fd, "taken"), EEXIST);
    OKAY(link_open(fd, "d/named"));
    OKAY(fstat(fd, &st));
    SAME(st.st_nlink, 1);
    ops_is("d/named", "content");
    SAME(write(fd, " more", 5), 5);
    ops_is("d/named", "content more");
    OKAY(link_open(fd, "second"));
    SAME(ops_stat("second").st_nlink, 2);
    OKAY(unlink("second"));
    OKAY(unlink("d/named"));
    FAILS(link_open(fd, "third"), ENOENT); /* what was removed does not come back */
    OKAY(close(fd));

    other = OKAY(open("d", O_TMPFILE | O_WRONLY | O_EXCL, 0600));
    FAILS(link_open(other, "named"), ENOENT);
    OKAY(close(other));
    FAILS(open("taken", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
    FAILS(open("missing", O_TMPFILE | O_RDWR, 0600), ENOENT);
    OKAY(unlink("taken"));
    OKAY(rmdir("d"));
}

static void recreate(void)
{
    for (int i = 0; i < 200; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%d", i);
        ops_file("f", text);
        ops_is("f", text);
        OKAY(unlink("f"));
        CHECK(!ops_there("f"));
    }
}

const struct ops_case cases_name[] = {
    {"create_excl", create_excl, false},
    {"create_umask", create_umask, false},
    {"create_readonly_mode", create_readonly_mode, false},
    {"hard_links", hard_links, false},
    {"links_update_ctime", links_update_ctime, false},
    {"symlinks", symlinks, false},
    {"folders", folders, false},
    {"special_files", special_files, false},
    {"devices", devices, true},
    {"long_names", long_names, false},
    {"any_bytes", any_bytes, false},
    {"hostile_names", hostile_names, false},
    {"open_unlinked", open_unlinked, false},
    {"removed_folder", removed_folder, false},
    {"unnamed", unnamed, false},
    {"recreate", recreate, false},
    {NULL, NULL, false},
};
