#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every verb of the command line: help, JSON, wrong usage; homes that fail to be made; words; passphrases.
. "$SRC/tests/lib/lib.sh"

# json EXPRESSION: a Python expression over d, the JSON on stdin.
json() { python3 -c 'import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
# one_line STATUS COMMAND...: it ends with STATUS, says one line on stderr and nothing on stdout.
one_line() {
    local want=$1 rc; shift
    setsid -w "$@" >"$TMP/out" 2>"$TMP/err" </dev/null; rc=$? # without a terminal: nothing can be asked
    is "exit of $*" "$rc" "$want"
    is "lines on stderr of $*" "$(wc -l <"$TMP/err")" 1
    is "bytes on stdout of $*" "$(wc -c <"$TMP/out")" 0
}
says() { ok "it says '$1': $(cat "$TMP/err")" grep -qF -- "$1" "$TMP/err"; }

# help, version, and what is made from the table
verbs=(init up down env status 'config get' 'config set' 'config list' 'user add' 'user list' 'user rm' 'key add' 'key list'
    'key rm' 'bucket chown' fsck scrub gc df passwd)
pcloud --help >"$TMP/help" || fail 'pcloud --help'
for v in "${verbs[@]}"; do
    # shellcheck disable=SC2086
    ok "help of $v" grep -q "Usage: pcloud $v" <(pcloud $v --help)
    # shellcheck disable=SC2086
    ok "version at $v" grep -qE '^pcloud [0-9]' <(pcloud $v --version)
    ok "help lists $v" grep -qF "  $v" "$TMP/help"
done
ok 'bash takes the completion' bash -n <(pcloud --print-completion bash)
complete_of() { # the completions of the words given
    bash -c 'source <(pcloud --print-completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pcloud; echo "${COMPREPLY[*]}"' - "$@"
}
is 'completion of a verb' "$(complete_of pcloud sta)" status
is 'completion of a second word' "$(complete_of pcloud user ad)" add
is 'completion of an option' "$(complete_of pcloud up --no-m)" --no-mount
pcloud --print-man >"$TMP/pcloud.1" || fail '--print-man'
if command -v mandoc >/dev/null; then
    mount.pcloud --print-man >"$TMP/mount.pcloud.8" || fail 'mount.pcloud --print-man'
    pcloud-gateway --print-man >"$TMP/pcloud-gateway.8" || fail 'pcloud-gateway --print-man'
    for page in pcloud.1 mount.pcloud.8 pcloud-gateway.8; do
        ok "mandoc finds nothing in $page" mandoc -T lint -W warning "$TMP/$page"
    done
fi

# wrong usage
for line in '' frobnicate 'user' 'user frobnicate' 'up --frobnicate' 'user add' 'config get' 'up --mount' 'df extra' \
    'bucket chown x' 'env --s3cfg --rclone' 'up --no-mount --no-gateway' 'up --s3 nonsense' 'user add x --access-key AAAA'; do
    case $line in up\ --no-m* | up\ --s3*) want=1 ;; *) want=2 ;; esac # these two look for the home first
    # shellcheck disable=SC2086
    PCLOUD_HOME=$TMP/none one_line $want pcloud $line
done

# without a home
export PCLOUD_HOME=$TMP/none
for v in up env status 'config list' 'user list' fsck df passwd; do
    # shellcheck disable=SC2086
    one_line 1 pcloud $v
    says 'pcloud init'
done

