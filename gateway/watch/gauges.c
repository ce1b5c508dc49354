/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of the process, its workers and the volume, as OpenMetrics. */
#include "watch/gauges.h"

#include "gateway.h"
#include "guard/guard.h"
#include "pcloud/counter.h"
#include "pcloud/version.h"
#include "pcloud/volume.h"
#include "watch/metrics.h"
#include "workers.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void gauge(struct buf *out, const char *name, const char *unit, const char *help, uint64_t n)
{
    metrics_family(out, name, "gauge", unit, help);
    buf_fmt(out, "%s %" PRIu64 "\n", name, n);
}

static void counter(struct buf *out, const char *name, const char *help, uint64_t n)
{
    metrics_family(out, name, "counter", "", help);
    buf_fmt(out, "%s_total %" PRIu64 "\n", name, n);
}

/* A number of microseconds, in seconds. */
static void seconds(struct buf *out, const char *name, const char *help, uint64_t us)
{
    metrics_family(out, name, "counter", "seconds", help);
    buf_fmt(out, "%s_total %" PRIu64 ".%06" PRIu64 "\n", name, us / 1000000, us % 1000000);
}

static uint64_t count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t n = 0;

    if (!dir)
        return 0;
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
        n += e->d_name[0] != '.';
    closedir(dir);
    return n ? n - 1 : 0; /* the folder itself */
}

static uint64_t resident(void)
{
    unsigned long size = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f)
        return 0;
    if (fscanf(f, "%lu %lu", &size, &pages) != 2)
        pages = 0;
    fclose(f);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t us_of(const struct timeval *t)
{
    return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec;
}

static void render_process(const struct gateway *gw, struct buf *out)
{
    struct rusage ru;
    struct rlimit files;

    if (getrusage(RUSAGE_SELF, &ru) == 0)
        seconds(out, "process_cpu_seconds", "Processor time, user and system.",
                us_of(&ru.ru_utime) + us_of(&ru.ru_stime));
    gauge(out, "process_resident_memory_bytes", "bytes", "Memory in use.", resident());
    gauge(out, "process_open_fds", "", "Open file descriptors.", count_fds());
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        gauge(out, "process_max_fds", "", "The most there may be.", files.rlim_cur);
    gauge(out, "process_start_time_seconds", "seconds", "When it began, since 1970.",
          (uint64_t)gw->started);
    metrics_family(out, "pcloud_build", "info", "", "The version that runs.");
    buf_fmt(out, "pcloud_build_info{version=\"%s\"} 1\n", pc_version());
}

static void render_workers(const struct gateway *gw, struct buf *out)
{
    struct workers_load load = {0};

    if (gw->pool)
        workers_look(gw->pool, &load);
    if (gw->guard)
        gauge(out, "pcloud_connections", "", "Open connections.",
              conns_count(guard_conns(gw->guard)));
    gauge(out, "pcloud_workers", "", "Threads that serve requests.", load.threads);
    gauge(out, "pcloud_workers_busy", "", "Those that do.", load.busy);
    gauge(out, "pcloud_workers_queued", "", "Requests that wait for one.", load.queued);
}

static void render_counters(struct buf *out)
{
    counter(out, "pcloud_cache_hits", "Pieces of blocks that were in memory.",
            pc_counter_get(PC_COUNTER_CACHE_HIT));
    counter(out, "pcloud_cache_misses", "Pieces of blocks that were not.",
            pc_counter_get(PC_COUNTER_CACHE_MISS));
    counter(out, "pcloud_lease_waits", "Changes that waited for another process.",
            pc_counter_get(PC_COUNTER_LEASE_WAIT));
    seconds(out, "pcloud_lease_wait_seconds", "How long they waited, all together.",
            pc_counter_get(PC_COUNTER_LEASE_US));
}

static void render_volume(const struct gateway *gw, struct buf *out)
{
    struct pc_volume_stat st;
    int rc = pc_volume_stat(gw->volume, &st);

    gauge(out, "pcloud_volume_up", "", "1 if the volume answers.", rc == 0);
    if (rc < 0)
        return;
    gauge(out, "pcloud_volume_files", "", "Files.", st.files);
    gauge(out, "pcloud_volume_folders", "", "Folders.", st.folders);
    gauge(out, "pcloud_volume_objects", "", "Files that came by S3.", st.objects);
    gauge(out, "pcloud_volume_content_bytes", "bytes", "Sizes of all files.", st.bytes);
    gauge(out, "pcloud_volume_block_bytes", "bytes", "Stored blocks that are in use.",
          st.block_bytes);
    gauge(out, "pcloud_volume_pack_bytes", "bytes", "Packs on disk.", st.pack_bytes);
    gauge(out, "pcloud_volume_packs", "", "Their number.", st.packs);
    gauge(out, "pcloud_volume_meta_bytes", "bytes", "The database and its log on disk.",
          st.meta_bytes);
    gauge(out, "pcloud_disk_size_bytes", "bytes", "The disk the home is on.", st.disk_total);
    gauge(out, "pcloud_disk_avail_bytes", "bytes", "Room for more on it.", st.disk_avail);
    counter(out, "pcloud_volume_damaged_reads", "Reads that met damage since the volume was made.",
            st.damaged);
}

void gauges_render(const struct gateway *gw, struct buf *out)
{
    render_process(gw, out);
    render_workers(gw, out);
    render_counters(out);
    render_volume(gw, out);
}
