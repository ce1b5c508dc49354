#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every operation by boto3 over HTTPS.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/s3/s3lib.sh"

[ -x "${VENV:-/nonexistent}/bin/python" ] && PYTHON=$VENV/bin/python
"$PYTHON" -c 'import boto3' 2>/dev/null || skip "no boto3 here"
S3_DAY=1 start_s3 https
ok "the operations" "$PYTHON" "$SRC/tests/s3/test_boto3.py"
ok "documents of buckets" "$PYTHON" "$SRC/tests/s3/test_boto3_settings.py"
ok "encryption that requests ask for" "$PYTHON" "$SRC/tests/s3/test_boto3_crypt.py"
not_ok "the keys of clients are written nowhere" grep -rqa AQEBAQEBAQEBAQEB "$PCLOUD_HOME"
ok "versions and locks" "$PYTHON" "$SRC/tests/s3/test_boto3_versions.py"
two_users
ok "who may what" "$PYTHON" "$SRC/tests/s3/test_boto3_access.py"
down_home
fsck_clean
pass
