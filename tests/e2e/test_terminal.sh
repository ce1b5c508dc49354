#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What only a terminal sees: passphrases that are asked for, bars of progress, colours.
. "$SRC/tests/lib/lib.sh"

# on_terminal ANSWERS COMMAND...: run it on a terminal of its own; each line of ANSWERS is typed when a question is waiting. What the terminal
# showed is in $TMP/shown; the exit status is the command's.
cat >"$TMP/terminal.py" <<'PY'
import os, pty, select, sys
answers, command = sys.argv[1].split("\n") if sys.argv[1] else [], sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
shown, asked = b"", 0
while True:
    if not select.select([fd], [], [], 120)[0]:
        os.kill(pid, 9)
        sys.exit("nothing comes any more after: %r" % shown)
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    shown += data
    if answers and shown.count(b": ") > asked and shown.endswith(b": "):
        asked = shown.count(b": ")
        os.write(fd, answers.pop(0).encode() + b"\n")
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
on_terminal() {
    local answers=$1; shift
    python3 "$TMP/terminal.py" "$answers" "$@" >"$TMP/shown"
}
shows() { ok "the terminal shows '$1': $(cat -v "$TMP/shown")" grep -qF -- "$1" "$TMP/shown"; }
shows_not() { not_ok "the terminal shows no '$1'" grep -qF -- "$1" "$TMP/shown"; }

export PCLOUD_HOME=$TMP/home TERM=xterm
LIB_HOMES+=("$PCLOUD_HOME")

# init asks, twice
on_terminal $'one secret\nanother one' pcloud init --ask
is 'two answers that differ' $? 2
shows 'the two differ'
shows_not 'one secret'
not_ok 'no home was made' test -e "$PCLOUD_HOME"
on_terminal $'first secret\nfirst secret' pcloud init --ask --words-out "$TMP/words"
is 'init' $? 0
not_ok 'the passphrase is in no file' test -e "$PCLOUD_HOME/passphrase"
shows 'New passphrase: '
shows_not 'first secret'

# every verb asks
on_terminal 'first secret' pcloud df
is 'df with the right answer' $? 0
shows 'Passphrase: '
shows_not 'first secret'
on_terminal 'wrong secret' pcloud df
is 'df with a wrong answer' $? 1
shows 'wrong'
on_terminal '' setsid -w pcloud df </dev/null
is 'without a terminal it says so' $? 2

# a new one
on_terminal $'first secret\nsecond secret\nsecond secrex' pcloud passwd
is 'passwd with answers that differ' $? 2
shows 'nothing was changed'
on_terminal 'first secret' pcloud df
is 'the old one still opens' $? 0
on_terminal $'first secret\nsecond secret\nsecond secret' pcloud passwd
is 'passwd' $? 0
on_terminal 'second secret' pcloud df
is 'the new one opens' $? 0
on_terminal 'first secret' pcloud df
is 'the old one does not' $? 1
on_terminal 'second secret' pcloud up --no-mount --s3 127.0.0.1:0 --web 127.0.0.1:0
is 'up asks once' $? 0
is 'for all parts' "$(pcloud status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["gateway"]["state"])')" ok

# colours, unless not wanted
on_terminal '' env -u NO_COLOR pcloud status
shows $'\033['
on_terminal '' env NO_COLOR=1 pcloud status
shows_not $'\033['
on_terminal '' env -u NO_COLOR TERM=dumb pcloud status
shows_not $'\033['

# bars, on a terminal only
ok 'down' pcloud down >/dev/null
on_terminal 'second secret' pcloud passwd --random
is 'passwd --random' $? 0
ok 'the passphrase is in its file' test -s "$PCLOUD_HOME/passphrase"
up_home --no-mount
"$PYTHON" - <<'PY' || skip 'no boto3 here'
import os
import boto3
s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
s3.create_bucket(Bucket="bars")
s3.put_object(Bucket="bars", Key="a", Body=os.urandom(3 << 20))
PY
on_terminal '' pcloud scrub
is 'scrub' $? 0
shows '100 %'
shows '####'
pcloud scrub >"$TMP/out" 2>"$TMP/err"
is 'no bar in a file' "$(cat "$TMP/err")" ''
ok 'scrub in a pipe tells its result' test -s "$TMP/out"
pass
