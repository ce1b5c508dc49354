#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A process that is stopped inside a change: `pcloud status` answers and names it, others log it, and all goes on when it is continued.
. "$SRC/tests/lib/lib.sh"
require_fuse

volume() { pcloud status --json | python3 -c 'import json,sys; v=json.load(sys.stdin)["volume"]; print(v[sys.argv[1]])' "$1"; }
is_held() { [ "$(volume state)" = waiting ]; }
start_home
mkdir "$PCLOUD_MOUNT/docs"
mount=$(home_pid mount)
gateway=$(home_pid gateway)
on_exit kill -CONT "$mount"

# a load on the mount that lasts until a stop has met it inside a change
(
    n=0
    while [ ! -e "$TMP/end" ]; do n=$((n + 1)) && echo "$n" >"$PCLOUD_MOUNT/docs/f$((n % 200))" || exit 1; done
    echo "$n" >"$TMP/last"
) &
load=$!
for _ in $(seq 200); do
    read -rt 0.03 -u "$LIB_TICK" || :
    kill -STOP "$mount"
    is_held && break
    kill -CONT "$mount"
done
touch "$TMP/end"
is 'the mount was met inside a change' "$(volume state)" waiting
ok 'status names it' grep -q "process $mount (mount)" <(volume reason)
ok 'and what to do' grep -q "kill -CONT $mount" <(volume reason)
ok 'for people too' grep -q "kill -CONT $mount" <(pcloud status)
is 'the gateway is another' "$([ "$mount" != "$gateway" ] && echo yes)" yes

# who waits says so in its log
"$PYTHON" -c 'import sys; sys.path.insert(0, sys.argv[1]); import rawhttp
sys.exit(rawhttp.request("PUT", "/docs/put", body=b"200\n").status != 200)' "$SRC/tests/s3" &
waits=$!
wait_until 60 grep -q "meta.wait:.* process $mount (mount)" "$PCLOUD_HOME/log/gateway.log"
pcloud df >"$TMP/df" 2>"$TMP/df.err" &
df=$!
wait_until 60 grep -q "waiting for process $mount (mount)" "$TMP/df.err"
kill -CONT "$mount"
wait "$df"
is 'df goes on' $? 0
wait "$waits"
is 'then it is done' $? 0
wait "$load"
is 'and the load' $? 0
wait_until 60 sh -c '! pcloud status | grep -q "kill -CONT"'
is 'what waited is there' "$(cat "$PCLOUD_MOUNT/docs/put")" 200
last=$(cat "$TMP/last")
is 'nothing is lost' "$(cat "$PCLOUD_MOUNT/docs/f$((last % 200))")" "$last"
down_home
fsck_clean
pass
