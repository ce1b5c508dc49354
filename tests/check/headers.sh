#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone, as the first line of a source file would need it.
set -u
. "$(dirname "$0")/files.sh"

[ -n "${CORE_CPPFLAGS:-}" ] || { echo 'run by make check'; exit 77; }
# alone FLAGS DIR...: compile each header below by itself.
alone() {
    local flags=$1 header; shift
    while read -r header; do
        # shellcheck disable=SC2086
        report "$header does not stand alone" "$(cd "$top_builddir" && printf '#include "%s"\nextern int probe;\n' \
            "$top_srcdir/$header" | ${CC:-cc} $flags -Wall -Wextra -Werror -fsyntax-only -x c - 2>&1 | head -n 5)"
    done < <(find "$@" -name '*.h' ! -path include/config.h | sort)
}
alone "$BASE_CPPFLAGS" include
alone "$CORE_CPPFLAGS" core
alone "$FS_CPPFLAGS" fs
alone "$GATEWAY_CPPFLAGS" gateway
alone "$CLI_CPPFLAGS" cli
alone "$TEST_CPPFLAGS" tests/lib
exit $bad
