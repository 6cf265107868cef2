# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The log shows no secret, and nobody forges a line of it.

import builtins

from muster import log


# What the log prints while act runs.
def _printed(act):
    lines = []
    genuine = builtins.print
    builtins.print = lines.append
    try:
        act()
    finally:
        builtins.print = genuine
    return lines


def test_a_hidden_secret_never_reaches_the_log():
    log.hide("correct horse")
    lines = _printed(lambda: log.error("wifi", "joining with correct horse failed"))
    assert "correct horse" not in lines[0] and "***" in lines[0]


def test_a_control_character_cannot_forge_a_line():
    lines = _printed(lambda: log.info("wifi", "net\r\nM 1 I step 9 ok"))
    assert "\n" not in lines[0] and "\r" not in lines[0]
