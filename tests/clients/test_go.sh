#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The job by the AWS SDK for Go v2, by minio-go and by s5cmd.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/clients/clib.sh"
. "$SRC/tests/clients/commands.sh"

need go
cp -r "$SRC/tests/clients/go" "$TMP/go"
cd "$TMP/go" || fail "cd"
install_quietly go build -mod=readonly -o "$TMP/bin/" . github.com/peak/s5cmd/v2

go_sdk() { ok "the SDK" env ${CA:+SSL_CERT_FILE="$CA"} "$TMP/bin/clients" sdk "$FILES" "$COUNT"; }
go_minio() { ok "minio-go" env ${CA:+SSL_CERT_FILE="$CA"} "$TMP/bin/clients" minio "$FILES" "$COUNT"; }
go_s5cmd() { job_s5cmd "$TMP/bin/s5cmd"; }
make_files
in_both go_sdk go_minio go_s5cmd
pass
