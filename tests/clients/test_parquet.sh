#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Parquet files in a bucket, by pandas with s3fs, pyarrow, polars and DuckDB.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/clients/clib.sh"

/usr/bin/python3 -m venv "$TMP/venv" >"$TMP/install.log" 2>&1 || skip "no venv here"
install_quietly "$TMP/venv/bin/pip" install -q -r "$SRC/tests/clients/parquet.txt"
parquet() { ok "Parquet" env ${CA:+SSL_CERT_FILE="$CA"} "$TMP/venv/bin/python" "$SRC/tests/clients/job_parquet.py" "$ENDPOINT" "$CA"; }
in_both parquet
pass
