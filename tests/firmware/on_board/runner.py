# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Runs the test_* functions of one file on the MicroPython interpreter itself; a function may be
# async. Prints one line for each: "ok name", "skip name reason", or "FAIL name" and a traceback.
# A test may print "figure name number"; pytest shows it at the end of its report.

import json
import sys

is_32bit = sys.maxsize < 1 << 32

_HERE = __file__.rpartition("/")[0]
_TESTS = _HERE + "/../.."


class Skip(Exception):
    pass


# The golden JSON of tests/, e.g. golden("wire/labels.json").
def golden(name):
    with open(_TESTS + "/" + name) as f:  # noqa: PTH123
        return json.load(f)


# Asserts that the call raises kind, and returns the exception for a closer look.
def raises(kind, call, *args):
    try:
        call(*args)
    except kind as e:
        return e
    raise AssertionError(kind.__name__ + " was not raised")


# The same for something to await.
async def araises(kind, awaitable):
    try:
        await awaitable
    except kind as e:
        return e
    raise AssertionError(kind.__name__ + " was not raised")


def _call(function):
    result = function()
    if hasattr(result, "send"):
        import asyncio

        try:
            asyncio.run(result)
        finally:
            asyncio.new_event_loop()  # its state is global and outlives run()


def run(module_name):
    module = __import__(module_name)
    failed = 0
    for name in sorted(dir(module)):
        if not name.startswith("test_"):
            continue
        try:
            _call(getattr(module, name))
            print("ok", name)
        except Skip as e:
            print("skip", name, e)
        except Exception as e:  # noqa: BLE001 - a test may fail in any way
            failed += 1
            print("FAIL", name)
            sys.print_exception(e, sys.stdout)
    return failed


if __name__ == "__main__":
    sys.path[:0] = [_HERE, _HERE + "/../../../firmware"]
    sys.modules["runner"] = __import__("__main__")
    sys.exit(1 if run(sys.argv[1]) else 0)
