/* SPDX-License-Identifier: Apache-2.0 */
/* Figures that are read when somebody asks: the process, its workers, the volume. */
#ifndef GATEWAY_GAUGES_H
#define GATEWAY_GAUGES_H

#include "buf.h"

struct gateway;

/** gauges_render(gw, out): OpenMetrics text, without the end mark. What cannot be had is left out. */
void gauges_render(const struct gateway *gw, struct buf *out);

#endif
