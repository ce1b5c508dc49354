#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Small pieces: functions up to 100 lines, files up to 800, headers up to 150, folders up to 25 files.
#
# With -v it also names what is over the size where a reader starts to ask (functions 60, files 600).
set -u
. "$(dirname "$0")/files.sh"

# functions MAX: functions longer than MAX lines. A body is from the brace alone in column 1 to its end.
functions() {
    sources | xargs awk -v max="$1" '
        FNR == 1 { start = 0 }
        /^\{/ { start = FNR }
        /^[A-Za-z_].*\(/ { name = $0 }
        /^\}/ && start { if (FNR - start - 1 > max) printf "%s:%d: %d lines: %s\n", FILENAME, start, FNR - start - 1, name; start = 0 }'
}
# files MAX NAMES...: files longer than MAX lines.
files() {
    local max=$1; shift
    sources | grep -E "$1" | xargs awk -v max="$max" '
        FNR == 1 && last > max { print file ": " last " lines" }
        { file = FILENAME; last = FNR }
        END { if (last > max) print file ": " last " lines" }'
}
# folders MAX: source folders with more files than that.
folders() {
    find include core fs gateway cli netd -name '*.[ch]' -printf '%h\n' | sort | uniq -c |
        awk -v max="$1" '$1 > max { print $2 ": " $1 " files" }'
}
report 'functions over 100 lines' "$(functions 100)"
report 'files over 800 lines' "$(files 800 '\.c$')"
report 'headers over 150 lines' "$(files 150 '\.h$')"
report 'folders over 25 files' "$(folders 25)"
if [ "${1:-}" = -v ]; then
    printf 'to look at:\n'
    functions 60
    files 600 '\.c$'
fi
exit $bad
