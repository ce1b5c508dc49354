#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# up and down: twice, on a busy port, with parts and the supervisor killed, with a home of another version.
. "$SRC/tests/lib/lib.sh"
require_fuse

field() { pcloud status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]][sys.argv[2]])' "$1" "$2"; }
answers() { [ "$(field "$1" state)" = ok ]; }
silent() { [ "$(field "$1" state)" = degraded ]; }
back() { # the part answers, by another process than PID
    answers "$1" && [ "$(home_pid "$1")" != "$2" ]
}
super_pid() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["pid"])' "$PCLOUD_HOME/run/supervisor.json"; }
port_open() { python3 -c 'import socket,sys; a=sys.argv[1].rsplit("/",1)[1].rsplit(":",1); socket.create_connection((a[0],int(a[1])),5)' "$AWS_ENDPOINT_URL"; }
nothing_left() {
    not_ok 'no mount is left' is_mounted "$PCLOUD_HOME.mnt"
    not_ok 'no supervisor is left' test -e "$PCLOUD_HOME/run/supervisor.json"
    is 'no part is left' "$(grep -lsF "PCLOUD_TEST_TMP=$PCLOUD_TEST_TMP" /proc/[0-9]*/environ 2>/dev/null | xargs -r grep -lsaF -e mount.pcloud -e pcloud-gateway 2>/dev/null |
        grep -c cmdline)" 0
}

start_home
ok 'mounted' is_mounted "$PCLOUD_HOME.mnt"
ok 'statfs answers' stat -f "$PCLOUD_MOUNT" >/dev/null
ok 'the port accepts' port_open
is 'mount' "$(field mount state)" ok
is 'gateway' "$(field gateway state)" ok
is 'volume' "$(field volume state)" ok
is 'node' "$(field node reason)" 'this build has no node yet'
is 'the path of the mount' "$(field mount path)" "$PCLOUD_HOME.mnt"
echo here >"$PCLOUD_MOUNT/file"

# a second up changes nothing
pids="$(home_pid mount) $(home_pid gateway)"
ok 'up again' pcloud up >"$TMP/out"
ok 'it says so' grep -q 'already running' "$TMP/out"
ok 'up again with the same options' pcloud up --mount "$PCLOUD_HOME.mnt" --s3 127.0.0.1:0 --no-node >/dev/null
is 'the same processes' "$(home_pid mount) $(home_pid gateway)" "$pids"
not_ok 'other parts are refused' pcloud up --no-mount 2>/dev/null
not_ok 'another folder is refused' pcloud up --mount "$TMP/other" 2>/dev/null

# a part that is killed comes back by itself, at the same place
for part in mount gateway mount gateway; do
    pid=$(home_pid "$part")
    kill -9 "$pid"
    wait_until 30 back "$part" "$pid"
    is "the file after $part was killed" "$(cat "$PCLOUD_MOUNT/file")" here
    ok "the port after $part was killed" port_open
done

