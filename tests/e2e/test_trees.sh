#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Real trees through one door and back through the other, identical; names of every kind; keys that are no paths.
. "$SRC/tests/lib/lib.sh"
require_fuse
"$PYTHON" -c 'import boto3' 2>/dev/null || skip 'no boto3 here'
if [ -x "$VENV/bin/aws" ]; then aws=$VENV/bin/aws; elif [ -x /usr/bin/aws ]; then aws=/usr/bin/aws; else skip 'no aws here'; fi

# a tree of thousands of files: the headers of this machine, as far as they go
from=/usr/include
[ "$(find "$from" -type f 2>/dev/null | head -n 2000 | wc -l)" -ge 2000 ] || from=/usr/share
mkdir "$TMP/tree"
find "$from" -xdev -type f -size -2M -printf '%P\0' 2>/dev/null | head -z -n "${TREE_FILES:-10000}" >"$TMP/list"
tar -C "$from" --null -T "$TMP/list" -c 2>/dev/null | tar -x -C "$TMP/tree"
files=$(find "$TMP/tree" -type f | wc -l)
[ "$files" -ge 1000 ] || skip "only $files files to copy here"

start_home

# through the mount with all attributes, back through the gateway
mkdir "$PCLOUD_MOUNT/tree"
begin=$SECONDS
ok 'cp -a' cp -a "$TMP/tree/." "$PCLOUD_MOUNT/tree/"
say "cp -a of $files files: $((SECONDS - begin)) s"
ok 'the same on the mount' diff -r "$TMP/tree" "$PCLOUD_MOUNT/tree"
begin=$SECONDS
"$aws" s3 sync --only-show-errors s3://tree "$TMP/back" >"$TMP/sync" 2>&1 || fail "aws s3 sync: $(tail -n 5 "$TMP/sync")"
say "aws s3 sync back: $((SECONDS - begin)) s"
ok 'the same through S3' diff -r "$TMP/tree" "$TMP/back"
list() { (cd "$1" && find . -printf '%P\t%y\t%m\t%l\t%T@\n' | sort); }
ok 'the same attributes' diff <(list "$TMP/tree" | sed '1d') <(list "$PCLOUD_MOUNT/tree" | sed '1d')

# names of every kind, and keys that no path can carry
cat >"$TMP/names.py" <<'PY'
import os, sys
import boto3
from botocore.config import Config

