#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What everybody may read, as pages at the web address; and nothing of it where that is switched off.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/s3/s3lib.sh"

need curl
"$PYTHON" -c 'import boto3' 2>/dev/null || skip "boto3 is not installed"
look() { WEB_URL=$("$PYTHON" -c 'import json,sys; print(json.load(open(sys.argv[1]))["web"])' "$PCLOUD_HOME/run/gateway.json"); export WEB_URL; }

start_s3 http
look
ok "pages" "$PYTHON" "$SRC/tests/s3/test_web.py"
down_home
ok "off" pcloud --home "$PCLOUD_HOME" config set web.buckets false
up_home --no-mount
look
is "no bucket is there" "$(curl -s -o /dev/null -w '%{http_code}' "$WEB_URL/any/")" 404
is "health is" "$(curl -s -o /dev/null -w '%{http_code}' "$WEB_URL/health")" 200
pass
