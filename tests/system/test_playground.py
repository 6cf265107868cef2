# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a demo that goes on promise? That people can play, and that nothing is left of it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.children import AtTerminal, ended
from tests.system.story import ROOT

_WAIT_S = 30.0
# As make does: a shell that is in the foreground, and would be interrupted with what it runs.
_COMMAND = (
    f"trap 'echo interrupted' INT; {sys.executable} -m tests.system.demo --keep; echo end $?"
)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[AtTerminal]:
    """Somebody at a terminal in which `make demo KEEP=1` was typed."""
    environment = os.environ | {"TMPDIR": str(tmp_path), "TERM": "dumb"}
    with AtTerminal(["sh", "-c", _COMMAND], environment, ROOT, _WAIT_S) as terminal:
        yield terminal
    deadline = time.monotonic() + _WAIT_S
    while left := list(tmp_path.iterdir()):
        assert time.monotonic() < deadline, f"hung up, and this goes on: {left}"
        time.sleep(0.05)


def matched(terminal: AtTerminal, pattern: str) -> str:
    """Return what a pattern's group is, of the next that is said."""
    terminal.expect(pattern)
    assert isinstance(terminal.match, re.Match)
    found: bytes = terminal.match[1]
    return found.decode()


def test_people_play_until_ctrl_c_and_nothing_is_left(
    terminal: AtTerminal, tmp_path: Path
) -> None:
    terminal.expect("Everything goes on until Ctrl-C")
    url = matched(terminal, r"portal's API +(http://[\d.:]+)/openapi.json")
    token_file = Path(matched(terminal, r"its access token +in (\S+)\s"))
    port = matched(terminal, r"mpremote connect (/dev/\S+)\s")
    token = token_file.read_text().strip()
    assert token.encode() not in terminal.said
    assert token_file.stat().st_mode & 0o077 == 0
    devices = subprocess.run(
        [sys.executable, "-m", "muster_server", "device", "list", "--portal", url]
        + ["--token-file", str(token_file)],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    ).stdout
    assert "press 4" in devices
    typed = matched(terminal, r"What the device publishes:\s+(\S+/muster readings \S+) --follow")
    readings = subprocess.run(
        [*typed.split(), "--portal", url, "--token-file", str(token_file)],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
        cwd=ROOT,
    ).stdout
    assert re.search(r"heap_free +\d+", readings)
    described = requests.get(f"{url}/openapi.json", timeout=20).json()
    assert "/v1/devices" in described["paths"]

    terminal.expect("demo> ")
    terminal.send("press\n")
    terminal.expect("pressed")
    terminal.expect(r"6  Receive the configuration .* ok  keep")
    terminal.send("status\n")
    terminal.expect("factory: board")
    terminal.expect(r"registered, version 1")
    terminal.send("pasword x\n")
    terminal.expect("no command pasword; there are password, press")
    terminal.send("password\n")
    terminal.expect("password wants other arguments")
    terminal.send('password "new horse battery"\n')
    terminal.expect(r"8  Join the operational network .* wifi_auth")
    terminal.send('password "correct horse battery"\n')
    terminal.expect(r"8  Join the operational network .* ok")
    terminal.send("remove factory\nstatus\nrestore factory\n")
    terminal.expect("factory: off")
    terminal.expect("factory is on")

    assert Path(port).exists()
    terminal.send("\x03")
    terminal.expect("The demo has ended; nothing is left of it")
    terminal.expect("end 0")
    assert b"Traceback" not in terminal.said and b"interrupted" not in terminal.said
    assert list(tmp_path.iterdir()) == []


def test_closed_terminal_ends_it(terminal: AtTerminal) -> None:
    terminal.expect("demo> ")  # the fixture hangs up, and waits for the end


def test_without_a_terminal_it_waits_for_a_signal(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.system.demo", "--keep"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        cwd=ROOT,
    )
    with ended(process) as demo:
        assert demo.stdout is not None
        while "quit" not in (line := demo.stdout.readline()):
            assert line, "it ended by itself"
        demo.send_signal(signal.SIGTERM)
        _, complaints = demo.communicate(timeout=20)
    assert (demo.returncode, complaints) == (0, "")
    assert list(tmp_path.iterdir()) == []
