# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The environment variables of whoever runs the tests, and the few of them that tests may see.

No outcome may depend on a proxy, a colour, a width or a token that somebody has set for their own
work. What downloads programs for the tests asks for `before()`: it may need that very proxy.
"""

import os
import signal
import time

# Where things are; MICROPYTHON names the interpreter that is to be tested.
_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CACHE_HOME", "MICROPYTHON")
OUTPUT_NAME = "MUSTER_TEST_OUTPUT"  # the file below build/; two processes need two
_FIXED = {"LANG": "C.UTF-8", "TERM": "dumb"}
_before: dict[str, str] = {}


def kept() -> dict[str, str]:
    """Return the variables that a test may see."""
    found = {name: os.environ[name] for name in (*_KEPT, OUTPUT_NAME) if name in os.environ}
    return found | _FIXED


def leave() -> None:
    """Takes the rest from this process, and so from all that it starts."""
    if not _before:
        _before.update(os.environ)
    clean = kept()
    os.environ.clear()
    os.environ.update(clean)
    time.tzset()  # TZ has gone
    # Who is started in the background of a script has it ignored, and hands that on.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def before() -> dict[str, str]:
    """The environment as it was."""
    return _before or dict(os.environ)
