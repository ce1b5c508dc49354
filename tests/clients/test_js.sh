#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The job by the AWS SDK for JavaScript v3 and by minio-js.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/clients/clib.sh"

need node npm
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || skip "node is older than 20, which the SDK wants"
cp -r "$SRC/tests/clients/js" "$TMP/js"
install_quietly npm --prefix "$TMP/js" ci --no-audit --no-fund --ignore-scripts --loglevel=error

run_js() { ok "$1" env ${CA:+NODE_EXTRA_CA_CERTS="$CA"} node "$TMP/js/$1" "$FILES" "$COUNT"; }
sdk_js() { run_js job_sdk.js; }
minio_js() { run_js job_minio.js; }
make_files
in_both sdk_js minio_js
pass
