# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Carries out the steps of a probe on the board behind a serial port."""

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mpremote.transport import TransportError
from serial import SerialException

from muster_harness.contract.probe import Step
from muster_harness.errors import BoardError, PortError
from muster_harness.units.rig import Network
from muster_harness.wire.ports import follow_port
from muster_harness.wire.probe import BoardKind
from muster_harness.wire.repl import REPL

_RUN_S = 20.0
_TYPE_S = 20.0
_LONGEST_S = 60.0
_BACK_S = 10.0  # a board with USB of its own needs its time to appear again
_RETRY_S = 0.2
_PROMPT = b"\n>>> "
_READY = b"ready\r\n"
_KNOWS = "SSID, KEY, HOST = {!r}, {!r}, {!r}"


class Wire(REPL):
    """A REPL that can also type at the friendly prompt, through a reset and back."""

    @functools.cached_property
    def chip(self) -> str:
        """The chip's name, e.g. "esp32c3"."""
        machine = self.exec("print(__import__('os').uname().machine)").strip()
        return BoardKind("", machine, "", 0).mcu

    def start_anew(self) -> None:
        """Reset softly, so that a probe finds no names and no objects of another one."""
        with self._told("does not start anew"):
            self._transport.enter_raw_repl(soft_reset=True, timeout_overall=_RUN_S)

    def see(self, step: Step, network: Network | None = None) -> str:
        """Carry out a step and return the board's output; a traceback is output too."""
        if step.how == "type":
            return self._type(step.code)
        if network is not None:  # apart from the code, which is shown where it fails
            self.exec(_KNOWS.format(network.ssid, network.password, network.address))
        return self._run(step.code) if step.how == "run" else self._pour(step.code, step.count)

    def _run(self, code: str) -> str:
        with self._told(f"did not finish {code!r}"):
            out, err = self._transport.exec_raw(code, _RUN_S)
        return _text(out + err)

    def _pour(self, code: str, count: int) -> str:
        with self._told(f"did not finish {code!r}"):
            self._transport.exec_raw_no_follow(code)
            self._transport.read_until(1, _READY, timeout=_RUN_S)
            self._transport.serial.write(b"x" * count)
            out, err = self._transport.follow(_RUN_S)
        return _text(out + err)

    def _type(self, code: str) -> str:
        line = code.rstrip("\n").replace("\n", "\r").encode()
        with self._told("lost its REPL"):
            self._transport.exit_raw_repl()
            self._transport.read_until(1, b">>> ", timeout=_TYPE_S)
            self._transport.serial.write(line + b"\r")
            seen = self._until_prompt(len(line))
            self._transport.enter_raw_repl(soft_reset=False, timeout_overall=_TYPE_S)
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
            try:
                seen += self._transport.serial.read(1)
                seen += self._transport.serial.read(self._transport.serial.in_waiting)
            except (SerialException, OSError):
                self._open_again()
                return seen + b"\r\n>>> "  # what the board said meanwhile is lost
        return seen

    def _open_again(self) -> None:
        """Find a board with USB of its own again after a reset; it may come back under another
        name."""
        again = self._again
        self.close()
        end = time.monotonic() + _BACK_S
        while True:
            try:
                self._port = again()
                self.__enter__()
                self._transport.exit_raw_repl()
                self._transport.read_until(1, b">>> ", timeout=_TYPE_S)
                return
            except PortError:
                if time.monotonic() > end:
                    raise
                time.sleep(_RETRY_S)

    def __enter__(self) -> "Wire":
        super().__enter__()
        self._again = follow_port(self._port)
        return self

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        self._guard.timeout = max(_RUN_S, _TYPE_S)
        try:
            with self._guard.at_most(_LONGEST_S, may_reset=True):
                yield
        except (SerialException, OSError) as e:
            raise self._vanished(e) from None
        except TransportError as e:
            raise BoardError(f"the board on {self._port} {what}: {e}") from None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n")
