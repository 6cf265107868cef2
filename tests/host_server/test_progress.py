# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is progress shown to whoever looks, and to nobody else?"""

import io
import os
import socket
import sys
import time

import pytest

from muster_server.progress import counted, waiting
from tests.children import AtTerminal


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at it is a second later."""
    now = iter(range(1000))
    monkeypatch.setattr("muster_server.progress.time.monotonic", lambda: float(next(now)))


@pytest.mark.usefixtures("clock")
def test_somebody_who_looks_sees_the_count_and_what_is_left() -> None:
    screen = Screen()
    assert list(counted(range(4), "labels", screen)) == [0, 1, 2, 3]
    said = screen.getvalue().split("\r")
    assert said[1] == "0 of 4 labels, some 0 s left"
    assert said[2] == "1 of 4 labels, some 6 s left"
    assert said[-2].strip() == said[-1] == ""


@pytest.mark.usefixtures("clock")
def test_line_goes_when_it_is_cut_off() -> None:
    screen = Screen()
    with pytest.raises(KeyboardInterrupt):
        for _ in counted(range(9), "labels", screen):
            raise KeyboardInterrupt
    assert screen.getvalue().endswith("\r") or screen.getvalue() == ""


def test_short_work_and_files_get_no_line() -> None:
    for stream in (Screen(), io.StringIO()):
        assert list(counted("abc", "labels", stream)) == ["a", "b", "c"]
        assert stream.getvalue() == ""


def test_wait_is_told_when_it_takes_long_and_forgotten_afterwards() -> None:
    screen = Screen()
    with waiting("waiting for the portal", 0.01, screen):
        deadline = time.monotonic() + 10
        while not screen.getvalue() and time.monotonic() < deadline:
            time.sleep(0.005)
    said = screen.getvalue().split("\r")
    assert said[1] == "waiting for the portal …"
    assert (said[2].strip(), said[3]) == ("", "")


def test_short_wait_is_not_told() -> None:
    screen = Screen()
    with waiting("waiting for the portal", 60, screen):
        pass
    assert screen.getvalue() == ""


def test_command_at_a_terminal_shows_how_long_it_waits_and_no_control_character() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        portal = "http://{}:{}".format(*silent.getsockname())
        command = [sys.executable, "-m", "muster_server", "device", "list", "--portal", portal]
        environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "MUSTER_TOKEN": "t" * 40}
        with AtTerminal(command, environment) as terminal:
            terminal.expect(f"\rwaiting for {portal} ")
            terminal.send("\x03")
            assert terminal.ends() == 130
    assert b"u000d" not in terminal.said
