# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An opened serial port with several listeners: the log, whoever waits for a pattern, and a REPL.

One thread reads; nothing is lost while nobody asks.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Protocol

import serial

from muster_harness.errors import Flooded, PortError
from muster_harness.wire.ports import open_port, took_nothing

_LOOK_S = 0.05
_WRITE_S = 10.0
_MOST_UNREAD = 4 << 20
_PULSE_S = 0.1
_OBEYS_S = 0.3
_STOP, _FRIENDLY, _RESTART = b"\r\x03", b"\r\x02", b"\x04"


def has_reset_line(port: str) -> bool:
    """Tell whether the port has control lines, one of which resets usual boards.

    A pty and a plain socket have none.
    """
    return not port.startswith(("socket://", "/dev/pts/"))


class Writes(Protocol):
    """A port that one can type on."""

    def write(self, data: bytes, /) -> object: ...


def restart_program(line: Writes) -> None:
    """Stop the program on a board and let it begin anew, as a person does with three keys."""
    line.write(_STOP)
    time.sleep(_OBEYS_S)  # a program that ends in good order takes its time
    line.write(_FRIENDLY)
    time.sleep(_OBEYS_S)
    line.write(_RESTART)


class HasLines(Protocol):
    """A port with modem lines."""

    def set_lines(self, dtr: bool, rts: bool) -> None: ...


def pulse_reset(line: HasLines) -> None:
    """Reset a board by the auto-reset circuit of Espressif's boards: RTS pulls EN, DTR the boot
    pin.

    Raises OSError where there are no such lines.
    """
    line.set_lines(dtr=False, rts=True)
    time.sleep(_PULSE_S)
    line.set_lines(dtr=False, rts=False)


class SerialLine:
    """A serial port and the thread that reads it.

    `on_data` is called with the bytes that arrive, `on_end` once with a sentence if the port
    vanishes; both in the reader's thread.
    """

    def __init__(
        self, port: str, on_data: Callable[[bytes], None], on_end: Callable[[str], None]
    ) -> None:
        """Open the port. Raises PortError."""
        self.port = port
        self.failure: str | None = None
        self._on_data = on_data
        self._on_end = on_end
        self._serial = open_port(port, _LOOK_S, _WRITE_S)
        self._tap: Tap | None = None
        self._is_open = True
        self._reader = threading.Thread(target=self._read, name=port, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Let go of the port. A second call does nothing."""
        self._is_open = False
        self._reader.join()
        held = getattr(self._serial, "_socket", None)
        with contextlib.suppress(OSError):
            self._serial.close()
        if held is not None:  # pyserial leaves a socket open whose other side has gone first
            held.close()

    def write(self, data: bytes) -> None:
        """Write bytes. Raises PortError if the port has vanished or takes nothing any more."""
        self.check()
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException:
            raise took_nothing(self.port, _WRITE_S) from None
        except OSError as e:
            raise PortError(f"the port {self.port} vanished ({e}); plug it in again") from None

    def check(self) -> None:
        """Check that the port is there. Raises PortError if it has vanished."""
        if self.failure is not None:
            raise PortError(self.failure)

    def set_lines(self, dtr: bool, rts: bool) -> None:
        """Set the modem lines. Raises OSError where there are none."""
        self._serial.dtr = dtr
        self._serial.rts = rts

    def pulse_reset(self) -> None:
        """Reset the board by the port's lines.

        Raises PortError if the port has vanished before.
        """
        self.check()
        try:
            pulse_reset(self)
        except OSError as e:  # a board with USB of its own vanishes as it is reset
            self._ended(e)

    def tap(self) -> "Tap":
        """Return a view of the bytes from now on, for somebody who reads as from pyserial."""
        self.check()
        self._tap = Tap(self)
        return self._tap

    def untap(self) -> None:
        self._tap = None

    def _read(self) -> None:
        while self._is_open:
            try:
                data = self._serial.read(max(1, self._serial.in_waiting))
            except (OSError, TypeError) as e:  # TypeError: pyserial, of a port closed under it
                self._ended(e)
                return
            if data:
                tap = self._tap  # which another thread may take away
                if tap is not None:
                    tap.feed(data)
                self._on_data(data)

    def _ended(self, error: Exception) -> None:
        failure = (
            f"the port {self.port} vanished ({error}); was the board unplugged, or reset? "
            "Plug it in and try again"
        )
        self._on_end(failure)  # first: who sees `failure` may rely on having been told
        self.failure = failure
        tap = self._tap
        if tap is not None:
            tap.wake()


class Tap:
    """The part of pyserial's face that mpremote's transport uses."""

    def __init__(self, line: SerialLine) -> None:
        self.timeout: float | None = None
        self._line = line
        self._data = bytearray()
        self._changed = threading.Condition()

    def feed(self, data: bytes) -> None:
        with self._changed:
            if len(self._data) < _MOST_UNREAD:
                self._data += data
            self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    @property
    def in_waiting(self) -> int:
        return len(self._data)

    def inWaiting(self) -> int:  # noqa: N802 (as mpremote calls it)
        return self.in_waiting

    def read(self, size: int = 1) -> bytes:
        """Read so many bytes, or those that come within `timeout`. Raises PortError, Flooded."""
        with self._changed:
            self._changed.wait_for(
                lambda: len(self._data) >= size or self._line.failure is not None, self.timeout
            )
            if len(self._data) >= _MOST_UNREAD:
                raise Flooded(
                    f"the board on {self._line.port} floods its port: {_MOST_UNREAD >> 20} MiB "
                    "came faster than they were read; stop its program"
                )
            if not self._data:
                self._line.check()
            data = bytes(self._data[:size])
            del self._data[:size]
            return data

    def write(self, data: bytes) -> None:
        self._line.write(data)

    def set_lines(self, dtr: bool, rts: bool) -> None:
        """Set the modem lines. Raises OSError where there are none."""
        self._line.set_lines(dtr, rts)

    def close(self) -> None:
        """Stop listening; the port stays open."""
        self._line.untap()
