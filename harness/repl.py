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
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport
from serial import SerialException

from harness.errors import BoardError, PortError, RemoteError
from harness.ports import why_closed
from harness.prompt import enter_raw

_BAUD = 115200
_PROMPT_S = 1.0
_LOOK_S = 0.05  # how often a deadline is looked at while bytes are awaited


class REPL:
    """A connection to a board's REPL; a context manager.

    Entering interrupts what runs there. With `soft_reset` the board then starts anew, without
    main.py; without it, the program's names stay. `say` is told if a person has to help.
    """

    def __init__(
        self,
        port: str,
        *,
        soft_reset: bool = False,
        timeout_s: float = 10.0,
        say: Callable[[str], None] | None = None,
    ):
        self._port = port
        self._soft_reset = soft_reset
        self._timeout_s = timeout_s
        self._say = say
        self._transport: Any = None

    def __enter__(self) -> Self:
        # mpremote prints what it received before it raises; that belongs into nobody's output. In
        # its module this name stands before the builtin, whatever the thread.
        transport_serial.print = lambda *_: None
        try:
            # Without a timeout mpremote reads a pty for ever, whatever its own deadlines say.
            patience_s = min(self._timeout_s, _PROMPT_S)
            self._transport = SerialTransport(self._port, _BAUD, timeout=patience_s)
        except (TransportError, SerialException, OSError, ValueError):
            raise why_closed(self._port) from None
        try:
            held = getattr(self._transport.serial, "_socket", None)
            if held is not None:  # a REPL's short messages would each wait for an answer
                held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._transport.serial.timeout = _LOOK_S
            enter_raw(
                self._transport,
                self._port,
                soft_reset=self._soft_reset,
                timeout_s=self._timeout_s,
                say=self._say,
            )
            self._transport.serial.timeout = patience_s
            # As on a pty, wait for bytes: mpremote would look every 10 ms, five times an exec.
            self._transport.is_pty = True
        except BoardError:
            self.close()
            raise
        except (SerialException, OSError) as e:
            self.close()
            raise self._vanished(e) from None
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
        with contextlib.suppress(SerialException, OSError):
            if self._transport.in_raw_repl:
                self._transport.exit_raw_repl()
                self._transport.read_until(1, b">>> ", timeout=_PROMPT_S)
        _close(self._transport)
        self._transport = None

    def exec(self, code: str, timeout_s: float | None = None) -> str:
        """Run statements and return what they print.

        Raises RemoteError with the board's traceback, BoardError if the board falls silent,
        PortError if its port vanishes.
        """
        try:
            out, err = self._transport.exec_raw(code, timeout_s or self._timeout_s)
        except TransportExecError as e:
            raise RemoteError(e.error_output) from None
        except (SerialException, OSError) as e:
            raise self._vanished(e) from None
        except (TransportError, struct.error) as e:
            raise BoardError(
                f"the board on {self._port} did not finish: {e}; was it reset? Try again"
            ) from None
        if err:
            raise RemoteError(err.decode("utf-8", "replace"))
        return str(out.decode("utf-8", "replace").replace("\r\n", "\n"))

    def eval(self, expression: str) -> Any:
        """Evaluate an expression there and return its value, if it is a literal here."""
        return ast.literal_eval(self.exec(f"print(repr({expression}))").strip())

    def _vanished(self, error: OSError) -> PortError:
        return PortError(
            f"the port {self._port} vanished while it was in use ({error}); was the board "
            "unplugged or reset? Plug it in and try again"
        )


def _close(transport: Any) -> None:
    held = getattr(transport.serial, "_socket", None)
    try:
        transport.close()
    except OSError:  # lowering the lines of a port that has vanished
        transport.serial.close()
    if held is not None:  # pyserial leaves a socket open whose other side has gone first
        held.close()
