#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The supervisor with parts that cannot start, never answer or do not stop; an interrupted `up`; SIGHUP.
. "$SRC/tests/lib/lib.sh"

export PCLOUD_HOME=$TMP/home
LIB_HOMES+=("$PCLOUD_HOME")
pcloud init >"$TMP/out" 2>&1 </dev/null || fail "init: $(cat "$TMP/out")"

field() { pcloud status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]][sys.argv[2]])' "$1" "$2"; }
super_pid() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["pid"])' "$PCLOUD_HOME/run/supervisor.json"; }
says() { ok "it says '$1': $(cat "$TMP/err")" grep -qF -- "$1" "$TMP/err"; }
nothing_runs() {
    not_ok 'no supervisor is left' test -e "$PCLOUD_HOME/run/supervisor.json"
    is 'the gateway is off' "$(field gateway state)" off
}

# pcloud beside a gateway of our own
mkdir "$TMP/bin"
cp "$BUILD/pcloud" "$TMP/bin/pcloud"
fake() { # fake BODY: what the gateway does
    printf '#!/bin/sh\n%s\n' "$1" >"$TMP/bin/pcloud-gateway"
    chmod +x "$TMP/bin/pcloud-gateway"
}
up() { "$TMP/bin/pcloud" up --no-mount --s3 127.0.0.1:0 --web 127.0.0.1:0 >"$TMP/out" 2>"$TMP/err" </dev/null; }

fake 'echo "pcloud-gateway: there is no luck today" >&2; exit 1'
up
is 'a gateway that cannot start' $? 1
is 'one line' "$(wc -l <"$TMP/err")" 1
says 'there is no luck today'
nothing_runs

fake 'exit 3'
up
is 'a gateway that ends at once' $? 1
says 'ended with exit status 3 and said nothing'
nothing_runs

# shellcheck disable=SC2016
fake 'kill -SEGV $$'
up
is 'a gateway that dies at once' $? 1
says 'signal 11'
nothing_runs

# it never answers, and up is interrupted: all that was started goes
# shellcheck disable=SC2016
fake "echo \$\$ >'$TMP/fake.pid'; exec tail -f /dev/null"
"$TMP/bin/pcloud" up --no-mount --s3 127.0.0.1:0 --web 127.0.0.1:0 >"$TMP/out" 2>"$TMP/err" </dev/null & pid=$!
wait_until 60 test -s "$TMP/fake.pid"
is 'it is starting' "$(field gateway state)" starting
kill "$pid"
wait "$pid"
is 'an interrupted up is killed' $? 143
gone() { [ ! -d "/proc/$(cat "$TMP/fake.pid")" ] && [ ! -e "$PCLOUD_HOME/run/supervisor.json" ]; }
wait_until 60 gone
nothing_runs

# SIGHUP: a configuration that cannot be read changes nothing, and one that can counts at once
pcloud up --no-mount --s3 127.0.0.1:0 --web 127.0.0.1:0 >/dev/null 2>"$TMP/err" </dev/null || fail "up: $(cat "$TMP/err")"
cp "$PCLOUD_HOME/config" "$TMP/config" 2>/dev/null || : >"$TMP/config"
echo 'no.such.key = 1' >"$PCLOUD_HOME/config"
before=$(home_pid gateway 2>/dev/null)
kill -HUP "$(super_pid)"
wait_until 30 grep -q 'the earlier configuration stays' "$PCLOUD_HOME/log/supervisor.log"
ok 'it names the key' grep -q 'no.such.key' "$PCLOUD_HOME/log/supervisor.log"
cp "$TMP/config" "$PCLOUD_HOME/config"
is 'the gateway answers' "$(field gateway state)" ok
not_ok 'no space is reclaimed so early' test -e "$PCLOUD_HOME/run/gc.json"
pcloud config set gc.interval 1 || fail 'config set'
kill -HUP "$(super_pid)"
wait_until 60 test -e "$PCLOUD_HOME/run/gc.json"
[ -z "$before" ] || is 'the gateway went on' "$(home_pid gateway)" "$before"

# a part that does not stop is killed
pid=$(home_pid gateway)
kill -STOP "$pid"
ok down pcloud down >/dev/null
not_ok 'it is gone' test -d "/proc/$pid"
ok 'the log says so' grep -q 'did not stop' "$PCLOUD_HOME/log/supervisor.log"
nothing_runs
fsck_clean
pass
