# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Runs code on a board through its raw REPL, on whatever port mpremote's transport can open."""

import ast
import contextlib
import socket
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from mpremote import transport_serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial import SerialException, SerialTimeoutException

from muster_harness.errors import BoardError, HarnessError, PortError, RemoteError
from muster_harness.wire.deadline import Guarded
from muster_harness.wire.ports import require_whole_url, took_nothing, why_closed
from muster_harness.wire.prompt import enter_raw
from muster_harness.wire.serial_line import Tap

_BAUD = 115200
_PROMPT_S = 1.0
_LOOK_S = 0.05  # how often a deadline is looked at while bytes are awaited
_LONGEST_S = 60.0
_SHOWN = 60  # characters of an answer, in a message
_WRITE_S = 10.0
_END = b"\x04"


class REPL:
    """A connection to a board's REPL; a context manager.

    Entering interrupts the program. With `soft_reset` the board then starts anew, without main.py;
    without it, the program's names stay. `say` is told if a person has to help. `tap` is an open
    port with other listeners; without it, the port is opened here. `failure` tells, after an
    error, the known reason why the board has stopped. Raises PortError, NotMicroPython,
    BoardError.
    """

    def __init__(
        self,
        port: str,
        *,
        tap: Tap | None = None,
        soft_reset: bool = False,
        timeout_s: float = 10.0,
        say: Callable[[str], None] | None = None,
        failure: Callable[[], str | None] = lambda: None,
    ):
        self._port = port
        self._tap = tap
        self._soft_reset = soft_reset
        self._timeout_s = timeout_s
        self._say = say
        self._failure = failure
        self._transport: Any = None

    def __enter__(self) -> Self:
        require_whole_url(self._port)
        # mpremote prints what it received before it raises; that belongs into nobody's output. In
        # its module this name stands before the builtin, whatever the thread.
        transport_serial.print = lambda *_: None
        try:
            # Without a timeout mpremote reads a pty for ever, whatever its own deadlines say.
            self._transport = (
                SerialTransport(self._port, _BAUD, timeout=_LOOK_S)
                if self._tap is None
                else _Shared(self._port, self._tap, _LOOK_S)
            )
            if self._tap is None and not self._port.startswith("rfc2217://"):  # it has its own
                self._transport.serial.write_timeout = _WRITE_S
        except (TransportError, SerialException, OSError, ValueError):
            raise why_closed(self._port) from None
        try:
            held = getattr(self._transport.serial, "_socket", None)
            if held is not None:  # a REPL's short messages would each wait for an answer
                held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._guard = Guarded(self._transport.serial, self._port, _LOOK_S)
            self._transport.serial = self._guard
            enter_raw(
                self._transport,
                self._port,
                soft_reset=self._soft_reset,
                timeout_s=self._timeout_s,
                say=self._say,
            )
            self._guard.timeout = self._timeout_s
            # As on a pty, wait for bytes: mpremote would look every 10 ms, five times an exec.
            self._transport.is_pty = True
        except BoardError as e:
            self.close()
            raise self._failed(e) from None
        except (SerialException, OSError) as e:
            self.close()
            if isinstance(e, SerialTimeoutException):
                raise self._vanished(e) from None
            raise PortError(
                f"{self._port} hung up before the board had answered ({e}); is another program "
                "connected to it, or was the board unplugged? Close that one and try again"
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Go back to the friendly prompt, see it, and let go of the port."""
        if self._transport is None:
            return
        with contextlib.suppress(SerialException, OSError, BoardError):
            if self._transport.in_raw_repl:
                self._transport.exit_raw_repl()
                self._guard.timeout = _PROMPT_S
                with self._guard.at_most(_PROMPT_S):
                    self._transport.read_until(1, b">>> ", timeout=_PROMPT_S)
        _close(self._transport)
        self._transport = None

    def exec(
        self, code: str, timeout_s: float | None = None, longest_s: float = _LONGEST_S
    ) -> str:
        """Run statements and return their output.

        `timeout_s` bounds a silence, `longest_s` the whole. Raises RemoteError with the board's
        traceback (RemoteOSError for an OSError), BoardError if the board falls silent, Flooded if
        it never stops printing, PortError if its port vanishes.
        """
        __tracebackhide__ = True  # in pytest's reports
        patience_s = timeout_s or self._timeout_s
        self._guard.timeout = patience_s
        try:
            with self._guard.at_most(longest_s):
                self._transport.exec_raw_no_follow(code)
                # mpremote would read byte by byte, and copy all it has with each
                out, err = self._guard.until(_END), self._guard.until(_END)
        except BoardError as e:
            raise self._failed(e) from None
        except (SerialException, OSError) as e:
            raise self._vanished(e) from None
        except (TransportError, struct.error) as e:
            raise self._failed(
                BoardError(
                    f"the board on {self._port} did not finish: {e}; was it reset? Try again"
                )
            ) from None
        if err:
            raise RemoteError.of(err.decode("utf-8", "replace"))
        return str(out.decode("utf-8", "replace").replace("\r\n", "\n"))

    def send(self, code: str) -> None:
        """Start statements that never come back, e.g. "machine.reset()"; do not wait for them.

        Raises BoardError if the board does not take them, PortError if its port vanishes.
        """
        self._guard.timeout = self._timeout_s
        try:
            with self._guard.at_most(self._timeout_s):
                self._transport.exec_raw_no_follow(code)
        except (SerialException, OSError) as e:
            raise self._vanished(e) from None
        except (TransportError, struct.error) as e:
            raise BoardError(f"the board on {self._port} did not take the code: {e}") from None
        self._transport.in_raw_repl = False

    def eval(self, expression: str) -> Any:
        """Evaluate an expression on the board and return its value.

        Raises HarnessError if the value is no literal here, and the errors of `exec`.
        """
        __tracebackhide__ = True
        said = self.exec(f"print(repr(({expression})))").strip()  # of "1, 2" too
        try:
            return ast.literal_eval(said)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise HarnessError(
                f"the value there is no literal here, but {said[:_SHOWN]!r}; ask for a part of it "
                "that is, or let exec() print what you want to know"
            ) from None

    def _failed(self, error: BoardError) -> BoardError:
        failure = self._failure()
        if failure is None:
            return error
        return BoardError(f"the board on {self._port} has stopped working: {failure}")

    def _vanished(self, error: OSError) -> PortError:
        if isinstance(error, SerialTimeoutException):
            return took_nothing(self._port, _WRITE_S)
        return PortError(
            f"the port {self._port} vanished while it was in use ({error}); was the board "
            "unplugged or reset? Plug it in and try again"
        )


class _Shared(SerialTransport):  # type: ignore[misc]
    """mpremote's transport on a port that is open already, and stays so."""

    def __init__(self, port: str, tap: Tap, timeout_s: float) -> None:
        self.in_raw_repl = self.mounted = False
        self.use_raw_paste = True
        self.device_name = port
        self.serial = tap
        self.serial.timeout = timeout_s

    def close(self) -> None:
        self.serial.close()


def _close(transport: Any) -> None:
    if isinstance(transport.serial, Guarded):
        transport.serial = transport.serial.inner  # mpremote lowers the lines itself
    held = getattr(transport.serial, "_socket", None)
    try:
        transport.close()
    except OSError:  # lowering the lines of a port that has none any more
        transport.serial.close()
    if held is not None:  # pyserial leaves a socket open whose other side has gone first
        held.close()
