# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does what a test starts end with the test, whatever becomes of it?"""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tests.children import AtTerminal, ended

TESTS = Path(__file__).parent
# Waits for ever at the end of the block, or forks a process with threads.
_ENDLESS = re.compile(r"with subprocess\.Popen\(|\bpty\.(?:fork|spawn)\(|pexpect\.spawn\(")
STUBBORN = (
    "import signal, time\n"
    "for n in signal.SIGHUP, signal.SIGTERM, signal.SIGINT: signal.signal(n, signal.SIG_IGN)\n"
    "print('here', flush=True)\n"
    "time.sleep(3600)\n"
)


def test_failed_block_ends_a_program_that_ignores_signals() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with pytest.raises(ZeroDivisionError), ended(process):
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        raise ZeroDivisionError
    assert process.returncode == -signal.SIGKILL


def test_terminal_s_program_that_ignores_the_hang_up_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.children._END_S", 0.5)
    with AtTerminal([sys.executable, "-c", STUBBORN]) as terminal:
        terminal.expect("here")
    assert terminal.process.returncode == -signal.SIGKILL


def test_word_that_does_not_come_is_waited_for_until_the_deadline() -> None:
    begin = time.monotonic()
    with AtTerminal(["sh", "-c", "echo here; read never"], timeout_s=0.3) as terminal:
        with pytest.raises(pexpect.TIMEOUT, match="said here"):
            terminal.expect("nothing")
        with pytest.raises(pexpect.TIMEOUT):
            terminal.ends()
    assert time.monotonic() - begin < 10


def test_styles_are_left_out_also_where_they_come_in_halves() -> None:
    halves = r"printf 'a\033[3'; sleep 0.1; printf '1mred\033[0mb\n'"
    with AtTerminal(["sh", "-c", halves]) as terminal:
        assert terminal.ends() == 0
    assert terminal.said == b"aredb\r\n"


def test_no_test_starts_a_program_that_it_could_wait_for_endlessly() -> None:
    offences = [
        f"{path.relative_to(TESTS)}: {found[0]}"
        for path in sorted(TESTS.rglob("*.py"))
        if path.name not in ("children.py", "test_children.py")
        for found in _ENDLESS.finditer(path.read_text())
    ]
    assert offences == []
