#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Uploads broken off leave nothing behind; a stop finishes what is in flight; two gateways of one home are coherent, also when one is killed.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/s3/s3lib.sh"

state() { "$PYTHON" -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$PCLOUD_HOME/run/$1.json" "$2"; }
start() { # NAME [OPTION...]: in the background; its URL in URL, its process in GW
    local file=gateway
    [ "$1" = gateway ] || { file=gateway-$1; set -- "$1" --name "$1"; }
    shift
    pcloud-gateway --home "$PCLOUD_HOME" --s3 127.0.0.1:0 --web 127.0.0.1:0 "$@" 2>"$TMP/$file.log" &
    GW=$!
    on_exit kill "$GW"
    wait_until 30 test -s "$PCLOUD_HOME/run/$file.json"
    URL=$(state "$file" s3)
}
packs() { du -sk --apparent-size "$PCLOUD_HOME/packs" | cut -f1; }

init_home "$TMP/home"
start gateway
eval "$(pcloud env)"
export AWS_ENDPOINT_URL=$URL
ok "broken off" "$PYTHON" "$SRC/tests/s3/test_unruly.py" --broken
began=$(date +%s)
ok "stopped in flight" "$PYTHON" "$SRC/tests/s3/test_unruly.py" --end "$GW"
wait "$GW"
is "it ended by itself" $? 0
say "the end took $(($(date +%s) - began)) s"


# a pack that is being written is left alone; now none is
say "packs before reclaiming: $(packs) KiB"
ok "reclaimed" pcloud --home "$PCLOUD_HOME" gc --full
say "after: $(packs) KiB"
LIB_CHECKS=$((LIB_CHECKS + 1))
[ "$(packs)" -lt 4096 ] || fail "$(packs) KiB of what was broken off stay beside one object of 3 MiB"

start gateway
export AWS_ENDPOINT_URL=$URL
first=$GW
pcloud-gateway --home "$PCLOUD_HOME" --s3 127.0.0.1:0 --web off --name 'No Name' 2>"$TMP/err"; is "a wrong name" $? 2
start two
export OTHER_ENDPOINT_URL=$URL
pcloud --home "$PCLOUD_HOME" user add alt --role user >/dev/null || fail "user add"
read -r ALT_ACCESS_KEY_ID ALT_SECRET_ACCESS_KEY < <(key_of alt)
export ALT_ACCESS_KEY_ID ALT_SECRET_ACCESS_KEY
"$PYTHON" -c 'import boto3' 2>/dev/null || skip "boto3 is not installed"
ok "two gateways" "$PYTHON" "$SRC/tests/s3/test_pair.py"
kill -9 "$GW"
wait "$GW" 2>/dev/null
is "the other one goes on" "$(curl -s -o /dev/null -m 30 -w '%{http_code}' "$AWS_ENDPOINT_URL/")" 403
start two
kill -TERM "$GW" "$first"
wait "$GW"; is "both end" $? 0
wait "$first"; is "by themselves" $? 0
fsck_clean
pass
