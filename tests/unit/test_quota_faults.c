/* SPDX-License-Identifier: Apache-2.0 */
/* Operations below folders with quotas, and those on quotas, with their Nth allocation or database statement failing: the counts stay right. */
#include "fault_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "meta/ops/quota.h"
#include "pcloud/file.h"
#include "pcloud/node.h"
#include "pcloud/quota.h"

static int make(struct fault_world *w, uint64_t parent, const char *name, uint32_t mode,
                uint64_t *ret)
{
    const struct pc_make how = {.mode = mode};
    struct pc_attr a;
    int rc = pc_make(w->v, parent, name, &how, &a);

    if (rc == 0 && ret)
        *ret = a.ino;
    return rc;
}

static int fill(struct fault_world *w, uint64_t ino, size_t len)
{
    uint8_t buf[6000] = {0};
    struct pc_file *f;
    ssize_t n;
    int rc = pc_file_open(w->v, ino, O_RDWR, &f), end;

    if (rc < 0)
        return rc;
    memcpy(buf, w->tag, sizeof(w->tag));
    n = pc_file_write(f, buf, len, 0);
    rc = n < 0 ? (int)n : pc_file_flush(f);
    end = pc_file_close(f);
    return rc < 0 ? rc : end;
}

/* dir (quota) / in (quota) / file, link; dir / out */
static void prepare(struct fault_world *w)
{
    uint64_t in = 0, file = 0;

    assert_int_equal(make(w, w->dir, "in", S_IFDIR | 0755, &in), 0);
    assert_int_equal(make(w, w->dir, "out", S_IFDIR | 0755, &w->other), 0);
    assert_int_equal(make(w, in, "file", S_IFREG | 0644, &file), 0);
    assert_int_equal(fill(w, file, 5000), 0);
    assert_int_equal(pc_link(w->v, file, in, "link", NULL), 0);
    assert_int_equal(pc_quota_set(w->v, w->dir, 20000, 10), 0);
    assert_int_equal(pc_quota_set(w->v, in, 15000, 5), 0);
    w->ino = in;
}

static int op_make(struct fault_world *w)
{
    return make(w, w->ino, "new", S_IFREG | 0644, NULL);
}

static int op_write(struct fault_world *w)
{
    struct pc_attr a;
    int rc = pc_lookup(w->v, w->ino, "file", &a);

    return rc < 0 ? rc : fill(w, a.ino, 6000);
}

static int op_move_file(struct fault_world *w)
{
    return pc_rename(w->v, w->ino, "link", w->other, "link", 0);
}

static int op_move_folder(struct fault_world *w)
{
    return pc_rename(w->v, w->dir, "out", w->ino, "out", 0);
}

static int op_unlink(struct fault_world *w)
{
    return pc_unlink(w->v, w->ino, "file");
}

/* Something that can be seen, after something that cannot. */
static int mark(struct fault_world *w, int rc)
{
    if (rc >= 0)
        rc = make(w, w->other, "mark", S_IFREG | 0644, NULL);
    return rc == -EEXIST ? 0 : rc;
}

static int op_set(struct fault_world *w)
{
    int rc;

    quota_count_max = 0;
    rc = pc_quota_set(w->v, w->other, 100, 100);
    quota_count_max = 4096;
    return mark(w, rc);
}

static int op_change(struct fault_world *w)
{
    return mark(w, pc_quota_set(w->v, w->ino, 100, 100));
}

static int op_rm(struct fault_world *w)
{
    int rc = pc_quota_rm(w->v, w->ino);

    return mark(w, rc == -ENODATA ? 0 : rc);
}

static int op_ask(struct fault_world *w)
{
    struct pc_quota_room room;
    struct pc_quota q;
    int rc = pc_quota_room(w->v, w->ino, &room);

    if (rc > 0) {
        assert_int_equal(room.bytes_free, 10000);
        rc = pc_quota_get(w->v, w->ino, &q);
    }
    if (rc == 0)
        assert_int_equal(q.nodes, 1);
    return rc;
}

static void quotas(void **state)
{
    static const struct fault_op ops[] = {
        {"make", prepare, op_make, 0},
        {"write", prepare, op_write, FAULT_PARTIAL},
        {"move a file", prepare, op_move_file, 0},
        {"move a folder", prepare, op_move_folder, 0},
        {"unlink", prepare, op_unlink, 0},
        {"set a quota", prepare, op_set, FAULT_PARTIAL},
        {"change a quota", prepare, op_change, FAULT_PARTIAL},
        {"remove a quota", prepare, op_rm, FAULT_PARTIAL},
        {"ask", prepare, op_ask, FAULT_READS},
    };

    (void)state;
    fault_ops(ops, sizeof ops / sizeof *ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(quotas)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
