# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Brings a board to its raw REPL from any state, or says what is there instead of a REPL."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from muster_harness.errors import BoardError, Flooded, NotMicroPython
from muster_harness.wire.serial_line import has_reset_line, pulse_reset

_BANNER = b"raw REPL; CTRL-B to exit\r\n"
_REBOOT = b"soft reboot\r\n"
_CTRL_A, _CTRL_C, _CTRL_D = b"\x01", b"\x03", b"\x04"

_FIRST_S = 1.0  # for a board that obeys at once, as most do
_RETRY_S = 0.5
_QUIET_S = 0.1
_STORM_S = 0.4  # Ctrl-C again and again: the one that comes between boot and main.py counts
_STORM_PAUSE_S = 0.005  # shorter than any board takes from its reset to main.py
_RESET_AFTER_S = 2.0
_ASK_AFTER_S = 3.0
_KEPT = 8192

_CORRUPTED = b"filesystem appears to be corrupted"  # and so at every start, for ever

# What MicroPython, its boot loader or our firmware say; anything else is not a board of ours.
_SIGNS = (b"MicroPython", b">>> ", b"Traceback", b"KeyboardInterrupt", b"rst:0x", b"\nM ", _REBOOT)


class _Line:
    """The bytes from the wire, read with deadlines; the newest are kept as evidence."""

    def __init__(self, serial: Any):
        self.serial = serial
        self.heard = b""

    def until(self, ending: bytes, wait_s: float) -> bool:
        """Read to the end of `ending` and no further: the rest belongs to the transport.

        Stop earlier if the board says that it has no filesystem, for it says nothing else then.
        """
        end = time.monotonic() + wait_s
        tail = b""
        while time.monotonic() < end:
            byte = self.serial.read(1)
            tail = (tail + byte)[-len(ending) :]
            self._keep(byte)
            if tail == ending:
                return True
            if self.heard.endswith(_CORRUPTED):
                return False
        return False

    def drain(self, quiet_s: float, most_s: float = 1.0) -> bytes:
        """Read until nothing comes for a while, but not for ever: a board may chatter on."""
        data = b""
        begin = last = time.monotonic()
        while True:
            waiting = self.serial.in_waiting
            now = time.monotonic()
            if waiting:
                new = self.serial.read(waiting)
                data += new
                self._keep(new)
                last = now
            elif now - last >= quiet_s:
                return data
            else:
                time.sleep(0.002)
            if now - begin >= most_s:
                return data

    def _keep(self, data: bytes) -> None:
        self.heard = (self.heard + data)[-_KEPT:]


def enter_raw(
    transport: Any,
    port: str,
    *,
    soft_reset: bool,
    timeout_s: float,
    say: Callable[[str], None] | None = None,
) -> None:
    """Bring mpremote's `transport` to the raw REPL; `say` is told if a person has to help.

    A program that swallows Ctrl-C is met by the reset line if the port has one, then by asking for
    the reset button. Raises NotMicroPython or BoardError, OSError if the port fails.
    """
    line = _Line(transport.serial)
    end = time.monotonic() + timeout_s
    line.serial.write(b"\r" + _CTRL_C)
    line.drain(0.0)  # what was said to somebody else, a banner perhaps
    line.serial.write(b"\r" + _CTRL_A)
    if not line.until(_BANNER, min(_FIRST_S, timeout_s)):
        _insist(line, port, end, say)
    if soft_reset:
        line.serial.write(_CTRL_D)
        left_s = max(end - time.monotonic(), _FIRST_S)
        if not line.until(_REBOOT, left_s) or not line.until(_BANNER, left_s):
            raise _verdict(line.heard, port)
    transport.in_raw_repl = True


def _insist(line: _Line, port: str, end: float, say: Callable[[str], None] | None) -> None:
    begin = time.monotonic()
    resets, asks = True, say is not None
    while time.monotonic() < end:
        waited_s = time.monotonic() - begin
        if resets and waited_s > _RESET_AFTER_S:
            resets = False
            if has_reset_line(port):
                with contextlib.suppress(OSError):
                    pulse_reset(line.serial)
        elif asks and say and waited_s > _ASK_AFTER_S:
            asks = False
            say(f"no prompt on {port} yet: press the board's reset button now")
        _storm(line)
        line.serial.write(b"\r" + _CTRL_A)
        if line.until(_BANNER, _RETRY_S):
            # Several Ctrl-A may have been read, each with its banner: start from the last one.
            line.drain(_QUIET_S)
            line.serial.write(_CTRL_A)
            if line.until(_BANNER, _RETRY_S):
                return
        if _CORRUPTED in line.heard:  # a MicroPython whose loop Ctrl-C does not end
            break
    raise _verdict(line.heard, port)


def _storm(line: _Line) -> None:
    end = time.monotonic() + _STORM_S
    while time.monotonic() < end:
        line.serial.write(_CTRL_C)
        if b">>> " in line.drain(_STORM_PAUSE_S, _STORM_PAUSE_S):
            return


def _verdict(heard: bytes, port: str) -> BoardError:
    if b"waiting for download" in heard:
        return NotMicroPython(
            f"the board on {port} waits for a download: it was reset with its boot button down. "
            "Let go of that button and press reset"
        )
    if _CORRUPTED in heard:
        return BoardError(
            f"the board on {port} says that its filesystem is corrupted; save what you need with "
            "esptool read_flash, then erase the flash and write MicroPython again"
        )
    if not heard.strip(b"\r\x01\x03\x04\0"):
        return NotMicroPython(
            f"nothing answers on {port}; is the board on, is it one with MicroPython, and does no "
            "other program (a terminal, an IDE) hold the port? Press its reset button, try again"
        )
    if any(sign in heard for sign in _SIGNS):
        return BoardError(
            f"the program of the board on {port} does not let go of the console: it swallows "
            "Ctrl-C. A bare `except:` in main.py, or in what it calls, catches KeyboardInterrupt "
            "too, `except Exception:` does not. Try again and press the board's reset button when "
            "asked, or erase its flash"
        )
    if len(heard) >= _KEPT and heard.isascii():  # at a wrong speed it is not text
        return Flooded(
            f"what is on {port} floods it with {_shown(heard)} and gives no REPL after Ctrl-C: a "
            "program that swallows it, or no MicroPython board; press its reset button, try again"
        )
    return NotMicroPython(
        f"what answers on {port} is no MicroPython board, or not at this speed: "
        f"{_shown(heard)}; write MicroPython to the board first (boards/ has its download page)"
    )


def _shown(heard: bytes) -> str:
    text = heard[-60:].decode("ascii", "replace")
    return '"' + "".join(c if c.isprintable() and c != "\ufffd" else "." for c in text) + '"'
