# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Runs code on a board through its raw REPL, on whatever port mpremote's transport can open."""

import ast
import contextlib
import struct
from types import TracebackType
from typing import Any, Self

from mpremote import transport_serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport
from serial import SerialException

from harness.errors import BoardError, RemoteError

_BAUD = 115200
_PROMPT_S = 1.0


class REPL:
    """A connection to a board's REPL; a context manager.

    Entering interrupts what runs there. With `soft_reset` the board then starts anew, without
    main.py; without it, the program's names stay.
    """

    def __init__(self, port: str, *, soft_reset: bool = False, timeout_s: float = 10.0):
        self._port = port
        self._soft_reset = soft_reset
        self._timeout_s = timeout_s
        self._transport: Any = None

    def __enter__(self) -> Self:
        # mpremote prints what it received before it raises; that belongs into nobody's output. In
        # its module this name stands before the builtin, whatever the thread.
        transport_serial.print = lambda *_: None
        try:
            # Without a timeout mpremote reads a pty for ever, whatever its own deadlines say.
            patience_s = min(self._timeout_s, _PROMPT_S)
            self._transport = SerialTransport(self._port, _BAUD, timeout=patience_s)
            self._transport.enter_raw_repl(self._soft_reset, self._timeout_s)
        except (TransportError, SerialException, OSError) as e:
            self.close()
            raise BoardError(
                f"no REPL on {self._port} ({e}); is the board on, and does no other program "
                "(a terminal, an IDE) hold the port?"
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
        with contextlib.suppress(SerialException, OSError):
            if self._transport.in_raw_repl:
                self._transport.exit_raw_repl()
                self._transport.read_until(1, b">>> ", timeout=_PROMPT_S)
        self._transport.close()
        self._transport = None

    def exec(self, code: str, timeout_s: float | None = None) -> str:
        """Run statements and return what they print.

        Raises RemoteError with the board's traceback, BoardError if the board falls silent.
        """
        try:
            out, err = self._transport.exec_raw(code, timeout_s or self._timeout_s)
        except (TransportError, SerialException, OSError, struct.error) as e:
            raise BoardError(f"the board on {self._port} did not finish: {e}") from None
        except TransportExecError as e:
            raise RemoteError(e.error_output) from None
        if err:
            raise RemoteError(err.decode("utf-8", "replace"))
        return str(out.decode("utf-8", "replace").replace("\r\n", "\n"))

    def eval(self, expression: str) -> Any:
        """Evaluate an expression there and return its value, if it is a literal here."""
        return ast.literal_eval(self.exec(f"print(repr({expression}))").strip())