# a busy port is one clear line, and leaves nothing
home=$PCLOUD_HOME
address=${AWS_ENDPOINT_URL#http://}
init_home "$TMP/second"
pcloud up --s3 "$address" --web 127.0.0.1:0 --mount "$PCLOUD_HOME.mnt" >"$TMP/out" 2>"$TMP/err"
is 'busy port' $? 1
is 'one line' "$(wc -l <"$TMP/err")" 1
ok 'it names the port' grep -qF "$address" "$TMP/err"
nothing_left
not_ok 'the folder it made is gone' test -e "$PCLOUD_HOME.mnt"

# a wrong passphrase is one clear line, and leaves nothing
echo wrong >"$TMP/wrong"
pcloud up --s3 127.0.0.1:0 --web 127.0.0.1:0 --mount "$PCLOUD_HOME.mnt" --passphrase-file "$TMP/wrong" >"$TMP/out" 2>"$TMP/err"
is 'wrong passphrase' $? 1
ok 'it says what is wrong' grep -q 'passphrase' "$TMP/err"
is 'one line' "$(wc -l <"$TMP/err")" 1
nothing_left

# a folder that holds something, a home inside its mount
mkdir "$TMP/full" && touch "$TMP/full/x"
not_ok 'a folder with content' pcloud up --s3 127.0.0.1:0 --web 127.0.0.1:0 --mount "$TMP/full" 2>/dev/null
not_ok 'a folder inside the home' pcloud up --s3 127.0.0.1:0 --web 127.0.0.1:0 --mount "$PCLOUD_HOME/m" 2>/dev/null

# two homes at once; one without a mount, one without a gateway
ok 'no gateway' pcloud up --no-gateway --mount "$PCLOUD_HOME.mnt" >/dev/null
is 'gateway is off' "$(field gateway state)" off
not_ok 'two volumes' test -e "$PCLOUD_HOME.mnt/file"
ok 'down' pcloud down >/dev/null
nothing_left
ok 'no mount' pcloud up --no-mount --s3 127.0.0.1:0 --web 127.0.0.1:0 >/dev/null
is 'mount is off' "$(field mount state)" off
ok 'down' pcloud down >/dev/null
nothing_left

# a home that another version wrote
cp "$PCLOUD_HOME/format" "$TMP/format"
echo 'pcloud-home 99' >"$PCLOUD_HOME/format"
pcloud up >"$TMP/out" 2>"$TMP/err"
is 'another version' $? 1
ok 'it says which' grep -q 99 "$TMP/err"
cp "$TMP/format" "$PCLOUD_HOME/format"

# the supervisor is killed: the parts serve on, status says so, up and down clear up
export PCLOUD_HOME=$home
kill -9 "$(super_pid)"
is 'the mount still serves' "$(cat "$PCLOUD_HOME.mnt/file")" here
is 'status says so' "$(field mount state)" degraded
ok 'up clears up' pcloud up --mount "$PCLOUD_HOME.mnt" --s3 127.0.0.1:0 --web 127.0.0.1:0 >/dev/null
env_home
is 'it serves' "$(cat "$PCLOUD_MOUNT/file")" here
for part in mount gateway; do is "$part" "$(field $part state)" ok; done
# everything is killed at once
kill -9 "$(super_pid)" "$(home_pid mount)" "$(home_pid gateway)"
ok 'down clears up' pcloud down >/dev/null
nothing_left

# without the passphrase on disk: through a pipe, at the start and for a part that is started again
echo 'correct horse' >"$TMP/pass"
ok 'passwd' pcloud passwd --new-passphrase-file "$TMP/pass" >/dev/null
ok 'up by a pipe' pcloud up --mount "$PCLOUD_HOME.mnt" --s3 127.0.0.1:0 --web 127.0.0.1:0 --passphrase-file <(cat "$TMP/pass") >/dev/null
pid=$(home_pid mount)
kill -9 "$pid"
wait_until 30 back mount "$pid"
is 'it serves' "$(cat "$PCLOUD_HOME.mnt/file")" here
for pid in $(home_pid mount) $(home_pid gateway) $(super_pid); do
    ok 'no passphrase in arguments or environment' test -z "$(grep -asF 'correct horse' "/proc/$pid/cmdline" "/proc/$pid/environ")"
done

# a part that hangs is shown, not killed
export PCLOUD_PASSPHRASE_FILE=$TMP/pass
pid=$(home_pid mount)
kill -STOP "$pid"
wait_until 90 silent mount
ok 'status says that it does not answer' grep -q 'does not answer' <(field mount reason)
kill -CONT "$pid"
wait_until 60 answers mount
is 'it is the same process' "$(home_pid mount)" "$pid"

# space is given back by itself
ok 'gc each second' pcloud config set gc.interval 1
ok down pcloud down >/dev/null
ok up pcloud up --mount "$PCLOUD_HOME.mnt" --s3 127.0.0.1:0 --web 127.0.0.1:0 >/dev/null
mkdir "$PCLOUD_HOME.mnt/space"
head -c 3M /dev/urandom >"$PCLOUD_HOME.mnt/space/a"
sync -f "$PCLOUD_HOME.mnt/space/a"
rm "$PCLOUD_HOME.mnt/space/a"
freed() { [ "$(pcloud df --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["block_bytes"])')" -lt 100000 ]; }
wait_until 60 freed
wait_until 60 test -e "$PCLOUD_HOME/run/gc.json"
wait_until 60 test -e "$PCLOUD_HOME/log/gc.log"
is 'gc had nothing to say' "$(cat "$PCLOUD_HOME/log/gc.log")" ''
ok 'gc at its own pace' pcloud config set gc.interval

# as a service: in the foreground, telling when it is ready
ok down pcloud down >/dev/null
cat >"$TMP/service.py" <<'PY'
import os, signal, socket, subprocess, sys
home, path = os.environ["PCLOUD_HOME"], sys.argv[1]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(path)
notify.settimeout(120)
p = subprocess.Popen(["pcloud", "up", "--foreground", "--mount", home + ".mnt", "--s3", "127.0.0.1:0", "--web", "127.0.0.1:0"],
                     env={**os.environ, "NOTIFY_SOCKET": path})
said = notify.recv(1000)
if said != b"READY=1":
    sys.exit(f"it said {said}")
if not os.path.ismount(home + ".mnt"):
    sys.exit("ready without a mount")
p.send_signal(signal.SIGTERM)
said = notify.recv(1000)
if said != b"STOPPING=1":
    sys.exit(f"it said {said}")
sys.exit(p.wait(120))
PY
ok 'a service' python3 "$TMP/service.py" "$TMP/notify" 2>"$TMP/service.log"
nothing_left

# ten times up and down
ok up pcloud up --mount "$PCLOUD_HOME.mnt" --s3 127.0.0.1:0 --web 127.0.0.1:0 >/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
    ok down pcloud down >/dev/null
    ok up pcloud up --mount "$PCLOUD_HOME.mnt" --s3 127.0.0.1:0 --web 127.0.0.1:0 >/dev/null
    is 'the file' "$(cat "$PCLOUD_HOME.mnt/file")" here
done
ok down pcloud down >/dev/null
nothing_left
fsck_clean
pass
