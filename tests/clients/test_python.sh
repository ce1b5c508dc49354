#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The job by boto3 and s3transfer of Debian and of PyPI, and by minio-py.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/clients/clib.sh"

boto3_debian() { ok "boto3 of Debian" /usr/bin/python3 "$SRC/tests/clients/job_boto3.py" "$ENDPOINT" "$FILES" "$COUNT" "$CA"; }
boto3_pypi() { ok "boto3 of PyPI" "$VENV/bin/python" "$SRC/tests/clients/job_boto3.py" "$ENDPOINT" "$FILES" "$COUNT" "$CA"; }
minio_py() { ok "minio-py" "$VENV/bin/python" "$SRC/tests/clients/job_minio.py" "$ENDPOINT" "$FILES" "$COUNT" "$CA"; }

jobs=()
if /usr/bin/python3 -c 'import boto3' 2>/dev/null; then jobs+=(boto3_debian); fi
if [ -n "$VENV" ] && "$VENV/bin/python" -c 'import minio, boto3' 2>/dev/null; then jobs+=(boto3_pypi minio_py); fi
[ ${#jobs[@]} -gt 0 ] || skip "neither boto3 nor minio-py here"
make_files
in_both "${jobs[@]}"
pass
