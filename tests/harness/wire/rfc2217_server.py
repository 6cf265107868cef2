# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An emulated board's pty behind RFC 2217."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import serial

from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.rfc2217_port import RFC2217Port


class _Line(serial.Serial):
    """A pty has no modem lines; RFC 2217 asks for all of them. RTS is wired to EN."""

    cts = dsr = cd = True
    ri = False
    reset: Callable[[], None] | None = None
    _is_held = False

    def _update_rts_state(self) -> None:
        if self._is_held and not self.rts and self.reset is not None:
            self.reset()
        self._is_held = self.rts

    def _update_dtr_state(self) -> None:
        pass


@contextmanager
def behind_rfc2217(board: EmulatedBoard, *, wires_reset: bool = False) -> Iterator[RFC2217Port]:
    """Serve the board until the block ends. With `wires_reset` a pulse on RTS resets the board."""
    with _Line(board.port, timeout=0) as line:
        if wires_reset:
            line.rts = False
            line.reset = board.reset
        with RFC2217Port(line) as port:
            yield port
