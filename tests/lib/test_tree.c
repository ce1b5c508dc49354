/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of a volume as text. */
#include "test_tree.h"

#include "pcloud/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static uint64_t hash(const void *data, size_t len, uint64_t h)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

static uint64_t content_hash(struct pc_volume *v, uint64_t ino, uint64_t size)
{
    static _Thread_local uint8_t buf[1 << 16];
    struct pc_file *f;
    uint64_t h = 0xcbf29ce484222325u, at = 0;
    ssize_t n = 1;

    assert_int_equal(pc_file_open(v, ino, O_RDONLY, &f), 0);
    while (at < size && n > 0) {
        n = pc_file_read(f, buf, sizeof(buf), at);
        assert_true(n > 0);
        h = hash(buf, (size_t)n, h);
        at += (uint64_t)n;
    }
    assert_int_equal(at, size);
    assert_int_equal(pc_file_close(f), 0);
    return h;
}

static int keep(void *arg, const char *name, const struct pc_attr *attr, uint64_t next)
{
    struct test_names *l = arg;

    (void)next;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    assert_true(l->n < TEST_NAMES);
    l->names[l->n] = strdup(name);
    l->attrs[l->n++] = *attr;
    return 0;
}

void test_list(struct pc_volume *v, uint64_t ino, struct test_names *l)
{
    struct pc_dir *d;

    l->n = 0;
    assert_int_equal(pc_dir_open(v, ino, &d), 0);
    assert_int_equal(pc_dir_read(d, 0, keep, l), 0);
    pc_dir_close(d);
}

static void tell_xattrs(struct pc_volume *v, uint64_t ino, FILE *out)
{
    char names[4096], value[4096];
    ssize_t len = pc_xattr_list(v, ino, names, sizeof(names));

    assert_true(len >= 0);
    for (const char *p = names; p < names + len; p += strlen(p) + 1) {
        ssize_t n = pc_xattr_get(v, ino, p, value, sizeof(value));

        assert_true(n >= 0);
        fprintf(out, " %s=%.*s", p, (int)n, value);
    }
}

static void tell(struct pc_volume *v, uint64_t ino, const char *path, FILE *out)
{
    struct test_names *l = calloc(1, sizeof(*l));

    test_list(v, ino, l);
    for (unsigned i = 0; i < l->n; i++) {
        struct pc_attr a, looked;
        char sub[4096], target[4096] = "";

        assert_int_equal(pc_lookup(v, ino, l->names[i], &looked), 0);
        assert_int_equal(pc_getattr(v, l->attrs[i].ino, &a), 0);
        assert_int_equal(looked.ino, a.ino);
        assert_int_equal(l->attrs[i].size, a.size);
        snprintf(sub, sizeof(sub), "%s/%s", path, l->names[i]);
        if (S_ISLNK(a.mode))
            assert_true(pc_readlink(v, a.ino, target, sizeof(target)) > 0);
        fprintf(out, "%s %o %u %u:%u %llu %lld.%09ld %s %llx", sub, a.mode, a.nlink, a.uid, a.gid,
                (unsigned long long)a.size, (long long)a.mtime.tv_sec, a.mtime.tv_nsec, target,
                S_ISREG(a.mode) ? (unsigned long long)content_hash(v, a.ino, a.size) : 0);
        tell_xattrs(v, a.ino, out);
        fputc('\n', out);
        if (S_ISDIR(a.mode))
            tell(v, a.ino, sub, out);
        free(l->names[i]);
    }
    free(l);
}

char *test_tree(struct pc_volume *v, uint64_t ino)
{
    char *data;
    size_t len;
    FILE *f = open_memstream(&data, &len);

    tell(v, ino, "", f);
    fclose(f);
    return data;
}
