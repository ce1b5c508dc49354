#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No calls that cannot be bounded, no sleeps, no shells, no unfinished words in the sources.
set -u
. "$(dirname "$0")/files.sh"

mapfile -t files < <(sources)
report 'calls without a bound' "$(grep -nE \
    '\b(strcpy|strcat|stpcpy|strncpy|sprintf|vsprintf|strtok|gets|alloca|tmpnam|mktemp|atoi|atol|atoll|rand|srand) *\(' \
    "${files[@]}")"
report 'sleeping' "$(grep -nE '\b(sleep|usleep|nanosleep|clock_nanosleep) *\(' "${files[@]}")"
report 'shells' "$(grep -nE '\b(system|popen) *\(' "${files[@]}")"
report 'unfinished work' "$(grep -nwE 'TODO|FIXME|XXX|HACK|stub(bed)?|placeholder|unimplemented' "${files[@]}")"
report 'typedefs of structs' "$(grep -nE 'typedef +(struct|union|enum)' "${files[@]}")"
report 'trailing white space' "$(texts | xargs grep -nE '[[:blank:]]+$')"
report 'tabs in C' "$(grep -nP '\t' "${files[@]}")"
report 'paths of one machine' "$(texts | xargs grep -nE '(^|[^[:alnum:]._-])/(wo[r]k|fa[r]m|home/[a-z]+|roo[t])/')"
exit $bad
