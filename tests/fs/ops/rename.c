/* SPDX-License-Identifier: Apache-2.0 */
/* Renaming: files over files, folders over folders, and the flags of renameat2. */
#include "ops.h"

static void plain(void)
{
    ino_t ino;

    ops_file("a", "one");
    ino = ops_stat("a").st_ino;
    OKAY(rename("a", "b"));
    CHECK(!ops_there("a"));
    SAME(ops_stat("b").st_ino, ino);
    ops_is("b", "one");
    FAILS(rename("a", "c"), ENOENT);
    OKAY(rename("b", "b"));
    ops_is("b", "one");
}

static void over_file(void)
{
    int fd;
    char buf[8];

    ops_file("a", "new");
    ops_file("b", "old");
    fd = OKAY(open("b", O_RDONLY));
    OKAY(rename("a", "b"));
    ops_is("b", "new");
    CHECK(!ops_there("a"));
    SAME(read(fd, buf, sizeof(buf)), 3);
    CHECK(memcmp(buf, "old", 3) == 0);
    OKAY(close(fd));
}

/* Two names of one file: rename does nothing, and both stay. */
static void over_own_link(void)
{
    ops_file("a", "x");
    OKAY(link("a", "b"));
    OKAY(rename("a", "b"));
    CHECK(ops_there("a") && ops_there("b"));
}

static void folders(void)
{
    OKAY(mkdir("d", 0755));
    OKAY(mkdir("d/sub", 0755));
    ops_file("d/sub/f", "deep");
    OKAY(mkdir("empty", 0755));
    OKAY(mkdir("full", 0755));
    ops_file("full/x", "x");
    FAILS(rename("d", "full"), ENOTEMPTY);
    FAILS(rename("d", "d/sub/in"), EINVAL);
    FAILS(rename("full/x", "d"), EISDIR);
    FAILS(rename("d", "full/x"), ENOTDIR);
    OKAY(rename("d", "empty"));
    ops_is("empty/sub/f", "deep");
    CHECK(!ops_there("d"));
    OKAY(rename("empty/sub", "full/sub"));
    ops_is("full/sub/f", "deep");
    SAME(ops_stat("empty").st_nlink, 2);
}

/* ".." of a moved folder is its new parent. */
static void parent_of_moved(void)
{
    struct stat up;

    OKAY(mkdir("a", 0755));
    OKAY(mkdir("b", 0755));
    OKAY(mkdir("a/d", 0755));
    OKAY(rename("a/d", "b/d"));
    OKAY(stat("b/d/..", &up));
    SAME(up.st_ino, ops_stat("b").st_ino);
}

static void noreplace(void)
{
    ops_file("a", "one");
    ops_file("b", "two");
    FAILS(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), EEXIST);
    ops_is("a", "one");
    ops_is("b", "two");
    OKAY(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
    ops_is("c", "one");
}

static void exchange(void)
{
    ops_file("a", "one");
    OKAY(mkdir("d", 0755));
    ops_file("d/x", "in");
    OKAY(renameat2(AT_FDCWD, "a", AT_FDCWD, "d", RENAME_EXCHANGE));
    ops_is("d", "one");
    ops_is("a/x", "in");
    OKAY(renameat2(AT_FDCWD, "d", AT_FDCWD, "a/x", RENAME_EXCHANGE));
    ops_is("d", "in");
    ops_is("a/x", "one");
    FAILS(renameat2(AT_FDCWD, "d", AT_FDCWD, "missing", RENAME_EXCHANGE), ENOENT);
}

static void moved_open(void)
{
    int fd = OKAY(open("a", O_CREAT | O_RDWR, 0644));

    SAME(write(fd, "before", 6), 6);
    OKAY(mkdir("d", 0755));
    OKAY(rename("a", "d/b"));
    SAME(write(fd, "after", 5), 5);
    OKAY(close(fd));
    ops_is("d/b", "beforeafter");
}

/* Editors: write beside, sync, rename over. */
static void safe_save(void)
{
    for (int i = 0; i < 50; i++) {
        char text[32];
        int fd = OKAY(open("f.tmp", O_CREAT | O_TRUNC | O_WRONLY, 0644));

        snprintf(text, sizeof(text), "version %d", i);
        SAME(write(fd, text, strlen(text)), strlen(text));
        if (i % 10 == 0)
            OKAY(fsync(fd));
        OKAY(close(fd));
        OKAY(rename("f.tmp", "f"));
        ops_is("f", text);
    }
}

static void times(void)
{
    struct stat d;
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    OKAY(mkdir("d", 0755));
    ops_file("d/a", "x");
    OKAY(utimensat(AT_FDCWD, "d", old, 0));
    OKAY(rename("d/a", "d/b"));
    d = ops_stat("d");
    CHECK(d.st_mtim.tv_sec > 1000);
    CHECK(d.st_ctim.tv_sec > 1000);
}

const struct ops_case cases_rename[] = {
    {"rename_plain", plain, false},
    {"rename_over_file", over_file, false},
    {"rename_over_own_link", over_own_link, false},
    {"rename_folders", folders, false},
    {"rename_parent", parent_of_moved, false},
    {"rename_noreplace", noreplace, false},
    {"rename_exchange", exchange, false},
    {"rename_open", moved_open, false},
    {"rename_safe_save", safe_save, false},
    {"rename_times", times, false},
    {NULL, NULL, false},
};
