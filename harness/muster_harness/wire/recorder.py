# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board's port, and in its place one for other programs, which notes all that goes through."""

import threading
from collections.abc import Callable
from types import TracebackType

from muster_harness.errors import PortError
from muster_harness.wire.rfc2217_port import RFC2217Port
from muster_harness.wire.serial_line import SerialLine, has_reset_line
from muster_harness.wire.session_file import SessionWriter

_MOST_UNREAD = 1 << 20


class Recorder:
    """Holds a board's port, with pyserial's face for `url`, a port of the kind rfc2217://.

    `on_data` is called with what the board says, in another thread. A context manager. Raises
    PortError if the board's port cannot be opened.
    """

    cts = dsr = cd = True
    ri = False

    def __init__(self, port: str, session: SessionWriter, on_data: Callable[[bytes], None]):
        self._session = session
        self._on_data = on_data
        self._lock = threading.Lock()
        self._unread = bytearray()
        self._has_reset_line = has_reset_line(port)
        self._dtr = self._rts = self._is_in_reset = False
        # of a serial port that pyserial's server sets up; the board's own port keeps its speed
        self.baudrate, self.bytesize, self.parity, self.stopbits = 115200, 8, "N", 1
        self.xonxoff = self.rtscts = self.break_condition = False
        self._line = SerialLine(port, self._heard, lambda _: None)
        try:
            self._offer = RFC2217Port(self)
        except BaseException:
            self._line.close()
            raise
        self.url = self._offer.url

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._offer.close()
        self._line.close()

    def check(self) -> None:
        """Check that the board's port is there. Raises PortError if it has vanished."""
        self._line.check()

    def reset(self) -> None:
        """Reset the board by the port's lines. Raises PortError where there are none."""
        if not self._has_reset_line:
            raise PortError(
                f"{self._line.port} has no line that resets; leave --reset out and press EN, or "
                "use a serial port or rfc2217://"
            )
        self._session.reset()
        self._line.pulse_reset()

    def _heard(self, data: bytes) -> None:
        self._session.said(data)
        with self._lock:
            self._unread += data
            del self._unread[:-_MOST_UNREAD]
        self._on_data(data)

    # -- as pyserial has it, for other programs

    def read(self, _: int) -> bytes:
        with self._lock:
            data = bytes(self._unread)
            self._unread.clear()
        return data

    def write(self, data: bytes) -> None:
        if data:
            self._session.sent(data)
            self._line.write(data)

    def reset_input_buffer(self) -> None:
        self.read(0)

    def reset_output_buffer(self) -> None:
        """Do nothing: what is written has gone."""

    @property
    def rts(self) -> bool:
        return self._rts

    @rts.setter
    def rts(self, value: bool) -> None:
        self._rts = value
        self._set_lines()

    @property
    def dtr(self) -> bool:
        return self._dtr

    @dtr.setter
    def dtr(self, value: bool) -> None:
        self._dtr = value
        self._set_lines()

    def _set_lines(self) -> None:
        if not self._has_reset_line:
            return
        if self._rts and not self._dtr:
            self._is_in_reset = True
        elif self._is_in_reset and not self._rts:
            self._is_in_reset = False
            self._session.reset()
        self._line.set_lines(self._dtr, self._rts)