# an init that fails leaves nothing; the next one works
export PCLOUD_HOME=$TMP/made
LIB_HOMES+=("$PCLOUD_HOME")
printf 'abandon %.0s' {1..24} >"$TMP/bad.words"
: >"$TMP/empty"
touch "$TMP/a-file"
for i in 1 2 3 4 5; do
    one_line 1 pcloud init --words-out "$TMP/no/such/folder"
    one_line 1 pcloud init --words-in "$TMP/bad.words"
    one_line 1 pcloud init --passphrase-file "$TMP/none.pass"
    one_line 2 pcloud init --passphrase-file "$TMP/empty"
    one_line 1 pcloud --home "$TMP/a-file/home" init
    one_line 2 pcloud init --user 'no good name' --words-out "$TMP/gone.words"
    not_ok 'the words file of a failed init is gone' test -e "$TMP/gone.words"
    not_ok "nothing is left after failure $i" test -e "$PCLOUD_HOME"
    # and one that is killed somewhere on its way
    pcloud init --words-out "$TMP/killed.words" >/dev/null 2>&1 </dev/null & pid=$!
    read -rt "0.0$((i * 4 - 3))" -u "$LIB_TICK"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    rm -f "$TMP/killed.words"
    if [ ! -e "$PCLOUD_HOME/format" ]; then
        not_ok 'a half made home is none' pcloud status 2>/dev/null
    fi
    [ -e "$PCLOUD_HOME/format" ] || pcloud init --words-out "$TMP/ok.words" >"$TMP/out" 2>&1 </dev/null || fail "init: $(cat "$TMP/out")"
    one_line 1 pcloud init
    says 'already'
    ok 'the home works' pcloud df >/dev/null
    rm -rf "$PCLOUD_HOME" "$TMP/ok.words"
done

# a home that something else lives in is left alone
mkdir "$TMP/taken" && echo mine >"$TMP/taken/file"
one_line 1 pcloud --home "$TMP/taken" init
is 'nothing was added' "$(ls -A "$TMP/taken")" file

# words and modes
pcloud init --words-out "$TMP/words" >"$TMP/out" || fail init
is 'mode of the words' "$(stat -c %a "$TMP/words")" 600
is 'mode of the passphrase' "$(stat -c %a "$PCLOUD_HOME/passphrase")" 600
is 'mode of the home' "$(stat -c %a "$PCLOUD_HOME")" 700
is '24 words' "$(wc -w <"$TMP/words")" 24
ok 'it says where the passphrase is' grep -qF "$PCLOUD_HOME/passphrase" "$TMP/out"
first=$(head -c 20 "$TMP/words")
ok 'the words are not shown' test -z "$(grep -F "$first" "$TMP/out")"
pcloud --home "$TMP/shown" init >"$TMP/out" || fail init
is 'the words are shown' "$(grep -oE '^ +[0-9]+ [a-z]+|  [ 0-9][0-9] [a-z]+' "$TMP/out" | wc -l)" 24
id=$(pcloud status --json | json 'd["volume"]["id"]')
pcloud --home "$TMP/again" init --words-in "$TMP/words" >/dev/null || fail 'init from words'
is 'the words bring the volume back' "$(pcloud --home "$TMP/again" status --json | json 'd["volume"]["id"]')" "$id"
not_ok 'other words, other volume' test "$(pcloud --home "$TMP/shown" status --json | json 'd["volume"]["id"]')" = "$id"
j=$(pcloud --home "$TMP/json" init --json) || fail 'init --json'
is 'words in JSON' "$(json 'len(d["words"].split())' <<<"$j")" 24

# status: the contract's JSON
pcloud status --json >"$TMP/status" || fail status
is 'keys of status' "$(json '" ".join(sorted(d))' <"$TMP/status")" 'gateway home mount node version volume'
is 'keys of volume' "$(json '" ".join(sorted(d["volume"]))' <"$TMP/status")" 'id reason state'
is 'keys of mount' "$(json '" ".join(sorted(d["mount"]))' <"$TMP/status")" 'path pid reason state'
is 'keys of gateway' "$(json '" ".join(sorted(d["gateway"]))' <"$TMP/status")" 'pid reason s3 state web'
is 'keys of node' "$(json '" ".join(sorted(d["node"]))' <"$TMP/status")" 'addrs peer_id peers pid reason state'
is 'states' "$(json '" ".join(d[p]["state"] for p in ("volume","mount","gateway","node"))' <"$TMP/status")" 'ok off off off'
is 'every state has a reason' "$(json 'all(d[p]["reason"] for p in ("volume","mount","gateway","node"))' <"$TMP/status")" True
is 'no colour in a pipe' "$(pcloud status | grep -c $'\033')" 0

