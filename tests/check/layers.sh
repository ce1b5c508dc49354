#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Arrows point one way: a forbidden include neither stands in the sources nor would compile.
#
# fs, gateway and cli see include/ and their own folder; core sees include/ and core/; nobody reaches across by path.
set -u
. "$(dirname "$0")/files.sh"

# includes DIR...: "file:line:included" of every quoted include below.
includes() { grep -rnoE --include='*.[ch]' '^ *# *include *"[^"]+"' "$@" | sed -E 's/# *include *"([^"]+)"/\1/; s/: +/:/'; }

# may LAYER ROOT...: every quoted include of the layer is found below one of the roots, or is beside its source.
may() {
    local layer=$1 file line name root found; shift
    while IFS=: read -r file line name; do
        found=
        for root in "$@" "$(dirname "$file")"; do [ -f "$root/$name" ] && found=1; done
        [ "$name" = config.h ] && found=1
        [ -n "$found" ] || report "$layer may not include" "$file:$line: $name"
    done < <(includes "$layer")
}
may fs include fs
may gateway include gateway
may cli include cli
may core include core
may include include
report 'include by a path that climbs' "$(grep -rnE --include='*.[ch]' '^ *# *include *"[^"]*\.\./' include core fs gateway cli netd bench tests)"
report 'contracts include only each other and the C library' \
    "$(grep -rnE --include='*.h' '^ *# *include *<(fuse|microhttpd|sqlite3|sodium|openssl|isa-l|expat|jansson|curl)' include)"

# The proof: with the flags of a layer, no header of another layer can be found, by any of its names.
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
# hidden LAYER FLAGS DIR...: the headers below each DIR cannot be included with FLAGS.
hidden() {
    local layer=$1 flags=$2 header; shift 2
    while read -r header; do
        for name in "$header" "${header#*/}" "${header##*/}"; do
            # a header of the layer's own, or of the system, by the same name is another file
            [ -f "$layer/$name" ] || [ -f "include/$name" ] || [ -f "/usr/include/$name" ] ||
                printf '#if __has_include("%s")\n#error "%s is in reach"\n#endif\n' "$name" "$header"
        done
    done < <(find "$@" -name '*.h' | sort) >"$tmp/probe.c"
    echo 'int probe;' >>"$tmp/probe.c"
    # shellcheck disable=SC2086
    report "$layer reaches" "$(cd "$top_builddir" && ${CC:-cc} $flags -fsyntax-only "$tmp/probe.c" 2>&1)"
}
if [ -n "${FS_CPPFLAGS:-}" ]; then
    hidden fs "$FS_CPPFLAGS" core gateway cli tests
    hidden gateway "$GATEWAY_CPPFLAGS" core fs cli tests
    hidden cli "$CLI_CPPFLAGS" core fs gateway tests
    hidden core "$CORE_CPPFLAGS" fs gateway cli tests
    # and the probe can see what it looks for
    printf '#if !__has_include("pcloud/version.h")\n#error "blind"\n#endif\n' >"$tmp/probe.c"
    # shellcheck disable=SC2086
    report 'the probe is blind' "$(cd "$top_builddir" && ${CC:-cc} $FS_CPPFLAGS -fsyntax-only "$tmp/probe.c" 2>&1)"
fi
exit $bad
