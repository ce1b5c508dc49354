# SPDX-License-Identifier: Apache-2.0
# What the boto3 scripts share.
"""An error that must come, equality, running all tests or the named ones."""

import sys
import traceback

from botocore.exceptions import ClientError


def raises(code, status, fn, *args, **kw):
    try:
        fn(*args, **kw)
    except ClientError as e:
        got = e.response["Error"]["Code"]
        http = e.response["ResponseMetadata"]["HTTPStatusCode"]
        assert http == status and got in (code, str(status)), f"{got} {http}, wanted {code} {status}"
        return e.response
    raise AssertionError(f"no error, wanted {code}")


def same(got, want):
    assert got == want, f"got {got!r}, wanted {want!r}"


def run(names):
    """Run the functions test_* of ${names}, or of those the ones on the command line; the exit status."""
    wanted = sys.argv[1:]
    tests = [(n, f) for n, f in names.items() if n.startswith("test_") and callable(f) and (not wanted or n in wanted)]
    failed = []
    for name, fn in tests:
        try:
            fn()
            print(f"ok {name}", flush=True)
        except Exception:
            traceback.print_exc()
            print(f"FAIL {name}", flush=True)
            failed.append(name)
    print(f"{len(tests) - len(failed)} passed, {len(failed)} failed: {' '.join(failed)}")
    return 1 if failed or not tests else 0