# configuration
is 'a default' "$(pcloud config get s3.region)" us-east-1
ok 'set' pcloud config set s3.region eu-north-7
is 'what was set' "$(pcloud config get s3.region)" eu-north-7
is 'as JSON' "$(pcloud config get cache.size --json | json 'd["value"]')" 16777216
one_line 2 pcloud config get no.such.key
one_line 2 pcloud config set no.such.key 1
one_line 1 pcloud config set gc.ratio 1000
is 'nothing changed' "$(pcloud config get gc.ratio)" 50
is 'every key has a meaning' "$(pcloud config list --json | json 'all(e["meaning"] and e["type"] for e in d)')" True
is 'the set one is marked' "$(pcloud config list --json | json '[e["key"] for e in d if e["set"]]')" "['s3.region']"
ok 'back to the default' pcloud config set s3.region
is 'the default again' "$(pcloud config get s3.region)" us-east-1

# users, keys, buckets
is 'the first user is an admin' "$(pcloud user list --json | json 'd[0]["role"]')" admin
pcloud user add anna --email anna@example.org --json >"$TMP/anna" || fail 'user add'
is 'keys of a user' "$(json '" ".join(k for k in ("user","id","display_name","email","role","access_key","secret_key") if d[k])' <"$TMP/anna")" \
    'user id display_name email role access_key secret_key'
one_line 1 pcloud user add anna
ok 'own keys come along' pcloud user add bert --role admin --access-key MYACCESSKEY1 --secret-key my/secret+key/0123 >/dev/null
is 'as they were' "$(pcloud key list --user bert --json | json 'd[0]["access_key"] + " " + d[0]["secret_key"]')" \
    'MYACCESSKEY1 my/secret+key/0123'
one_line 1 pcloud user add carl --access-key MYACCESSKEY1 --secret-key another/secret
is 'no half added user' "$(pcloud user list | grep -c carl)" 0
one_line 2 pcloud user add 'a b'
one_line 2 pcloud user add dora --role king
key=$(pcloud key add --user anna --bucket photos --read-only --json | json 'd["access_key"]')
is 'a key with limits' "$(pcloud key list --user anna --json | json '[(k["bucket"], k["read_only"]) for k in d if k["access_key"] == "'"$key"'"]')" \
    "[('photos', True)]"
is 'secrets are not listed' "$(pcloud key list | grep -c 'my/secret')" 0
is 'unless asked for' "$(pcloud key list --secrets | grep -c 'my/secret')" 1
ok 'key rm' pcloud key rm "$key" >/dev/null
one_line 1 pcloud key rm "$key"
one_line 1 pcloud bucket chown no-such-bucket anna
one_line 1 pcloud bucket chown no-such-bucket nobody
ok 'user rm' pcloud user rm bert >/dev/null
one_line 1 pcloud user rm bert
is 'who is left' "$(pcloud user list --json | json 'len(d)')" 2

# the environment
(eval "$(pcloud env)" && [ -n "$AWS_SECRET_ACCESS_KEY" ] && [ "$AWS_DEFAULT_REGION" = us-east-1 ] && [ -n "$PCLOUD_MOUNT" ]) || fail env
ok 's3cfg' grep -q '^secret_key = ' <(pcloud env --s3cfg)
ok 'rclone' grep -q '^type = s3' <(pcloud env --rclone)
is 'env --json' "$(pcloud env --json | json 'd["AWS_ENDPOINT_URL"]')" http://127.0.0.1:9800

# upkeep of an empty volume
is 'fsck' "$(pcloud fsck --json | json 'd["problems"]')" 0
is 'scrub' "$(pcloud scrub --json | json 'd["damaged_blocks"]')" 0
is 'gc' "$(pcloud gc --json | json 'd["freed_blocks"]')" 0
is 'gc --quiet' "$(pcloud gc --full --quiet 2>&1)" ''
is 'df' "$(pcloud df --json | json 'd["disk_total"] > 0')" True
is 'nothing to stop' "$(pcloud down)" 'Nothing was running'

