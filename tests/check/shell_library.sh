#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The shell library of the test scripts: a script passes, fails and skips when it should.
set -u
. "$(dirname "$0")/files.sh"

unset PCLOUD_TEST_TMP
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
# ends CODE SCRIPT: a script with the library ends like that, and leaves no temporary directory.
ends() {
    local wanted=$1 rc; shift
    mkdir "$tmp/t"
    TMPDIR="$tmp/t" BUILD="$tmp" timeout 60 bash -c ". tests/lib/lib.sh; $*" >"$tmp/out" 2>&1 </dev/null
    rc=$?
    [ "$rc" -eq "$wanted" ] || report "exit $rc, not $wanted" "$*$(printf '\n'; cat "$tmp/out")"
    report "left behind by: $*" "$(ls -A "$tmp/t")"
    rm -rf "$tmp/t"
}
ends 0 'ok "true is true" true; pass'
ends 1 'ok "false is true" false; pass'
ends 0 'not_ok "false is false" false; pass'
ends 1 'not_ok "true is false" true; pass'
ends 1 'not_ok "a crash is no refusal" sh -c "kill -SEGV \$\$"; pass'
ends 0 'is "same" a a; pass'
ends 1 'is "other" a b; pass'
ends 1 'pass'
ends 1 'ok "true" true'
ends 1 'ok "true" true; exit 0'
ends 77 'skip "not today"'
ends 77 'need no-such-program-here; pass'
ends 1 'fail "so"'
ends 0 'wait_until 30 test -d "$TMP"; ok "true" true; pass'
ends 1 'wait_until 0 false; ok "true" true; pass'
ends 0 'n=0; more() { n=$((n + 1)); [ $n -ge 3 ]; }; wait_until 30 more; is "asked three times" $n 3; pass'
ends 0 'on_exit touch "$TMP/../../late"; ok "true" true; pass'
[ -e "$tmp/late" ] || report 'on_exit did not run' "$tmp/late"
ends 0 'echo "a secret" >"$TMP/x"; PCLOUD_HOME=$TMP plaintext_absent "another"; pass'
ends 1 'echo "a secret" >"$TMP/x"; PCLOUD_HOME=$TMP plaintext_absent "a secret"; pass'
exit $bad
