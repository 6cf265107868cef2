# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An emulated board as esptool sees it: a port whose DTR and RTS reach EN and BOOT."""

from types import TracebackType

from muster_harness.units.development_board import DevelopmentBoard
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.rfc2217_port import RFC2217Port


class FlashPort:
    """Offers a board at `url` (rfc2217://…) to esptool, mpremote and pyserial; a context manager.

    With `is_flashed=False` the chip is blank, and boots once an image has been written. Nobody
    else uses the board's own port meanwhile. Raises BoardError for a chip whose ROM loader is not
    emulated, PortError if it cannot listen.
    """

    def __init__(self, board: EmulatedBoard, *, is_flashed: bool = True, port: int = 0) -> None:
        self._board = DevelopmentBoard(board, is_flashed=is_flashed)
        self._port = RFC2217Port(self._board, port)

    @property
    def url(self) -> str:
        return self._port.url

    @property
    def flash(self) -> bytearray:
        """The content of the chip while its loader runs; MicroPython itself is not in it."""
        return self._board.rom.flash

    def __enter__(self) -> "FlashPort":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the port away; the board stays as it is."""
        self._port.close()
        self._board.close()