# passphrases
echo 'correct horse' >"$TMP/p1"
echo 'battery staple' >"$TMP/p2"
ok 'passwd' pcloud passwd --new-passphrase-file "$TMP/p1" >/dev/null
not_ok 'the random one is gone' test -e "$PCLOUD_HOME/passphrase"
one_line 2 pcloud df
says passphrase
one_line 1 pcloud df --passphrase-file "$TMP/p2"
says 'wrong'
ok 'the new one opens' pcloud df --passphrase-file "$TMP/p1" >/dev/null
is 'status needs none' "$(pcloud status --json | json 'd["volume"]["id"]')" "$id"
ok 'by the environment' env PCLOUD_PASSPHRASE_FILE="$TMP/p1" pcloud df >/dev/null
mkdir "$TMP/cred" && cp "$TMP/p1" "$TMP/cred/pcloud-passphrase"
ok 'by a credential' env CREDENTIALS_DIRECTORY="$TMP/cred" pcloud df >/dev/null
ok 'change again' pcloud passwd --passphrase-file "$TMP/p1" --new-passphrase-file "$TMP/p2" >/dev/null
one_line 1 pcloud df --passphrase-file "$TMP/p1"
ok 'and to a random one' pcloud passwd --passphrase-file "$TMP/p2" --random >/dev/null
ok 'which is found' pcloud df >/dev/null
one_line 2 pcloud passwd --random --new-passphrase-file "$TMP/p1"

# what people read
pcloud config list >"$TMP/list" || fail 'config list'
for k in $(pcloud config list --json | json '" ".join(e["key"] for e in d)'); do
    is "config list: $k once" "$(grep -c "^$k = " "$TMP/list")" 1
done
ok 'a default is called so' grep -qxF 's3.region = us-east-1  (default)' "$TMP/list"
pcloud config set s3.region eu-north-7 || fail 'config set'
ok 'what was set is not' grep -qx 's3.region = eu-north-7' <(pcloud config list)
is 'config set --json' "$(pcloud config set s3.region --json | json 'd == {"key": "s3.region", "value": None}')" True
pcloud key add --user anna --bucket photos --read-only >"$TMP/key" || fail 'key add'
ok 'the bucket of the key' grep -qE '^Bucket +photos$' "$TMP/key"
ok 'the rights of the key' grep -qE '^Rights +reading only$' "$TMP/key"
ok 'its secret, once' grep -qE '^Secret key +[^ ]{40}$' "$TMP/key"
is 'key rm --json' "$(pcloud key rm "$(pcloud key list --user anna --json | json 'd[-1]["access_key"]')" --json | json 'len(d)')" 1
is 'down --json' "$(pcloud down --json | json 'd["stopped"]')" False
pcloud user add emil --json >/dev/null || fail 'user add'
is 'user rm --json' "$(pcloud user rm emil --json | json 'list(d.values())')" "['emil']"
one_line 1 pcloud key add --user emil
says emil

# options of up that do not go together, and folders that cannot be the mount's
one_line 2 pcloud up --mount "$TMP/m" --no-mount
says 'exclude each other'
one_line 2 pcloud up --no-gateway --s3 127.0.0.1:0
says 'exclude each other'
one_line 2 pcloud up --no-gateway --no-mount
says 'nothing is left to start'
one_line 2 pcloud up --mount ''
if have_fuse; then
    one_line 1 pcloud up --s3 127.0.0.1:0 --web 127.0.0.1:0 --mount "$TMP/a-file/below"
    says "$TMP/a-file"
    one_line 1 pcloud up --s3 127.0.0.1:0 --web 127.0.0.1:0 --mount "$TMP/a-file"
    # a relative folder that is not there yet, and one in the user's folder
    (cd "$TMP" && pcloud up --no-gateway --mount new/folder/ >/dev/null 2>"$TMP/err") || fail "up: $(cat "$TMP/err")"
    is 'the absolute path' "$(pcloud status --json | json 'd["mount"]["path"]')" "$TMP/new/folder"
    ok 'mounted there' is_mounted "$TMP/new/folder"
    is 'down --json, running' "$(pcloud down --json | json 'd["stopped"]')" True
    # shellcheck disable=SC2088 # pcloud's to expand
    ok 'a folder of the user' pcloud config set mount.path '~/here'
    ok 'up there' pcloud up --no-gateway >/dev/null
    ok 'mounted in the user folder' is_mounted "$HOME/here"
    ok 'a bucket' mkdir "$HOME/here/photos"
    is 'bucket chown --json' "$(pcloud bucket chown photos anna --json | json 'd["bucket"] + " " + d["owner"]')" 'photos anna'
    ok 'bucket chown' grep -qx 'photos: owned by anna' <(pcloud bucket chown photos anna)
    one_line 1 pcloud user rm anna
    ok down pcloud down >/dev/null
fi

# output that cannot be written is a failure
pcloud df >/dev/full 2>"$TMP/err"
is 'a full disk for the output' $? 1
pass
