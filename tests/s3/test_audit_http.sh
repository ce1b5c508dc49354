#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The audit log: its lines, moved away under the writer, and on a full disk, where requests are served or refused as configured.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/s3/s3lib.sh"

need curl
set_key() { pcloud --home "$PCLOUD_HOME" config set "$1" "$2" || fail "config set $1"; }
status_of() { curl -s -o /dev/null -m 20 -w '%{http_code}' "$AWS_ENDPOINT_URL/"; }
figure() { # NAME
    curl -s "$("$PYTHON" -c 'import json,sys; print(json.load(open(sys.argv[1]))["web"])' "$PCLOUD_HOME/run/gateway.json")/metrics" |
        awk -v name="$1" '$1 == name { print $2 }'
}
lost() { [ "$(figure pcloud_audit_lost_total)" -gt 0 ]; }
refused() { [ "$(status_of)" = 503 ]; }
again() { down_home; up_home --no-mount; }

start_s3 http
not_ok "it is off" test -e "$PCLOUD_HOME/log/audit.log"
set_key gateway.audit audit.log
again
AUDIT_LOG=$PCLOUD_HOME/log/audit.log; export AUDIT_LOG
ok "lines" "$PYTHON" "$SRC/tests/s3/test_audit.py"
is "its mode" "$(stat -c %a "$AUDIT_LOG")" 600

# as logrotate does it: no line is lost, none is in both
status_of >/dev/null
mv "$AUDIT_LOG" "$AUDIT_LOG.1"
kill -HUP "$(home_pid gateway)"
wait_until 30 test -e "$AUDIT_LOG"
is "served" "$(status_of)" 403
wait_until 30 test -s "$AUDIT_LOG"
is "the new file has whole lines" "$("$PYTHON" -c 'import json,sys; print({json.loads(x)["status"] for x in open(sys.argv[1])})' "$AUDIT_LOG")" '{403}'
is "nothing of it was lost" "$(figure pcloud_audit_lost_total)" 0

set_key gateway.audit /dev/full
again
is "a full disk: served" "$(status_of)" 403
wait_until 30 lost
is "served still" "$(status_of)" 403
ok "one line says so" grep -q 'cannot be written, lines are lost' "$PCLOUD_HOME/log/gateway.log"
set_key gateway.audit_full refuse
again
status_of >/dev/null
wait_until 30 refused
down_home
set_key gateway.audit no/such/name
pcloud-gateway --home "$PCLOUD_HOME" --s3 127.0.0.1:0 --web 127.0.0.1:0 2>"$TMP/err"
is "a name that is none" $? 2
ok "is explained" grep -q gateway.audit "$TMP/err"
pass
