#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No calls that cannot be bounded, no unfinished words in the sources.
set -u
cd "${top_srcdir:-.}" || exit 1
bad=0
report() { # title, matches
    [ -z "$2" ] && return
    printf '%s:\n%s\n' "$1" "$2"
    bad=1
}
sources() { find include core fs gateway cli netd bench tests -name '*.[ch]' | sort; }
files=$(sources)
# shellcheck disable=SC2086
{
    report 'calls without a bound' "$(grep -nwE '(strcpy|strcat|stpcpy|sprintf|vsprintf|strtok|gets|strncpy|alloca|tmpnam|mktemp|atoi|atol|atoll|rand|srand) *\(' $files)"
    report 'sleeping' "$(grep -nwE '(sleep|usleep|nanosleep|clock_nanosleep) *\(' $files)"
    report 'shells' "$(grep -nwE '(system|popen) *\(' $files)"
    report 'unfinished work' "$(grep -nwE 'TODO|FIXME|XXX|HACK|stub(bed)?|placeholder|unimplemented' $files)"
    report 'typedefs of structs' "$(grep -nE 'typedef +(struct|union|enum)' $files)"
}
exit $bad