mount = os.environ["PCLOUD_MOUNT"]
s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
names = [
    "plain.txt", "with space", " leading", "trailing ", "two  spaces", "plus+sign", "per%cent", "%2F", "%41", "a&b=c;d", "q?uestion",
    "ha#sh", "back\\slash", "quote'", 'double"', "<xml>&amp;", "co:lon", "tilde~", "star*", "bra[cket]{}", "pipe|", "caret^", "dollar$", "at@",
    "comma,", "tab\there", "new\nline", "bell\x07", "-dash", ".hidden", "..two", "...", "größe", "naïve café", "e\u0301 decomposed",
    "日本語のファイル", "中文文件", "한국어", "Ελληνικά", "кириллица", "עברית", "العربية", "हिन्दी", "ไทย", "👍🏽 emoji 🎉", "👨\u200d👩\u200d👧", "\u202eright to left",
    "\ufeffbom", "\u00a0", "x" * 255, "é" * 127, "字" * 85, "CON", "nul.txt", "name.", "a" * 200 + ".tar.gz",
]
def get(bucket, key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
def keys(bucket):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [o["Key"] for p in pages for o in p.get("Contents", [])]
def check(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")

# mount to S3
os.makedirs(mount + "/names/deep")
for i, n in enumerate(names):
    for folder in ("", "deep/"):
        with open(f"{mount}/names/{folder}{n}", "w") as f:
            f.write(f"{i} {folder}")
listed = keys("names")
check("keys of names", sorted(listed), sorted(f + n for n in names for f in ("", "deep/")))
check("byte order", listed, sorted(listed, key=lambda k: k.encode()))
for i, n in enumerate(names):
    check(f"content of {n!r}", get("names", "deep/" + n), f"{i} deep/".encode())

# S3 to mount
s3.create_bucket(Bucket="eman")
for i, n in enumerate(names):
    s3.put_object(Bucket="eman", Key="sub/" + n, Body=f"{i}".encode())
check("names of keys", sorted(os.listdir(mount + "/eman/sub")), sorted(names))
for i, n in enumerate(names):
    with open(f"{mount}/eman/sub/{n}") as f:
        check(f"file {n!r}", f.read(), f"{i}")

# keys that are no paths: stored, listed and read back byte-exact, visible on the mount, and deletable through it
odd = [
    "a", "a/b", "a/b/c", "a//b", "a///b", "/leading", "//two", "trailing/", "t/", "t/x", ".", "..", "./x", "../x", "x/.", "x/..", "x/./y",
    "x/../y", "x" * 256, "y/" + "z" * 1000, "k" * 1024, "/", "//", "a-b", "a.b", "a0", "p/" * 300, "%", "%%25",
]
s3.create_bucket(Bucket="odd-keys")
for k in odd:
    s3.put_object(Bucket="odd-keys", Key=k, Body=b"body of " + k.encode())
listed = keys("odd-keys")
check("odd keys", sorted(listed), sorted(odd))
check("their order", listed, sorted(odd, key=lambda k: k.encode()))
for k in odd:
    check(f"odd content of {k[:40]!r}", get("odd-keys", k), b"body of " + k.encode())
bodies = {}
for d, _, fs in os.walk(mount + "/odd-keys"):
    for f in fs:
        with open(os.path.join(d, f), "rb") as g:
            bodies[g.read()] = os.path.join(d, f)
for k in odd:
    if not k.endswith("/"):
        check(f"on the mount: {k[:40]!r}", b"body of " + k.encode() in bodies, True)
victim = bodies[b"body of a//b"]
os.remove(victim)
check("removed by its escaped name", "a//b" in keys("odd-keys"), False)
print(f"{len(names)} names, {len(odd)} odd keys")
PY
ok 'names' "$PYTHON" "$TMP/names.py"

# the other way round, with a part of the tree: up through the gateway, back through the mount
mkdir "$TMP/part"
head -z -n 2000 "$TMP/list" | tar -C "$TMP/tree" --null -T - -c | tar -x -C "$TMP/part"
mkdir "$TMP/mixed" && cp -a "$PCLOUD_MOUNT/names/." "$TMP/mixed/"
"$aws" s3 mb s3://mixed >/dev/null || fail 'aws s3 mb'
"$aws" s3 sync --only-show-errors "$TMP/part" s3://mixed/tree >"$TMP/sync" 2>&1 || fail "aws s3 sync: $(tail -n 5 "$TMP/sync")"
"$aws" s3 cp --recursive --only-show-errors "$TMP/mixed" s3://mixed/names >"$TMP/sync" 2>&1 || fail "aws s3 cp: $(tail -n 5 "$TMP/sync")"
ok 'the part on the mount' diff -r "$TMP/part" "$PCLOUD_MOUNT/mixed/tree"
ok 'the names on the mount' diff -r "$TMP/mixed" "$PCLOUD_MOUNT/mixed/names"

# and it is all there after a restart
down_home
fsck_clean
up_home
ok 'the same after a restart' diff -r "$TMP/tree" "$PCLOUD_MOUNT/tree"
ok 'names after a restart' diff -r "$TMP/mixed" "$PCLOUD_MOUNT/names"
ok 'rm -rf' rm -rf "$PCLOUD_MOUNT/tree" "$PCLOUD_MOUNT/mixed"
not_ok 'gone' test -e "$PCLOUD_MOUNT/tree"
ok 'gc' pcloud gc --full >/dev/null
ok 'what is left is whole' diff -r "$TMP/mixed" "$PCLOUD_MOUNT/names"
down_home
fsck_clean
pass
