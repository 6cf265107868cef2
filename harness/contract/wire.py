# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The steps of a probe, carried out on whatever is behind a serial port."""

import time

from mpremote.transport import TransportError
from serial import SerialException

from harness.contract.probe import Step
from harness.errors import BoardError
from harness.repl import REPL

_RUN_S = 20.0
_TYPE_S = 20.0
_PROMPT = b"\n>>> "


class Wire(REPL):
    """A REPL that can also type at the friendly prompt, through a reset and back."""

    def start_anew(self) -> None:
        """A soft reset, so that a probe finds no names and no objects of another one."""
        try:
            self._transport.enter_raw_repl(soft_reset=True, timeout_overall=_RUN_S)
        except (SerialException, OSError) as e:
            raise self._vanished(e) from None
        except TransportError as e:
            raise BoardError(f"the board on {self._port} does not start anew: {e}") from None

    def see(self, step: Step) -> str:
        """What the board prints in a step; a traceback is a print too."""
        return self._run(step.code) if step.how == "run" else self._type(step.code)

    def _run(self, code: str) -> str:
        try:
            out, err = self._transport.exec_raw(code, _RUN_S)
        except (SerialException, OSError) as e:
            raise self._vanished(e) from None
        except TransportError as e:
            raise BoardError(f"the board on {self._port} did not finish {code!r}: {e}") from None
        return _text(out + err)

    def _type(self, code: str) -> str:
        line = code.rstrip("\n").replace("\n", "\r").encode()
        try:
            self._transport.exit_raw_repl()
            self._transport.read_until(1, b">>> ", timeout=_TYPE_S)
            self._transport.serial.write(line + b"\r")
            seen = self._until_prompt(len(line))
            self._transport.enter_raw_repl(soft_reset=False, timeout_overall=_TYPE_S)
        except (SerialException, OSError) as e:
            raise self._vanished(e) from None
        except TransportError as e:
            raise BoardError(f"the board on {self._port} lost its REPL: {e}") from None
        # without what was typed, which the prompt repeats, and without the prompt
        return _text(seen.partition(b"\r\n")[2].removesuffix(_PROMPT[1:]))

    def _until_prompt(self, echo_bytes: int) -> bytes:
        seen = b""
        end = time.monotonic() + _TYPE_S
        while len(seen) <= echo_bytes or not seen.endswith(_PROMPT):
            if time.monotonic() > end:
                raise BoardError(
                    f"no prompt within {_TYPE_S} s on {self._port}; the last that came was "
                    f"{seen[-200:]!r}. Has the board a main.py that does not end?"
                )
            seen += self._transport.serial.read(1)
            seen += self._transport.serial.read(self._transport.serial.in_waiting)
        return seen


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n")
