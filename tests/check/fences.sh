#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each third-party header stays behind its fence, so that a library can be replaced in one place.
set -u
. "$(dirname "$0")/files.sh"

# fence HEADERS ALLOWED: files that include one of HEADERS (a regular expression) all match ALLOWED.
fence() {
    report "<$1> is only for $2" "$(grep -rnE --include='*.[ch]' "^ *# *include *[<\"]$1" \
        include core fs gateway cli netd | grep -vE "^($2):")"
}
fence 'fuse' 'fs/[^:]*'
fence 'microhttpd' 'gateway/httpd[^/:]*\.[ch]'
fence 'sqlite3' 'core/meta/[^:]*'
fence '(isa-l|isal|crc64|erasure_code|igzip_lib)' 'core/ec/[^:]*|core/crypto/crc[^/:]*|core/data/deflate\.c'
fence '(sodium|openssl/)' 'core/crypto/[^:]*'
fence 'expat' 'gateway/s3/xml_in\.c'
fence 'jansson' 'cli/[^:]*|gateway/policy/parse\.c|gateway/form/form_policy\.c'
fence '(curl/|libs3|uv\.h|gnutls|systemd/)' 'nobody'
exit $bad
