/* SPDX-License-Identifier: Apache-2.0 */
/* Health and figures of the gateway, for supervisors and monitors. */
#include "web/pages.h"

#include "gateway.h"
#include "guard/guard.h"
#include "pcloud/volume.h"
#include "watch/gauges.h"
#include "watch/metrics.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define ASKING_MAX                                                                                 \
    2u /* requests that may wait for the volume; more would take every thread from those that need none */

static atomic_uint asking;

/* 0 or a code; -EAGAIN: it has not answered those who asked before. */
static int ask(const struct gateway *gw, struct pc_volume_stat *st)
{
    int rc = -EAGAIN;

    if (atomic_fetch_add(&asking, 1) < ASKING_MAX)
        rc = pc_volume_stat(gw->volume, st);
    atomic_fetch_sub(&asking, 1);
    return rc;
}

void page_health(struct req *r, const struct gateway *gw)
{
    struct pc_volume_stat st;
    int rc = ask(gw, &st);

    page_reply(r, rc < 0 ? 503 : 200, "application/json");
    buf_fmt(&r->reply_body, "{\"state\":\"%s\"}\n",
            rc == -EAGAIN ? "waiting"
            : rc < 0      ? "failed"
            : st.damaged  ? "degraded"
                          : "ok");
}

void page_live(struct req *r)
{
    page_reply(r, 200, "application/json");
    buf_str(&r->reply_body, "{\"state\":\"ok\"}\n");
}

/* The connection's own address, not what anybody claims. */
static bool is_local(const struct req *r)
{
    return strncmp(r->peer, "127.", 4) == 0 || strncmp(r->peer, "[::1]", 5) == 0 ||
           strncmp(r->peer, "[::ffff:127.", 12) == 0;
}

void page_metrics(struct req *r, const struct gateway *gw)
{
    const char *host = req_header(r, "Host");

    /* a name that is not this machine's: a page elsewhere had it resolve to here (DNS rebinding) */
    if (gw->metrics_for == METRICS_LOCAL && (!is_local(r) || (host && !host_is_local(host)))) {
        page_reply(r, 403, "text/plain; charset=utf-8");
        buf_str(&r->reply_body, "figures are for this machine; see web.metrics\n");
        return;
    }
    page_reply(r, 200, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    metrics_render(gw->metrics, &r->reply_body);
    gauges_render(gw, &r->reply_body);
    buf_str(&r->reply_body, "# EOF\n");
}
