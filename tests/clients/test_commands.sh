#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The job by s3cmd, aws-cli of Debian and of PyPI, and rclone. CLIENTS="mc=/path/to/mc ..." instead: only those, of whatever origin.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/clients/clib.sh"
. "$SRC/tests/clients/commands.sh"

jobs=()
if [ -n "${CLIENTS:-}" ]; then
    for client in $CLIENTS; do
        eval "one_${client%%=*}() { job_${client%%=*} ${client#*=}; }"
        jobs+=("one_${client%%=*}")
    done
else
    if [ -x /usr/bin/aws ]; then jobs+=(job_aws_debian); fi
    if [ -n "$VENV" ] && [ -x "$VENV/bin/aws" ]; then jobs+=(job_aws_pypi); fi
    if command -v s3cmd >/dev/null; then jobs+=(job_s3cmd); fi
    if command -v rclone >/dev/null; then jobs+=(job_rclone); fi
fi
[ ${#jobs[@]} -gt 0 ] || skip "none of aws, s3cmd, rclone here"
make_files
in_both "${jobs[@]}"
pass
