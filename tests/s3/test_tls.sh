#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TLS 1.2 and 1.3 only; another certificate by signal and by its files alone, while connections live on; a pair that is no good changes nothing.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/s3/s3lib.sh"

pair() { # NAME: NAME.pem and NAME.key
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
        -addext subjectAltName=IP:127.0.0.1,DNS:localhost -keyout "$TMP/$1.key" -out "$TMP/$1.pem" 2>/dev/null || fail "openssl req"
}
use() { # NAME: in one step each, as every tool that renews does it
    cp "$TMP/$1.pem" "$TMP/new" && mv "$TMP/new" "$TMP/cert.pem" && cp "$TMP/$1.key" "$TMP/new" && mv "$TMP/new" "$TMP/key.pem"
}
shown() { openssl s_client -connect "${AWS_ENDPOINT_URL#https://}" </dev/null 2>/dev/null | openssl x509 -noout -subject | sed 's/.*CN = //'; }
complaints() { grep -c 'certificate stays' "$PCLOUD_HOME/log/gateway.log"; }
complains() { [ "$(complaints)" -ge "$1" ]; }
tls() { "$PYTHON" "$SRC/tests/s3/test_tls.py" "$@"; }

pair two; pair three
start_s3 https
cp "$TMP/cert.pem" "$TMP/one.pem"; cp "$TMP/key.pem" "$TMP/one.key"
ok "versions" tls --versions
for old in -tls1 -tls1_1; do
    not_ok "openssl s_client $old" openssl s_client "$old" -cipher ALL:@SECLEVEL=0 -connect "${AWS_ENDPOINT_URL#https://}" </dev/null >/dev/null 2>&1
done
ok "openssl s_client -tls1_3" openssl s_client -tls1_3 -connect "${AWS_ENDPOINT_URL#https://}" </dev/null >/dev/null 2>&1

pid=$(home_pid gateway)
export -f use; export TMP
ok "by its files alone" tls --live "$TMP/one.pem" "$TMP/two.pem" bash -c 'use two'
ok "by signal" tls --live "$TMP/two.pem" "$TMP/three.pem" bash -c "use three; kill -HUP $pid"
is "openssl sees it" "$(shown)" three
is "nothing to complain about" "$(complaints)" 0

cp "$TMP/one.key" "$TMP/key.pem" # of another certificate
wait_until 60 complains 1
is "a pair that does not fit: the old one stays" "$(shown)" three
echo broken >"$TMP/cert.pem"
wait_until 60 complains 2
is "no certificate at all: the old one stays" "$(shown)" three
rm "$TMP/key.pem"
wait_until 60 complains 3
is "no file: the old one stays" "$(shown)" three
ok "and again a good one" tls --live "$TMP/three.pem" "$TMP/two.pem" bash -c 'use two'
is "one line each time" "$(complaints)" 3
is "the same process serves" "$(home_pid gateway)" "$pid"
pass
