# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts of this folder share: a home with more users, and the same home by HTTPS.
. "$SRC/tests/lib/lib.sh"

need openssl

# key_of USER [OPTION...]: a new key of the user as "ACCESS SECRET".
key_of() {
    local user=$1; shift
    pcloud --home "$PCLOUD_HOME" key add --user "$user" "$@" --json |
        "$PYTHON" -c 'import json,sys; k = json.load(sys.stdin); print(k["access_key"], k["secret_key"])'
}

# start_s3 [http|https]: a home without a mount, served that way; exports what the Python tests take. https also sets AWS_CA_BUNDLE. S3_DAY: seconds of a lifecycle day.
start_s3() {
    init_home "$TMP/home$((${#LIB_HOMES[@]} + 1))"
    pcloud --home "$PCLOUD_HOME" config set s3.domain s3.test || fail "config set"
    [ -z "${S3_DAY:-}" ] || pcloud --home "$PCLOUD_HOME" config set s3.lifecycle_day "$S3_DAY" || fail "config set"
    if [ "${1:-http}" = https ]; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
            -addext "subjectAltName=IP:127.0.0.1,DNS:localhost" -keyout "$TMP/key.pem" -out "$TMP/cert.pem" 2>/dev/null ||
            fail "openssl req"
        pcloud --home "$PCLOUD_HOME" config set s3.tls_cert "$TMP/cert.pem" || fail "config set"
        pcloud --home "$PCLOUD_HOME" config set s3.tls_key "$TMP/key.pem" || fail "config set"
        export AWS_CA_BUNDLE=$TMP/cert.pem
    fi
    up_home --no-mount
    export S3_DOMAIN=s3.test
    pcloud --home "$PCLOUD_HOME" user add alt --role user >/dev/null || fail "user add"
    read -r ALT_ACCESS_KEY_ID ALT_SECRET_ACCESS_KEY < <(key_of alt)
    read -r RO_ACCESS_KEY_ID RO_SECRET_ACCESS_KEY < <(key_of "$(first_user)" --read-only)
    export ALT_ACCESS_KEY_ID ALT_SECRET_ACCESS_KEY RO_ACCESS_KEY_ID RO_SECRET_ACCESS_KEY
}

# two_users: one and two, who are no admins, with e-mails; exports ONE_ID, ONE_ACCESS_KEY_ID, ONE_SECRET_ACCESS_KEY, and those of TWO.
two_users() {
    local name
    for name in one two; do
        pcloud --home "$PCLOUD_HOME" user add $name --email $name@example.com --role user --json >"$TMP/user.json" || fail "user add"
        eval "$("$PYTHON" -c '
import json, sys
u = json.load(open(sys.argv[1]))
for k, v in (("ID", u["id"]), ("ACCESS_KEY_ID", u["access_key"]), ("SECRET_ACCESS_KEY", u["secret_key"])):
    print("export", u["user"].upper() + "_" + k + "=" + v)' "$TMP/user.json")"
    done
}

# first_user: the name of the user the environment's key belongs to.
first_user() {
    pcloud --home "$PCLOUD_HOME" key list --json | "$PYTHON" -c '
import json, os, sys
keys = json.load(sys.stdin)
print(next(k["user"] for k in keys if k["access_key"] == os.environ["AWS_ACCESS_KEY_ID"]))'
}
