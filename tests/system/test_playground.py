# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a demo that goes on promise? That people can play, and that nothing is left of it."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.system.story import ROOT

_WAIT_S = 30.0
_STYLE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
# As make does: a shell that is in the foreground, and would be interrupted with what it runs.
_COMMAND = (
    f"trap 'echo interrupted' INT; {sys.executable} -m tests.system.demo --keep; echo end $?"
)


class Terminal:
    """Somebody at a terminal in which `make demo KEEP=1` was typed."""

    def __init__(self, temporary: Path) -> None:
        self.said = b""
        self._at = 0
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.environ["TMPDIR"] = str(temporary)
            os.environ["TERM"] = "dumb"
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # of a suite that runs under nohup
            os.execvp("sh", ["sh", "-c", _COMMAND])  # noqa: S606 - it is a shell

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def expect(self, pattern: str) -> re.Match[bytes]:
        """The next occurrence from the last one on."""
        deadline = time.monotonic() + _WAIT_S
        while True:
            found = re.compile(pattern.encode()).search(self.said, self._at)
            if found:
                self._at = found.end()
                return found
            left_s = deadline - time.monotonic()
            if left_s < 0 or not self._read(left_s):
                pytest.fail(f"wanted {pattern!r} after {self.said[self._at :].decode()}")

    def _read(self, timeout_s: float) -> bool:
        if select.select([self._master], [], [], timeout_s)[0]:
            try:
                piece = os.read(self._master, 65536)
            except OSError:  # Linux's way to say that the other end is closed
                piece = b""
            self.said = _STYLE.sub(b"", self.said + piece)
            return bool(piece)
        return True

    def hang_up(self) -> None:
        os.close(self._master)
        os.waitpid(self.pid, 0)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.hang_up()
    deadline = time.monotonic() + _WAIT_S
    while left := list(tmp_path.iterdir()):
        assert time.monotonic() < deadline, f"hung up, and this goes on: {left}"
        time.sleep(0.05)


def test_people_play_until_ctrl_c_and_nothing_is_left(terminal: Terminal, tmp_path: Path) -> None:
    terminal.expect("Everything goes on until Ctrl-C")
    url = terminal.expect(r"portal's API +(http://[\d.:]+)/openapi.json")[1].decode()
    token_file = Path(terminal.expect(r"its access token +in (\S+)")[1].decode())
    port = terminal.expect(r"mpremote connect (/dev/\S+)")[1].decode()
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
    typed = terminal.expect(r"What the device publishes:\s+(\S+/muster readings \S+) --follow")[1]
    readings = subprocess.run(
        [*typed.decode().split(), "--portal", url, "--token-file", str(token_file)],
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
    terminal.type("press\n")
    terminal.expect("pressed")
    terminal.expect(r"6  Receive the configuration .* ok  keep")
    terminal.type("status\n")
    terminal.expect("factory: board")
    terminal.expect(r"registered, version 1")
    terminal.type("pasword x\n")
    terminal.expect("no command pasword; there are password, press")
    terminal.type("password\n")
    terminal.expect("password wants other arguments")
    terminal.type('password "new horse battery"\n')
    terminal.expect(r"8  Join the operational network .* wifi_auth")
    terminal.type('password "correct horse battery"\n')
    terminal.expect(r"8  Join the operational network .* ok")
    terminal.type("remove factory\nstatus\nrestore factory\n")
    terminal.expect("factory: off")
    terminal.expect("factory is on")

    assert Path(port).exists()
    terminal.type("\x03")
    terminal.expect("The demo has ended; nothing is left of it")
    terminal.expect("end 0")
    assert b"Traceback" not in terminal.said and b"interrupted" not in terminal.said
    assert list(tmp_path.iterdir()) == []


def test_closed_terminal_ends_it(terminal: Terminal) -> None:
    terminal.expect("demo> ")  # the fixture hangs up, and waits for the end


def test_without_a_terminal_it_waits_for_a_signal(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.system.demo", "--keep"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        cwd=ROOT,
    ) as demo:
        assert demo.stdout is not None
        while "quit" not in (line := demo.stdout.readline()):
            assert line, "it ended by itself"
        demo.send_signal(signal.SIGTERM)
        _, complaints = demo.communicate(timeout=20)
    assert (demo.returncode, complaints) == (0, "")
    assert list(tmp_path.iterdir()) == []
