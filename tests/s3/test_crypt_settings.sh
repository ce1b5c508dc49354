#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the settings say about keys of clients and names of keys: refused over plain HTTP where that is off, unknown names where some are listed.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/s3/s3lib.sh"

[ -x "${VENV:-/nonexistent}/bin/python" ] && PYTHON=$VENV/bin/python
"$PYTHON" -c 'import boto3' 2>/dev/null || skip "no boto3 here"

init_home "$TMP/home1"
pcloud --home "$PCLOUD_HOME" config set s3.sse_c_http off || fail "config set"
pcloud --home "$PCLOUD_HOME" config set s3.kms_keys "one alias/two" || fail "config set"
not_ok "a wrong word" pcloud --home "$PCLOUD_HOME" config set s3.sse_c_http never 2>/dev/null
up_home --no-mount
cat >"$TMP/settings.py" <<'PY'
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
s3.create_bucket(Bucket="settings")

def code(**kw):
    try:
        s3.put_object(Bucket="settings", Key="k", Body=b"x", **kw)
        return "none"
    except ClientError as e:
        return e.response["Error"]["Code"]

key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
kms = {"ServerSideEncryption": "aws:kms"}
for got, wanted in (
    (code(**key), "InvalidRequest"),
    (code(**kms, SSEKMSKeyId="one"), "none"),
    (code(**kms, SSEKMSKeyId="alias/two"), "none"),
    (code(**kms, SSEKMSKeyId="on"), "KMS.NotFoundException"),
    (code(**kms, SSEKMSKeyId="*"), "KMS.NotFoundException"),
    (code(**kms), "none"),  # the key of who names none is always there
):
    assert got == wanted, (got, wanted)
PY
ok "names and plain HTTP" "$PYTHON" "$TMP/settings.py"
down_home
pass
