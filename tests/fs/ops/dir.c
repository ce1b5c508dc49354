/* SPDX-License-Identifier: Apache-2.0 */
/* Folders: listing them, big ones, and while they change. */
#include "ops.h"

#include <dirent.h>
#include <pthread.h>

#define MANY 3000

static void name_of(char *buf, size_t cap, int i)
{
    snprintf(buf, cap, "entry-%05d-%s", i, i % 7 ? "x" : "a longer name, to make pages uneven");
}

static void fill(const char *dir, int n)
{
    char name[100], path[200];

    for (int i = 0; i < n; i++) {
        name_of(name, sizeof(name), i);
        snprintf(path, sizeof(path), "%s/%s", dir, name);
        OKAY(close(OKAY(open(path, O_CREAT | O_EXCL | O_WRONLY, 0644))));
    }
}

/* How often each of the names made by fill is listed. */
static int count(DIR *d, unsigned char *seen)
{
    struct dirent *e;
    int dots = 0;

    memset(seen, 0, MANY);
    while (errno = 0, (e = readdir(d))) {
        int i;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            dots++;
        else if (sscanf(e->d_name, "entry-%5d", &i) == 1 && i < MANY)
            seen[i]++;
    }
    SAME(errno, 0);
    return dots;
}

static void list_all(void)
{
    unsigned char seen[MANY];
    DIR *d;

    OKAY(mkdir("d", 0755));
    fill("d", MANY);
    d = opendir("d");
    CHECK(d != NULL);
    for (int pass = 0; pass < 2; pass++) {
        SAME(count(d, seen), 2);
        for (int i = 0; i < MANY; i++)
            SAME(seen[i], 1);
        rewinddir(d);
    }
    closedir(d);
}

static void seek(void)
{
    char names[400][64];
    long at[400];
    struct dirent *e;
    int n = 0;
    DIR *d;

    OKAY(mkdir("d", 0755));
    fill("d", 390);
    d = opendir("d");
    CHECK(d != NULL);
    while (at[n] = telldir(d), (e = readdir(d)))
        snprintf(names[n++], sizeof(names[0]), "%.60s", e->d_name);
    SAME(n, 392);
    for (int i = 0; i < n; i++) {
        int k = (i * 131 + 7) % n;

        seekdir(d, at[k]);
        e = readdir(d);
        CHECK(e != NULL);
        CHECK(strncmp(e->d_name, names[k], 60) == 0);
    }
    closedir(d);
}

/* Removing what was just listed, as rm -r does: nothing is left over. */
static void remove_while_listing(void)
{
    struct dirent *e;
    int removed = 0;
    DIR *d;

    OKAY(mkdir("d", 0755));
    fill("d", MANY);
    d = opendir("d");
    CHECK(d != NULL);
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        OKAY(unlinkat(dirfd(d), e->d_name, 0));
        removed++;
    }
    closedir(d);
    SAME(removed, MANY);
    OKAY(rmdir("d"));
}

static void *churn(void *arg)
{
    char path[64];

    for (int i = 0; i < 1500; i++) {
        snprintf(path, sizeof(path), "d/churn-%d", i);
        if (close(open(path, O_CREAT | O_WRONLY, 0644)) < 0)
            return arg;
        if (i >= 50) {
            snprintf(path, sizeof(path), "d/churn-%d", i - 50);
            if (unlink(path) < 0)
                return arg;
        }
    }
    return NULL;
}

/* What was there before and after is listed once, whatever else comes and goes. */
static void list_while_changing(void)
{
    unsigned char seen[MANY];
    pthread_t t;
    void *failed;

    OKAY(mkdir("d", 0755));
    fill("d", 1000);
    SAME(pthread_create(&t, NULL, churn, "failed"), 0);
    for (int pass = 0; pass < 10; pass++) {
        DIR *d = opendir("d");

        CHECK(d != NULL);
        (void)count(d, seen);
        closedir(d);
        for (int i = 0; i < 1000; i++)
            SAME(seen[i], 1);
    }
    SAME(pthread_join(t, &failed), 0);
    CHECK(failed == NULL);
}

static void types(void)
{
    struct dirent *e;
    int found = 0;
    DIR *d;

    OKAY(mkdir("d", 0755));
    OKAY(mkdir("d/folder", 0755));
    ops_file("d/file", "x");
    OKAY(symlink("x", "d/link"));
    OKAY(mkfifo("d/pipe", 0644));
    d = opendir("d");
    CHECK(d != NULL);
    while ((e = readdir(d))) {
        struct stat st;

        OKAY(fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW));
        CHECK(e->d_type == DT_UNKNOWN || (mode_t)DTTOIF(e->d_type) == (st.st_mode & S_IFMT));
        if (strcmp(e->d_name, "..") != 0)
            SAME(e->d_ino, st.st_ino);
        found++;
    }
    SAME(found, 6);
    closedir(d);
}

static void link_counts(void)
{
    OKAY(mkdir("d", 0755));
    SAME(ops_stat("d").st_nlink, 2);
    OKAY(mkdir("d/a", 0755));
    OKAY(mkdir("d/b", 0755));
    ops_file("d/f", "x");
    SAME(ops_stat("d").st_nlink, 4);
    OKAY(rmdir("d/a"));
    SAME(ops_stat("d").st_nlink, 3);
}

static void deep(void)
{
    char path[64];
    int fd = OKAY(open(".", O_RDONLY | O_DIRECTORY));

    for (int i = 0; i < 100; i++) {
        int next;

        snprintf(path, sizeof(path), "level-%d", i);
        OKAY(mkdirat(fd, path, 0755));
        next = OKAY(openat(fd, path, O_RDONLY | O_DIRECTORY));
        OKAY(close(fd));
        fd = next;
    }
    OKAY(close(OKAY(openat(fd, "bottom", O_CREAT | O_WRONLY, 0644))));
    OKAY(faccessat(fd, "bottom", R_OK, 0));
    OKAY(close(fd));
}

static void sync_folder(void)
{
    int fd = OKAY(open(".", O_RDONLY | O_DIRECTORY));

    ops_file("f", "x");
    OKAY(fsync(fd));
    OKAY(syncfs(fd));
    OKAY(close(fd));
}

const struct ops_case cases_dir[] = {
    {"dir_list", list_all, false},
    {"dir_seek", seek, false},
    {"dir_remove_while_listing", remove_while_listing, false},
    {"dir_list_while_changing", list_while_changing, false},
    {"dir_types", types, false},
    {"dir_link_counts", link_counts, false},
    {"dir_deep", deep, false},
    {"dir_sync", sync_folder, false},
    {NULL, NULL, false},
};
