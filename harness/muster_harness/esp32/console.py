# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Translates the interpreter's output into an ESP32's, and follows its REPL's mode.

The module does no input or output of its own: bytes in, bytes out.
"""

import re

_RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
_NAME = b"MicroPython "
# e.g. b"MicroPython 9458e3a23f on 2026-07-05; linux [GCC 14.2.1] version\r\n"
_HOST_BANNER = re.compile(rb"MicroPython [^;\r\n]* on [^;\r\n]*; [^\r\n]*\r\n")
_CTRL_A = 0x01
_CTRL_B = 0x02


class Console:
    """One interpreter's life on the console, from start to exit."""

    def __init__(self, banner: bytes):
        self._banner = banner  # the board's own first line of the REPL
        self.is_raw = False
        self._last = 0
        self._tail = b""
        self._drops_until_raw = False
        self._expects_raw = self._expects_banner = False
        self._held = b""

    def saw_input(self, data: bytes) -> None:
        """Take note of the input that the interpreter is going to read: it decides which banners
        may come."""
        self._expects_raw = self._expects_raw or _CTRL_A in data
        self._expects_banner = self._expects_banner or _CTRL_B in data

    def enters_repl(self, raw: bool) -> None:
        """Take note that the boot scripts are over.

        In raw mode the friendly banner is not for the host.
        """
        self._drops_until_raw = raw
        self._expects_banner = not raw
        self._expects_raw = self._expects_raw or raw  # a Ctrl-A may have come while main.py ran

    def feed(self, data: bytes) -> bytes:
        if self._drops_until_raw:
            self._held += data
            start = self._held.find(_RAW_BANNER)
            if start < 0:
                return b""
            data, self._held = self._held[start:], b""
            self._drops_until_raw = False
        if self._expects_banner:
            data = self._replace_banner(self._held + data)
        if self._expects_raw:
            seen = self._tail + data
            if _RAW_BANNER in seen:
                self.is_raw, self._expects_raw = True, False
            self._tail = seen[-len(_RAW_BANNER) + 1 :]
        return self._with_carriage_returns(data)

    def flush(self) -> bytes:
        """Return the output that was held back for a banner that did not come."""
        held, self._held = self._held, b""
        return b"" if self._drops_until_raw else self._with_carriage_returns(held)

    @property
    def holds(self) -> bool:
        return bool(self._held) and not self._drops_until_raw

    def raw_output(self, data: bytes) -> bytes:
        """Take bytes of sys.stdout.buffer, which a board sends untranslated."""
        self._last = data[-1] if data else self._last
        return data

    def _replace_banner(self, data: bytes) -> bytes:
        found = _HOST_BANNER.search(data)
        if found:
            self._held = b""
            self._expects_banner = self.is_raw = False
            return data[: found.start()] + self._banner + b"\r\n" + data[found.end() :]
        start = data.rfind(_NAME)
        if start < 0 or b"\n" in data[start:]:
            # perhaps the name has only begun
            start = next(
                (len(data) - n for n in range(len(_NAME) - 1, 0, -1) if data.endswith(_NAME[:n])),
                len(data),
            )
        self._held = data[start:]
        return data[:start]

    def _with_carriage_returns(self, data: bytes) -> bytes:
        # The REPL itself writes CR LF; a program's lone LF becomes one, as on the ESP32.
        if data.startswith(b"\n") and self._last == 0x0D:
            result = b"\n" + re.sub(rb"(?<!\r)\n", b"\r\n", data[1:])
        else:
            result = re.sub(rb"(?<!\r)\n", b"\r\n", data)
        self._last = data[-1] if data else self._last
        return result
