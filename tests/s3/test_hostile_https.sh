#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What must be refused over HTTPS, and the server alive after each.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/s3/s3lib.sh"

start_s3 https
pid=$(home_pid gateway)
ok "hostile clients" "$PYTHON" "$SRC/tests/s3/test_hostile.py"
is "the same process serves" "$(home_pid gateway)" "$pid"
plaintext_absent "${AWS_SECRET_ACCESS_KEY:?}"
pass
