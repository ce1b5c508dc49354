#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Figures and health of the gateway, who may read them, and what they say when the volume does not answer.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/s3/s3lib.sh"

need curl
"$PYTHON" -c 'import prometheus_client' 2>/dev/null || skip "prometheus_client is not installed"
web_url() { "$PYTHON" -c 'import json,sys; print(json.load(open(sys.argv[1]))["web"])' "$PCLOUD_HOME/run/gateway.json"; }
status_of() { curl -sL -o /dev/null -m 20 -w '%{http_code}' "$1"; }

start_s3 http
WEB_URL=$(web_url); export WEB_URL
ok "figures and health" "$PYTHON" "$SRC/tests/s3/test_watch.py"

down_home

ok "config" pcloud --home "$PCLOUD_HOME" config set web.metrics_path /figures
up_home --no-mount
is "another path" "$(status_of "$(web_url)/figures")" 200
is "the first one is gone" "$(status_of "$(web_url)/metrics")" 404
down_home
ok "config" pcloud --home "$PCLOUD_HOME" config set web.metrics off
up_home --no-mount
is "off" "$(status_of "$(web_url)/figures")" 404
is "health stays" "$(status_of "$(web_url)/health/ready")" 200
pass
