#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Limits of rates, connections and slowness, a thousand connections in bounded memory, and the list of hosts.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/s3/s3lib.sh"

"$PYTHON" -c 'import prometheus_client' 2>/dev/null || skip "prometheus_client is not installed"
look() { # exports where the gateway is
    WEB_URL=$("$PYTHON" -c 'import json,sys; print(json.load(open(sys.argv[1]))["web"])' "$PCLOUD_HOME/run/gateway.json")
    GATEWAY_PID=$(home_pid gateway)
    export WEB_URL GATEWAY_PID
}

start_s3 http
look
ok "limits" "$PYTHON" "$SRC/tests/s3/test_guard.py"
is "the same process serves" "$(home_pid gateway)" "$GATEWAY_PID"
down_home
ok "a list of hosts" pcloud --home "$PCLOUD_HOME" config set gateway.hosts '127.0.0.1, good.example, *.sub.example'
up_home --no-mount
look
HOSTS=1 ok "hosts" "$PYTHON" "$SRC/tests/s3/test_guard.py" test_hosts
fsck_clean
pass
