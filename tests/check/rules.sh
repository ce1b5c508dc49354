#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The house rules themselves: each one notices what it forbids, planted in a copy of the tree.
set -u
. "$(dirname "$0")/files.sh"

copy=$(mktemp -d) || exit 1
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/tree"
texts | tar -c -T - | tar -x -C "$copy/tree"

# notices RULE TEXT FILE LINES...: with a file like that in the tree the rule fails and names it.
notices() {
    local rule=$1 text=$2 file=$3 out; shift 3
    mkdir -p "$copy/tree/${file%/*}"
    [ -e "$copy/tree/$file" ] && { report 'in the way of a probe' "$file"; return; }
    printf '%s\n' "$@" >"$copy/tree/$file"
    out=$(top_srcdir="$copy/tree" bash "$copy/tree/tests/check/$rule.sh" 2>&1) && report "$rule.sh does not notice" "$text"
    grep -qF probe <<<"$out" || report "$rule.sh does not name the file" "$text"
    rm "$copy/tree/$file"
}
tag='/* SPDX-License-Identifier: Apache-2.0 */'
notices banned 'an unbounded call' core/base/probe_x.c "$tag" '/* P. */' "char *f(char *a) { return str""cpy(a, a); }"
notices banned 'a sleep' tests/unit/probe_x.c "$tag" '/* P. */' "void f(void) { usl""eep(1); }"
notices banned 'unfinished work' fs/probe_x.c "$tag" '/* P. */' "/* TO""DO */"
notices banned 'trailing white space' docs/probe_x.md 'a '
notices banned 'a path of one machine' docs/probe_x.md 'see /wo''rk/x'
notices fences 'SQLite outside core/meta' core/base/probe_x.c "$tag" '/* P. */' '#include <sqlite3.h>'
notices fences 'libsodium in the gateway' gateway/probe_x.c "$tag" '/* P. */' '#include <sodium.h>'
notices fences 'libmicrohttpd beside httpd' gateway/probe_x.c "$tag" '/* P. */' '#include <microhttpd.h>'
notices layers 'core from the mount' fs/probe_x.c "$tag" '/* P. */' '#include "meta/meta.h"'
notices layers 'the mount from core' core/base/probe_x.c "$tag" '/* P. */' '#include "../../fs/fs.h"'
notices layers 'the gateway from the command line' cli/probe_x.c "$tag" '/* P. */' '#include "gateway/httpd.h"'
if [ -n "${CORE_CPPFLAGS:-}" ]; then
    notices headers 'a header that needs another' core/base/probe_x.h 'size_t f(void);'
    # with the whole core in reach of the mount, the proof by the compiler must fail
    FS_CPPFLAGS="$FS_CPPFLAGS -I$copy/tree/core" notices layers 'flags that show too much' core/base/probe_x.h "$tag"
fi
mapfile -t long < <(yes '    f();' | head -n 101)
notices lengths 'a long function' core/base/probe_x.c "$tag" '/* P. */' 'void f(void)' '{' "${long[@]}" '}'
mapfile -t long < <(yes 'extern int f;' | head -n 801)
notices lengths 'a long file' core/base/probe_x.c "$tag" '/* P. */' "${long[@]}"
notices lengths 'a long header' core/base/probe_x.h "$tag" '/* P. */' "${long[@]:0:150}"
notices purpose 'a file without a tag' core/base/probe_x.c 'int f;'
notices purpose 'a file without a line in the README' core/base/probe_x.c "$tag" '/* P. */'
notices purpose 'a folder without a README' core/probe/probe_x.c "$tag" '/* P. */'
command -v shellcheck >/dev/null && notices scripts 'a careless script' tests/probe_x.sh '#!/bin/sh' 'rm $1'
exit $bad
