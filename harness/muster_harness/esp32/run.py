# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One run of the interpreter, from a reset to the next: its process and its control channel."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from muster_harness.control import Control, Handler
from muster_harness.esp32.child import CONTROL_FD, Child
from muster_harness.esp32.terminal import Terminal
from muster_harness.loop import Loop


@dataclass(frozen=True)
class Start:
    """The facts for starting a board's interpreter."""

    command: Sequence[str]
    environment: Mapping[str, str]
    is_slow: bool  # whether its console is


class Run:
    """One run of the interpreter, begun when it is made.

    `on_exit(code)` is called if the interpreter ends by itself.
    """

    def __init__(
        self,
        loop: Loop,
        start: Start,
        files: dict[int, int],
        answer: Handler,
        terminal: Terminal,
        on_exit: Callable[[int], None],
    ):
        """Start the interpreter.

        `files` are open for it, and are closed on this side afterwards.
        """
        self._control = Control(loop, answer)
        self._terminal = terminal
        self._on_exit = on_exit
        try:
            self.child = Child(
                loop,
                start.command,
                dict(start.environment),
                {CONTROL_FD: self._control.theirs.fileno(), **files},
                terminal.from_child,
                self._exited,
                self._control.is_asking,
                is_slow=start.is_slow,
            )
        finally:
            for fd in files.values():
                os.close(fd)
            self._control.theirs.close()
        terminal.attach(self.child)

    @property
    def is_asking(self) -> bool:
        """True while the program waits for an answer of its hardware."""
        return self._control.is_asking()

    def event(self, name: str, *arguments: object) -> None:
        self._control.event(name, *arguments)

    def end(self) -> None:
        """End the run; nothing of the program runs after the return."""
        self.child.kill()
        self._close()

    def _exited(self, code: int) -> None:
        self._close()
        self._on_exit(code)

    def _close(self) -> None:
        self._control.close()
        self._terminal.detach()
