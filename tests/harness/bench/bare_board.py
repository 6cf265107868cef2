# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A development board as it comes out of its box."""

import os
import pty
import select
import threading
import tty

from muster_harness.units.development_board import DevelopmentBoard
from muster_harness.units.emulated import EmulatedBoard

_LOOK_S = 0.005
_END_S = 10.0


class BareBoard(DevelopmentBoard):
    """Without an image in its flash."""

    def __init__(self, emulated: EmulatedBoard, chip: str | None = None) -> None:
        super().__init__(emulated, is_flashed=False, chip=chip)


class BareBoardPort:
    """The same board behind a pty, which has no modem lines: somebody has to press its buttons."""

    def __init__(self, board: BareBoard) -> None:
        self._board = board
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self.path = os.ttyname(self._theirs)
        self._is_open = True
        self._thread = threading.Thread(target=self._relay, daemon=True)

    def __enter__(self) -> "BareBoardPort":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_open = False
        self._thread.join(_END_S)
        assert not self._thread.is_alive(), "the relay of this board has not ended"
        self._board.close()
        os.close(self._ours)
        os.close(self._theirs)

    def _relay(self) -> None:
        while self._is_open:
            if select.select([self._ours], [], [], _LOOK_S)[0]:
                self._board.write(os.read(self._ours, 4096))
            if said := self._board.read(4096):
                os.write(self._ours, said)
