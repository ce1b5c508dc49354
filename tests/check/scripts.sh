#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every shell script is clean under shellcheck, and can be started.
set -u
. "$(dirname "$0")/files.sh"

command -v shellcheck >/dev/null || { echo 'no shellcheck here'; exit 77; }
while read -r f; do
    report "$f" "$(shellcheck -x -P "$(dirname "$f"):tests/lib:tests/check" -e SC1091,SC2015,SC2016,SC2034,SC2119,SC2120,SC2154,SC2317 "$f" 2>&1)"
    case "$(sed -n 1p "$f")" in
    '#!'*) [ -x "$f" ] || report 'not executable' "$f" ;;
    esac
done < <(scripts)
exit $bad
