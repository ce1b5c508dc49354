#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A known plaintext (content, names, bucket names, attributes, keys) is nowhere on disk, nor in the supervisor's memory.
. "$SRC/tests/lib/lib.sh"
require_fuse
"$PYTHON" -c 'import boto3' 2>/dev/null || skip 'no boto3 here'

secret=Zyxwvut-8f3a
start_home
cat >"$TMP/write.py" <<'PY'
import os, sys
import boto3
from botocore.config import Config
mount, secret = os.environ["PCLOUD_MOUNT"], sys.argv[1]
s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
os.mkdir(f"{mount}/bucket-{secret.lower()}")
os.makedirs(f"{mount}/docs/folder-{secret}")
for size in (1, 50, 1000, 200000):  # inline, one block, several blocks
    with open(f"{mount}/docs/folder-{secret}/file-{secret}-{size}", "w") as f:
        f.write(f"content-{secret} " * size)
p = f"{mount}/docs/x"
open(p, "w").close()
os.setxattr(p, "user.name-" + secret, b"value-" + secret.encode())
os.symlink("target-" + secret, f"{mount}/docs/link-{secret}")
s3.put_object(Bucket="docs", Key=f"key-{secret}", Body=f"body-{secret}".encode(), Metadata={"m": "meta-" + secret})
u = s3.create_multipart_upload(Bucket="docs", Key=f"upload-{secret}", Metadata={"m": "meta-" + secret})
s3.upload_part(Bucket="docs", Key=f"upload-{secret}", UploadId=u["UploadId"], PartNumber=1, Body=f"part-{secret} ".encode() * 100000)
s3.delete_object(Bucket="docs", Key=f"key-{secret}")
s3.put_object(Bucket="docs", Key=f"key2-{secret}", Body=f"body-{secret}".encode())
PY
ok 'write it' "$PYTHON" "$TMP/write.py" "$secret"
ok 'a user of that name' pcloud user add "$secret" --email "$secret@example.org" --access-key "AK$secret" --secret-key "SK$secret" >/dev/null
ok 'it is there' grep -q "content-$secret" "$PCLOUD_MOUNT/docs/folder-$secret/file-$secret-1"

# in_memory PID TEXT...: is one of the texts (or its UTF-16) in a readable mapping of the process?
in_memory() {
    "$PYTHON" - "$@" <<'PY'
import sys
pid, texts = sys.argv[1], sys.argv[2:]
needles = [f(t) for t in texts for f in (lambda t: t.encode(), lambda t: t.encode("utf-16-le"))]
found, bytes_read = 0, 0
with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
    for line in maps:
        span, mode = line.split()[:2]
        if "r" not in mode or line.rstrip().endswith(("[vvar]", "[vsyscall]")):
            continue
        begin, end = (int(x, 16) for x in span.split("-"))
        try:
            mem.seek(begin)
            data = mem.read(end - begin)
        except (OSError, ValueError):
            continue
        bytes_read += len(data)
        found += sum(n in data for n in needles)
if bytes_read < 100_000:
    sys.exit("the memory cannot be read")
sys.exit(0 if found else 1)
PY
}
supervisor=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["pid"])' "$PCLOUD_HOME/run/supervisor.json")
if [ -r "/proc/$supervisor/mem" ] && head -c 1 "/proc/$supervisor/maps" >/dev/null 2>&1; then
    ok 'the search finds what is there' in_memory "$supervisor" supervisor.json
    not_ok 'the supervisor knows no plaintext' in_memory "$supervisor" "$secret" "${secret,,}"
    not_ok 'nor the passphrase in the home' in_memory "$supervisor" "$(cat "$PCLOUD_HOME/passphrase")"
    not_ok 'nor the words' in_memory "$supervisor" "$(cat "$PCLOUD_HOME.words")"
fi

# on disk: while it runs, after it has stopped, after a crash
everywhere() {
    local text
    for text in "$secret" "${secret,,}" "$(printf %s "$secret" | base64)" "AK$secret" "$(cut -d' ' -f1-3 "$PCLOUD_HOME.words")" "$AWS_SECRET_ACCESS_KEY"; do
        plaintext_absent "$text"
    done
    is 'no name of a file' "$(find "$PCLOUD_HOME" -iname "*$secret*" | wc -l)" 0
}
everywhere
for part in mount gateway; do kill -9 "$(home_pid $part)"; done
down_home
everywhere
ok 'gc' pcloud gc --full >/dev/null
ok 'fsck' pcloud fsck >/dev/null
everywhere
# the search can find: a plain file in the home is noticed
echo "$secret" >"$PCLOUD_HOME/log/planted"
LIB_CHECKS=$((LIB_CHECKS + 1))
grep -rqF "$secret" "$PCLOUD_HOME" || fail 'the search is blind'
pass
