#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A tree of files there and back by s3cmd, aws-cli old and new, and rclone over HTTP.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/s3/s3lib.sh"
start_s3 http
. "$SRC/tests/s3/clients.sh"
try_clients
down_home
fsck_clean
pass
