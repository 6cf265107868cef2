# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Programs that a test starts: each wait for them has a deadline, and they end with their block.

`with subprocess.Popen(…)` waits for ever at its end, also when the test has failed by its timeout;
tests use what is here instead.
"""

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, AnyStr

import pexpect
from pexpect import fdpexpect

if TYPE_CHECKING:
    _Spawn = fdpexpect.fdspawn[bytes]
else:
    _Spawn = fdpexpect.fdspawn

_PATIENCE_S = 30.0
_SIZE = (50, 160)  # lines and columns: wide, so that no line is broken
_END_S = 10.0  # from SIGKILL to the end, on a machine with much to do
_STYLE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
_HALF_STYLE = re.compile(rb"\x1b(\[[0-9;?]*)?$")
# Takes the terminal as its own, as a shell's child has it: Ctrl-C is then a signal, and questions
# for secrets come by /dev/tty. pexpect.spawn does it with fork(), which a process with threads,
# such as a test with an emulated board, must not call.
_TAKES_TERMINAL = (
    "import fcntl, os, signal, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "for n in signal.SIGHUP, signal.SIGINT, signal.SIGQUIT:\n"
    "    signal.signal(n, signal.SIG_DFL)\n"  # of a suite that runs under nohup
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


@contextlib.contextmanager
def ended(process: subprocess.Popen[AnyStr]) -> Iterator[subprocess.Popen[AnyStr]]:
    """Gives the process to its block; at the end it is killed if it runs, and its pipes closed."""
    try:
        yield process
    finally:
        process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                # What it no longer takes is of no matter.
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        process.wait(_END_S)


class AtTerminal(_Spawn):
    """A program at a terminal of its own: `expect` and `sendline` are pexpect's.

    `expect` raises pexpect.TIMEOUT or pexpect.EOF, with the last that was said, when its pattern
    does not come. Styles are left out of what is said, unless they are to be kept.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        timeout_s: float = _PATIENCE_S,
        keeps_styles: bool = False,
    ) -> None:
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, _SIZE)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _TAKES_TERMINAL, *command],
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        super().__init__(ours, timeout=timeout_s)
        self._keeps_styles = keeps_styles
        self.said = b""  # all of it
        self._held = b""  # the beginning of a style

    def __str__(self) -> str:
        """Return the last words; pexpect puts them into its errors."""
        return f"{self.process.args!r} said {self.said[-2000:].decode(errors='replace')}"

    def compile_pattern_list(self, patterns: Any) -> Any:
        """Compile as `re` does: a dot stands for no end of a line, other than with pexpect."""
        if isinstance(patterns, str):
            patterns = re.compile(patterns.encode())
        return super().compile_pattern_list(patterns)

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> bytes:
        """Return what the program has said; b"" if that was but a style."""
        heard = super().read_nonblocking(size, timeout)
        if not self._keeps_styles:
            heard = self._plain(heard)
        self.said += heard
        return heard

    def _plain(self, heard: bytes) -> bytes:
        heard = self._held + heard
        half = _HALF_STYLE.search(heard)
        self._held = half[0] if half else b""
        return _STYLE.sub(b"", heard.removesuffix(self._held))

    def ends(self) -> int:
        """Waits for the program's end: its exit status. pexpect.TIMEOUT if it goes on."""
        self.expect(pexpect.EOF)
        return self.process.wait(_END_S)

    def close(self) -> None:
        """Hangs up, as a closed window does; a group that goes on all the same is killed."""
        super().close()
        try:
            self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(_END_S)
