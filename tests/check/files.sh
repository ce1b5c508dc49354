# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the house rules look at: the tree's own files, without what a build makes.

cd "${top_srcdir:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 1
bad=0

# report TITLE MATCHES: a broken rule and where, if there is any.
report() {
    [ -z "$2" ] && return
    printf '%s:\n%s\n' "$1" "$2"
    bad=1
}

sources() { find include core fs gateway cli netd bench tests -name '*.[ch]' ! -path include/config.h -type f | sort; }

# scripts: every shell script of the tree.
scripts() {
    { printf "%s\n" check quickstart .ci/run
      find bench tests tools -name '*.sh' -type f
      find bench tests tools -type f ! -name '*.*' -exec grep -lE '^#!.*\b(ba)?sh' {} +; } | sort -u
}

# texts: every file somebody wrote.
texts() {
    { printf '%s\n' check quickstart configure.ac Makefile.am README.md NEWS CONTRIBUTING \
        .ci/run .clang-format .editorconfig
      find include core fs gateway cli netd systemd man bench tests tools docs m4 -type f \
        \( -name '*.[ch]' -o -name '*.sh' -o -name '*.md' -o -name '*.py' -o -name 'Makefile.inc' \
           -o -name 'pc_*.m4' -o -name '*.in' -o -name '*.[1-8]' -o -name '*.service' -o -name '*.txt' \) \
        ! -path "include/config.h*" ! -path 'tests/fuzz/corpus/*'; } | sort -u
}
