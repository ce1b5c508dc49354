#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every file says what it is for: SPDX tag, a sentence, and a line in the README of its folder.
set -u
. "$(dirname "$0")/files.sh"

while read -r f; do
    [ "$(sed -n 1p "$f")" = '/* SPDX-License-Identifier: Apache-2.0 */' ] || report 'first line is not the SPDX tag' "$f"
    sed -n 2p "$f" | grep -qE '^/\*( |$)' || report 'second line is not the purpose' "$f"
done < <(sources)
while read -r f; do
    head -n 3 "$f" | grep -q '^# SPDX-License-Identifier: Apache-2.0$' || report 'no SPDX tag in the first lines' "$f"
    head -n 4 "$f" | grep -vE '^#!|^# SPDX|^# shellcheck' | grep -q '^# [^ ]' || report 'no purpose in the first lines' "$f"
done < <(scripts; find . -name Makefile.inc -o -name Makefile.am -o -name configure.ac -o -name 'pc_*.m4' | sort)

while read -r dir; do
    if [ ! -s "$dir/README.md" ]; then
        report 'no README.md in' "$dir"
        continue
    fi
    case "$dir" in tests/unit | tests/fs | tests/s3 | tests/e2e | tests/fuzz | include/* | include) continue ;; esac
    for f in "$dir"/*.[ch] "$dir"/*.sh; do
        [ -e "$f" ] || continue
        name=${f##*/}
        grep -qF -e "${name%.*}" "$dir/README.md" || report 'not named in the README of its folder' "$f"
    done
done < <({ printf '%s\n' include core fs gateway cli netd systemd man bench tests tools docs
           find core fs gateway cli netd bench tests -name '*.[ch]' -printf '%h\n'
           find bench tests -name '*.sh' -printf '%h\n'; } | sort -u)
exit $bad
